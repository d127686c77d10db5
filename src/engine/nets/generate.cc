// SPDX-License-Identifier: Apache-2.0
#include "engine/nets/generate.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include "core/guard.h"
#include "core/mix_bits.h"
#include "engine/nets/decoder.h"
#include "engine/nets/sampling.h"
#include "engine/nets/seed.h"

namespace nexa::nets {
namespace {

using Prompts = std::span<const std::vector<std::int64_t>>;

Status check_options(const SamplingOptions& options) {
    if (options.new_tokens_max < 0) {
        return Error::invalid_argument("must not be negative, is {}", options.new_tokens_max)
            .at("new_tokens_max");
    }
    if (!std::isfinite(options.temperature) || options.temperature < 0.0) {
        return Error::invalid_argument("must be 0 or more, is {}", options.temperature)
            .at("temperature");
    }
    if (!(options.top_p > 0.0 && options.top_p <= 1.0)) {
        return Error::invalid_argument("must lie in (0, 1], is {}", options.top_p).at("top_p");
    }
    return ok();
}

Status check_prompt(const std::vector<std::int64_t>& prompt, const models::ModelConfig& config) {
    if (prompt.empty()) {
        return Error::invalid_argument("is empty");
    }
    if (static_cast<std::int64_t>(prompt.size()) > config.max_positions) {
        return Error::invalid_argument(
            "has {} tokens, the model takes {}", prompt.size(), config.max_positions
        );
    }
    for (const std::int64_t id : prompt) {
        if (id < 0 || id >= config.vocab) {
            return Error::invalid_argument("holds the id {}, the vocabulary {}", id, config.vocab);
        }
    }
    return ok();
}

/// A prompt's own, whatever else is in the batch.
std::uint64_t stream_of(const SamplingOptions& options, std::size_t row) {
    return options.seeds.empty() ? mix_bits(derive_seed(options.seed, "sampling") + row)
                                 : sampling_stream(options.seeds[row]);
}

/// One call of generate: the rows still running and what they have said.
class Sequences {
public:
    Sequences(const Decoder& decoder, Prompts prompts, const SamplingOptions& options)
        : decoder_(decoder), options_(options), done_(prompts.size()), running_(prompts.size()) {
        std::iota(running_.begin(), running_.end(), std::size_t{0});
        for (const auto& prompt : prompts) {
            const auto length = static_cast<std::int64_t>(prompt.size());
            lengths_.push_back(length);
            room_.push_back(
                std::min(options.new_tokens_max, decoder.config().max_positions - length)
            );
        }
    }

    Status run(Prompts prompts, const std::function<bool()>& stop_requested) {
        Decoder::Prefilled state = prefill(prompts);
        leave_ended(state);
        for (std::uint64_t step = 0; !running_.empty(); ++step) {
            if (stop_requested && stop_requested()) {
                return Error::cancelled("generation was cancelled after {} tokens", step);
            }
            const std::vector<std::int64_t> chosen = choose(state.logits, step);
            for (std::size_t i = 0; i < running_.size(); ++i) {
                if (!ended(running_[i])) {
                    accept(running_[i], chosen[i]);
                }
            }
            const std::vector<std::int64_t> fed = leave_ended(state, chosen);
            if (!running_.empty()) {
                state.logits = decoder_.step(at::tensor(fed).to(decoder_.device()), state.cache);
            }
        }
        return ok();
    }

    std::vector<Generation> take() { return std::move(done_); }

private:
    Decoder::Prefilled prefill(Prompts prompts) const {
        const std::int64_t longest = *std::ranges::max_element(lengths_);
        const auto rows = static_cast<std::int64_t>(prompts.size());
        at::Tensor ids = at::zeros({rows, longest}, at::kLong);
        for (std::int64_t row = 0; row < rows; ++row) {
            const auto& prompt = prompts[static_cast<std::size_t>(row)];
            std::ranges::copy(prompt, ids.mutable_data_ptr<std::int64_t>() + row * longest);
        }
        std::int64_t capacity = longest;
        for (std::size_t i = 0; i < lengths_.size(); ++i) {
            capacity = std::max(capacity, lengths_[i] + room_[i]);
        }
        return decoder_.prefill(ids.to(decoder_.device()), lengths_, capacity);
    }

    std::vector<std::int64_t> choose(const at::Tensor& logits, std::uint64_t step) const {
        std::vector<std::int64_t> chosen;
        if (options_.temperature == 0.0) {
            const at::Tensor likeliest = logits.argmax(-1).cpu();
            const auto* ids = likeliest.const_data_ptr<std::int64_t>();
            chosen.assign(ids, ids + running_.size());
            return chosen;
        }
        const at::Tensor all = at::softmax(logits / options_.temperature, -1).cpu().contiguous();
        const auto vocab = static_cast<std::size_t>(all.size(1));
        const std::span<const float> values(
            all.const_data_ptr<float>(), static_cast<std::size_t>(all.numel())
        );
        for (std::size_t i = 0; i < running_.size(); ++i) {
            const double u = uniform_at(stream_of(options_, running_[i]), step);
            chosen.push_back(draw_token(values.subspan(i * vocab, vocab), options_.top_p, u));
        }
        return chosen;
    }

    void accept(std::size_t row, std::int64_t token) {
        if (std::ranges::find(options_.stop_ids, token) != options_.stop_ids.end()) {
            done_[row].finish_reason = FinishReason::kStop;
        } else {
            done_[row].tokens.push_back(token);
        }
    }

    bool ended(std::size_t row) const {
        return done_[row].finish_reason == FinishReason::kStop ||
               static_cast<std::int64_t>(done_[row].tokens.size()) >= room_[row];
    }

    /// Takes ended rows out of the batch, once they are many enough to be worth copying the cache
    /// for; till then they are computed along. Returns of `chosen` what the rows that stay are fed.
    std::vector<std::int64_t> leave_ended(
        Decoder::Prefilled& state, std::vector<std::int64_t> chosen = {}
    ) {
        std::vector<std::int64_t> kept;
        for (std::size_t i = 0; i < running_.size(); ++i) {
            if (!ended(running_[i])) {
                kept.push_back(static_cast<std::int64_t>(i));
            }
        }
        if (kept.size() * 4 > running_.size() * 3) {
            for (std::size_t i = 0; i < running_.size(); ++i) {
                // An ended row's next token goes where its last one is: it needs no more room.
                state.cache.lengths[i] -= ended(running_[i]) && !chosen.empty() ? 1 : 0;
            }
            return chosen;
        }
        std::vector<std::size_t> still;
        std::vector<std::int64_t> fed;
        for (const std::int64_t i : kept) {
            still.push_back(running_[static_cast<std::size_t>(i)]);
            if (!chosen.empty()) {
                fed.push_back(chosen[static_cast<std::size_t>(i)]);
            }
        }
        running_ = std::move(still);
        if (!running_.empty()) {
            state.cache.keep(kept);
            state.logits = state.logits.index_select(0, at::tensor(kept).to(state.logits.device()));
        }
        return fed;
    }

    const Decoder& decoder_;
    const SamplingOptions& options_;
    std::vector<Generation> done_;
    std::vector<std::size_t> running_;  ///< prompt numbers, in the order of the cache's rows
    std::vector<std::int64_t> lengths_;
    std::vector<std::int64_t> room_;  ///< most new tokens, per prompt
};

}  // namespace

Result<std::vector<Generation>> generate(
    const Decoder& decoder,
    Prompts prompts,
    const SamplingOptions& options,
    const std::function<bool()>& stop_requested
) {
    TRY_STATUS(check_options(options));
    for (std::size_t i = 0; i < prompts.size(); ++i) {
        Status checked = check_prompt(prompts[i], decoder.config());
        if (!checked) {
            return std::move(checked).error().at(fmt::format("prompts[{}]", i));
        }
    }
    if (!options.seeds.empty() && options.seeds.size() != prompts.size()) {
        return Error::invalid_argument(
                   "must be one for each of {} prompts, are {}",
                   prompts.size(),
                   options.seeds.size()
        )
            .at("seeds");
    }
    if (prompts.empty()) {
        return std::vector<Generation>();
    }
    return guard([&]() -> Result<std::vector<Generation>> {
        const at::NoGradGuard no_grad;
        Sequences sequences(decoder, prompts, options);
        TRY_STATUS(sequences.run(prompts, stop_requested));
        return sequences.take();
    });
}

}  // namespace nexa::nets
