// SPDX-License-Identifier: Apache-2.0
#include "engine/pipelines/training_rows.h"

#include <algorithm>
#include <span>
#include <string>
#include <utility>
#include <variant>

#include "data/pack.h"
#include "engine/columnar/dataset_reader.h"
#include "text/bpe_trainer.h"

namespace nexa::pipelines {

namespace {

using columnar::DatasetReader;
using columnar::RowFormat;
using columnar::SourceRow;
using text::ChatFormat;
using text::ChatMessage;
using text::RenderedChat;

constexpr std::int64_t kRowsBetweenLooks = 1024;
constexpr std::size_t kLearnedBytesMax = std::size_t{256} << 20U;
constexpr std::size_t kMessagesOfAPair = 2;

/// Rows of a split one after the other, with looks at the clock in between.
template <class Take>
Status for_each_row(DatasetReader& reader, const RowsProgress& progress, Take take) {
    std::int64_t rows = 0;
    while (true) {
        TRY(std::optional<SourceRow> row, reader.next());
        if (!row) {
            return progress(rows, rows);
        }
        if (++rows % kRowsBetweenLooks == 0) {
            TRY_STATUS(progress(rows, std::max(rows, reader.rows_total())));
        }
        TRY(const bool goes_on, take(*std::move(row)));
        if (!goes_on) {
            return {};
        }
    }
}

/// Collects examples and what their targets spell.
class Collector {
public:
    Collector(const models::TextCodec& codec, const TrainingRowsWish& wish)
        : codec_(codec), wish_(wish) {}

    Result<bool> take(SourceRow row) {
        ++out_.rows;
        if (const auto* text = std::get_if<data::TextRow>(&row.row)) {
            add_text(*text, std::move(row.file));
            return true;
        }
        TRY(const RenderedChat chat, codec_.chat().render(columnar::turns_of(row.row)));
        if (std::cmp_greater(chat.ids.size(), wish_.length_max)) {
            ++out_.too_long;
        } else {
            add(chat.ids, std::vector<float>(chat.loss_mask.begin(), chat.loss_mask.end()), {});
        }
        return !is_full();
    }

    Result<TrainingRows> finish() {
        TRY_STATUS(pack_documents());
        return std::move(out_);
    }

private:
    bool is_full() const {
        return wish_.examples_max > 0 &&
               std::cmp_greater_equal(out_.examples.size(), wish_.examples_max);
    }

    /// Neighboring chunks of one file are one document again.
    void add_text(const data::TextRow& row, std::string file) {
        if (documents_.empty() || file != file_) {
            documents_.emplace_back();
            file_ = std::move(file);
        } else {
            documents_.back().pop_back();  // the end that was none
        }
        std::vector<std::int32_t>& document = documents_.back();
        codec_.tokenizer().encode_to(row.text, text::SpecialTokens::kPlainText, cache_, document);
        document.push_back(codec_.end_id());
    }

    void add(
        std::span<const std::int32_t> ids,
        std::vector<float> weights,
        std::span<const std::int32_t> starts
    ) {
        weights.front() = 0;
        for (const std::int32_t start : starts) {
            weights[static_cast<std::size_t>(start)] = 0;
        }
        if (wish_.learn_everything) {
            std::ranges::fill(weights, 1.0F);
            weights.front() = 0;
        }
        // A row without anything to learn, such as an empty answer that is cut, is no example.
        if (!out_.examples.add(ids, weights, starts)) {
            return;
        }
        for (std::size_t i = 0; i < ids.size(); ++i) {
            if (weights[i] > 0 && ids[i] != codec_.end_id()) {
                out_.target_bytes += static_cast<std::int64_t>(
                    codec_.tokenizer().token_of(ids[i]).value_or("").size()
                );
            }
            out_.target_tokens += static_cast<double>(weights[i]);
        }
    }

    Status pack_documents() {
        std::vector<std::int64_t> lengths;
        lengths.reserve(documents_.size());
        for (const auto& document : documents_) {
            lengths.push_back(static_cast<std::int64_t>(document.size()));
        }
        TRY(const data::Packing packing, data::pack_best_fit(lengths, wish_.length_max));
        for (const data::Pack& pack : packing.packs) {
            if (is_full()) {
                return {};
            }
            std::vector<std::int32_t> ids;
            for (const data::Piece& piece : pack.pieces) {
                const auto from = documents_[static_cast<std::size_t>(piece.sequence)].begin();
                ids.insert(ids.end(), from + piece.begin, from + piece.begin + piece.length);
            }
            const std::span starts = std::span(pack.cu_seqlens).first(pack.pieces.size());
            add(ids, std::vector<float>(ids.size(), 1.0F), starts);
        }
        return {};
    }

    const models::TextCodec& codec_;
    const TrainingRowsWish& wish_;
    TrainingRows out_;
    std::vector<std::vector<std::int32_t>> documents_;
    std::string file_;
    text::EncodeCache cache_;
};

/// A conversation of more than a question and its answer needs its turns marked.
bool needs_turns(const data::DatasetRow& row) {
    const auto* chat = std::get_if<data::ChatRow>(&row);
    return chat != nullptr &&
           (chat->messages.size() != kMessagesOfAPair || chat->messages.front().role != "user");
}

}  // namespace

Error no_training_rows() {
    return Error::invalid_argument("the dataset has no row in its training split")
        .at("dataset_uri")
        .hint("files that are named test or validation are not trained on: add one named train");
}

Result<TrainingRows> read_training_rows(
    const models::TextCodec& codec, const TrainingRowsWish& wish, const RowsProgress& progress
) {
    TRY(auto reader,
        DatasetReader::open(
            wish.folder,
            {.format = wish.format, .split = wish.split, .text_chunk_bytes = kTextChunkBytes}
        ));
    Collector collector(codec, wish);
    TRY_STATUS(for_each_row(reader, progress, [&](SourceRow row) {
        return collector.take(std::move(row));
    }));
    return collector.finish();
}

Result<models::TextCodec> learn_codec(
    const std::filesystem::path& folder, std::int32_t vocab_size, const RowsProgress& progress
) {
    TRY(auto reader,
        DatasetReader::open(
            folder, {.split = data::Split::kTrain, .text_chunk_bytes = kTextChunkBytes}
        ));
    std::vector<std::string> special;
    for (const ChatFormat format : {ChatFormat::kPlain, ChatFormat::kChatMl}) {
        std::ranges::move(text::special_tokens_of(format), std::back_inserter(special));
    }
    TRY(auto trainer,
        text::BpeTrainer::create({
            .vocabulary_size = vocab_size,
            .special_tokens = special,
            .pretokenizer = {.digits = text::DigitRule::kSingle},
        }));
    bool has_turns = false;
    std::size_t bytes = 0;
    bool has_rows = false;
    TRY_STATUS(for_each_row(reader, progress, [&](const SourceRow& row) -> Result<bool> {
        has_rows = true;
        has_turns = has_turns || needs_turns(row.row);
        if (const auto* text = std::get_if<data::TextRow>(&row.row)) {
            trainer.feed(text->text);
            bytes += text->text.size();
        }
        for (const ChatMessage& message : columnar::turns_of(row.row)) {
            trainer.feed(message.content);
            bytes += message.content.size();
        }
        return bytes < kLearnedBytesMax;
    }));
    if (!has_rows) {
        return no_training_rows();
    }
    TRY(text::BpeTokenizer tokenizer, trainer.finish());
    return models::TextCodec::create(
        has_turns ? ChatFormat::kChatMl : ChatFormat::kPlain, std::move(tokenizer)
    );
}

}  // namespace nexa::pipelines
