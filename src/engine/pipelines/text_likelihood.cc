// SPDX-License-Identifier: Apache-2.0
#include "engine/pipelines/text_likelihood.h"

#include <algorithm>
#include <numeric>
#include <utility>
#include <variant>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include "engine/columnar/row_format.h"
#include "engine/nets/loss.h"

namespace nexa::pipelines {

namespace {

constexpr std::size_t kBatchTokensMax = 16384;
/// Logits of one batch: 256 MiB of float32.
constexpr std::size_t kBatchLogitsMax = std::size_t{1} << 26U;

Result<text::RenderedChat> tokens_of(const data::DatasetRow& row, const models::TextCodec& codec) {
    if (const auto* text = std::get_if<data::TextRow>(&row)) {
        text::RenderedChat all;
        all.ids = codec.tokenizer().encode(text->text, text::SpecialTokens::kPlainText);
        all.loss_mask.assign(all.ids.size(), 1);
        return all;
    }
    return codec.chat().render(columnar::turns_of(row));
}

std::size_t shared_length(std::span<const TextChunk> chunks, std::span<const std::size_t> batch) {
    std::size_t longest = 0;
    for (const std::size_t i : batch) {
        longest = std::max(longest, chunks[i].ids.size());
    }
    return longest;
}

/// Sums the losses of a batch up, chunk by chunk.
void measure_batch(
    const nets::Decoder& decoder,
    std::span<const TextChunk> chunks,
    std::span<const std::size_t> batch,
    std::vector<evaluation::ChunkLikelihood>& out
) {
    const std::size_t length = shared_length(chunks, batch);
    std::vector<std::int64_t> ids(batch.size() * length, 0);
    std::vector<std::int64_t> positions;
    std::vector<std::int64_t> wanted;
    for (std::size_t row = 0; row < batch.size(); ++row) {
        const TextChunk& chunk = chunks[batch[row]];
        std::ranges::copy(chunk.ids, ids.begin() + static_cast<std::ptrdiff_t>(row * length));
        for (std::size_t k = 1; k < chunk.ids.size(); ++k) {
            if (chunk.counted[k] != 0) {
                positions.push_back(static_cast<std::int64_t>(row * length + k - 1));
                wanted.push_back(chunk.ids[k]);
            }
        }
    }
    const auto rows = static_cast<std::int64_t>(batch.size());
    const at::Device device = decoder.device();
    const at::Tensor losses =
        nets::token_losses(
            decoder,
            {.ids = at::tensor(ids).view({rows, static_cast<std::int64_t>(length)}).to(device),
             .positions = {},
             .documents = {}},
            {.positions = at::tensor(positions).to(device),
             .ids = at::tensor(wanted).to(device),
             .weights = {}}
        ).cpu();
    const float* loss = losses.const_data_ptr<float>();
    for (const std::size_t i : batch) {
        const TextChunk& chunk = chunks[i];
        double nats = 0;
        for (std::int64_t k = 0; k < chunk.tokens; ++k) {
            nats += static_cast<double>(*loss++);
        }
        out[i] = {.tokens = chunk.tokens, .bytes = chunk.bytes, .nats = nats};
    }
}

}  // namespace

Result<std::vector<TextChunk>> chunks_of(
    const data::DatasetRow& row, const models::TextCodec& codec, std::int64_t tokens_max
) {
    TRY(const text::RenderedChat all, tokens_of(row, codec));
    const auto window = static_cast<std::size_t>(std::max<std::int64_t>(tokens_max, 2));
    std::vector<TextChunk> chunks;
    for (std::size_t begin = 0; begin + 1 < all.ids.size(); begin += window - 1) {
        const std::size_t end = std::min(begin + window, all.ids.size());
        TextChunk chunk{
            .ids =
                {all.ids.begin() + static_cast<std::ptrdiff_t>(begin),
                 all.ids.begin() + static_cast<std::ptrdiff_t>(end)}
        };
        chunk.counted.assign(chunk.ids.size(), 0);
        for (std::size_t k = 1; k < chunk.ids.size(); ++k) {
            if (all.loss_mask[begin + k] == 0 || codec.tokenizer().is_special(chunk.ids[k])) {
                continue;
            }
            chunk.counted[k] = 1;
            ++chunk.tokens;
            chunk.bytes += static_cast<std::int64_t>(
                codec.tokenizer().token_of(chunk.ids[k]).value_or("").size()
            );
        }
        if (chunk.tokens > 0) {
            chunks.push_back(std::move(chunk));
        }
    }
    return chunks;
}

Result<std::vector<evaluation::ChunkLikelihood>> measure_chunks(
    const nets::Decoder& decoder,
    std::span<const TextChunk> chunks,
    const std::function<bool()>& stop_requested
) {
    const at::NoGradGuard no_grad;
    const auto vocab = static_cast<std::size_t>(decoder.config().vocab);
    const std::size_t tokens_max = std::min(kBatchTokensMax, kBatchLogitsMax / vocab);
    std::vector<std::size_t> order(chunks.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::sort(order, {}, [&](std::size_t i) { return std::pair{chunks[i].ids.size(), i}; });
    std::vector<evaluation::ChunkLikelihood> out(chunks.size());
    for (std::size_t begin = 0; begin < order.size();) {
        if (stop_requested && stop_requested()) {
            return Error::cancelled("measuring was cancelled after {} chunks", begin);
        }
        std::size_t end = begin + 1;
        while (end < order.size() && (end + 1 - begin) * chunks[order[end]].ids.size() <= tokens_max
        ) {
            ++end;
        }
        measure_batch(decoder, chunks, std::span(order).subspan(begin, end - begin), out);
        begin = end;
    }
    return out;
}

}  // namespace nexa::pipelines
