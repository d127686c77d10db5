// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/result.h"

namespace nexa::training {

/// One tokenized example, borrowed from its set.
struct ExampleView {
    std::span<const std::int32_t> tokens;
    /// How much each token counts as something to predict, one a token; 0 for what is only read (a
    /// prompt, padding), and always 0 for the first token of a document.
    std::span<const float> weights;
    /// Where packed documents begin: ascending, starting with 0.
    std::span<const std::int32_t> starts;
    double weight = 0.0;  ///< sum of weights
};

/// Tokenized examples in one piece of memory: eight bytes a token. Not thread-safe while adding.
class ExampleSet {
public:
    /// Appends an example. Empty `weights` count every token as 1; empty `starts` mean one
    /// document. Errors: kInvalidArgument (fewer than two tokens, a negative token or weight, a
    /// weight that is not finite, sizes that differ, starts out of order, or nothing left to
    /// predict).
    Status add(
        std::span<const std::int32_t> tokens,
        std::span<const float> weights = {},
        std::span<const std::int32_t> starts = {}
    );

    std::size_t size() const { return rows_.size(); }
    ExampleView operator[](std::size_t index) const;
    /// Tokens of the longest example.
    std::size_t longest() const { return longest_; }
    std::int32_t largest_token() const { return largest_token_; }
    /// Changes with any token, weight, start or their order.
    std::uint64_t fingerprint() const { return fingerprint_; }

private:
    struct Row {
        std::size_t token_begin;
        std::size_t token_count;
        std::size_t start_begin;
        std::size_t start_count;
        double weight;
    };
    std::vector<std::int32_t> tokens_;
    std::vector<float> weights_;
    std::vector<std::int32_t> starts_;
    std::vector<Row> rows_;
    std::size_t longest_ = 0;
    std::int32_t largest_token_ = -1;
    std::uint64_t fingerprint_ = 0;
};

}  // namespace nexa::training
