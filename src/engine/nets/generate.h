// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "core/result.h"

namespace nexa::nets {

class Decoder;

struct SamplingOptions {
    std::int64_t new_tokens_max = 64;
    double temperature = 0.0;  ///< 0: always the likeliest token
    double top_p = 1.0;        ///< the smallest set of likeliest tokens with this much probability
    std::uint64_t seed = 0;
    /// One a prompt, instead of `seed` and the prompt's number: then a prompt's draws are the same
    /// in whichever batch it comes. Empty: none.
    std::vector<std::uint64_t> seeds = {};
    std::vector<std::int64_t> stop_ids = {};  ///< ends a sequence and is not part of its tokens
};

enum class FinishReason : std::uint8_t {
    kStop,
    kLength,  ///< new_tokens_max or the model's max_positions
};

struct Generation {
    std::vector<std::int64_t> tokens;
    FinishReason finish_reason = FinishReason::kLength;
};

/// Continues every prompt, all in one batch; rows that end leave the batch. The draws of prompt i
/// depend on seed and i, or on seeds[i], alone. Blocks for as long as it computes; `stop_requested`
/// is asked before each step. Errors: kInvalidArgument naming the option (seeds: not one a prompt)
/// or prompt ("prompts[2]": empty, longer than max_positions, an id outside the vocabulary),
/// kCancelled; libtorch's own as guard() turns them.
Result<std::vector<Generation>> generate(
    const Decoder& decoder,
    std::span<const std::vector<std::int64_t>> prompts,
    const SamplingOptions& options,
    const std::function<bool()>& stop_requested = {}
);

}  // namespace nexa::nets
