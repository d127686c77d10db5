// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "core/result.h"
#include "engine/nets/decoder.h"
#include "engine/nets/generate.h"
#include "engine/runner/serving_model.h"
#include "engine/runner/stop_filter.h"
#include "protocol/runner_frames.h"
#include "text/utf8.h"

namespace nexa::runner {

/// One answer in the making, with a key-value cache of its own. Belongs to the model's thread.
class Sequence {
public:
    /// Encodes and checks; computes nothing, holds no cache yet. `model` outlives it. Errors: those
    /// of ServingModel::encode().
    static Result<Sequence> create(
        const ServingModel& model, const protocol::GenerateRequest& request
    );

    struct Step {
        std::string text;  ///< whole characters that can be shown; often none
        std::optional<nets::FinishReason> finish;
    };
    /// One more token; the first call reads the prompt. Not after a finish. What it draws depends
    /// on the request alone. Errors: kDataLoss (the weights give numbers that are none);
    /// libtorch's exceptions pass through.
    Result<Step> advance();

    std::int64_t prompt_tokens() const { return static_cast<std::int64_t>(prompt_.size()); }
    std::int64_t completion_tokens() const { return completion_tokens_; }

private:
    Sequence(
        const ServingModel& model,
        const protocol::GenerateRequest& request,
        std::vector<std::int64_t> prompt
    );
    at::Tensor next_logits();
    Result<std::int64_t> choose(const at::Tensor& logits) const;
    Step accept(std::int64_t token);

    const ServingModel* model_;
    std::vector<std::int64_t> prompt_;
    std::int64_t room_;  ///< most new tokens
    double temperature_;
    double top_p_;
    std::uint64_t seed_;
    StopFilter stops_;
    text::Utf8Assembler characters_;
    nets::KvCache cache_;
    std::optional<std::int64_t> last_token_;
    std::int64_t completion_tokens_ = 0;
};

}  // namespace nexa::runner
