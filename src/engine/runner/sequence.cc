// SPDX-License-Identifier: Apache-2.0
#include "engine/runner/sequence.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/tensor.h>

#include "engine/nets/sampling.h"

namespace nexa::runner {

namespace {

/// Colder than this, logits divided by the temperature may overflow; the likeliest token has all
/// the probability long before.
constexpr double kColdest = 1e-4;
constexpr double kNarrowest = 1e-9;

std::span<const float> values_of(const at::Tensor& row) {
    return {row.const_data_ptr<float>(), static_cast<std::size_t>(row.numel())};
}

}  // namespace

Result<Sequence> Sequence::create(
    const ServingModel& model, const protocol::GenerateRequest& request
) {
    TRY(auto prompt, model.encode(request));
    return Sequence(model, request, std::move(prompt));
}

Sequence::Sequence(
    const ServingModel& model,
    const protocol::GenerateRequest& request,
    std::vector<std::int64_t> prompt
)
    : model_(&model),
      prompt_(std::move(prompt)),
      room_(std::min(
          request.max_new_tokens.value_or(model.max_positions()),
          model.max_positions() - static_cast<std::int64_t>(prompt_.size())
      )),
      temperature_(request.temperature),
      top_p_(std::max(request.top_p, kNarrowest)),
      seed_(request.seed),
      stops_(request.stop) {}

Result<Sequence::Step> Sequence::advance() {
    const at::NoGradGuard no_grad;
    TRY(const std::int64_t token, choose(next_logits()));
    return accept(token);
}

at::Tensor Sequence::next_logits() {
    const nets::Decoder& decoder = model_->decoder();
    if (last_token_) {
        return decoder.step(at::tensor({*last_token_}).to(decoder.device()), cache_);
    }
    const std::array<std::int64_t, 1> lengths{prompt_tokens()};
    nets::Decoder::Prefilled state = decoder.prefill(
        at::tensor(prompt_).unsqueeze(0).to(decoder.device()), lengths, prompt_tokens() + room_
    );
    cache_ = std::move(state.cache);
    return state.logits;
}

Result<std::int64_t> Sequence::choose(const at::Tensor& logits) const {
    const at::Tensor row = logits[0].cpu().contiguous();
    const std::span<const float> values = values_of(row);
    if (!std::ranges::all_of(values, [](float value) { return std::isfinite(value); })) {
        return Error::data_loss("the model gives numbers that are not finite");
    }
    if (temperature_ < kColdest) {
        return std::ranges::max_element(values) - values.begin();
    }
    const at::Tensor probabilities = at::softmax(row / temperature_, -1).contiguous();
    const auto step = static_cast<std::uint64_t>(completion_tokens_);
    const double uniform = nets::uniform_at(nets::sampling_stream(seed_), step);
    return nets::draw_token(values_of(probabilities), top_p_, uniform);
}

Sequence::Step Sequence::accept(std::int64_t token) {
    Step step;
    if (model_->ends_with(token)) {
        step.finish = nets::FinishReason::kStop;
    } else {
        last_token_ = token;
        ++completion_tokens_;
        step.text = stops_.push(characters_.push(model_->bytes_of(token)));
        if (stops_.stopped()) {
            step.finish = nets::FinishReason::kStop;
        } else if (completion_tokens_ >= room_) {
            step.finish = nets::FinishReason::kLength;
        }
    }
    if (step.finish && !stops_.stopped()) {
        step.text += stops_.push(characters_.finish());
        step.text += stops_.finish();
    }
    return step;
}

}  // namespace nexa::runner
