// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "evaluation/intervals.h"

namespace nexa::evaluation {

/// What a model made of one chunk of text: of the tokens that it predicted, their number, the bytes
/// of text they stand for and the sum of their negative log-likelihoods in nats.
struct ChunkLikelihood {
    std::int64_t tokens = 0;
    std::int64_t bytes = 0;
    double nats = 0;
};

struct Measured {
    double value = 0;
    std::optional<Interval> interval;  ///< none from a single chunk
};

struct LikelihoodScores {
    Measured loss;           ///< nats a token
    Measured perplexity;     ///< e to the loss: comparable only under one tokenizer
    Measured bits_per_byte;  ///< comparable under all
    std::int64_t tokens = 0;
    std::int64_t bytes = 0;
};

/// Adds chunks up. 16 bytes a chunk in memory, twice.
class LikelihoodSum {
public:
    /// Chunks without tokens or bytes change nothing.
    void add(const ChunkLikelihood& chunk);

    std::int64_t chunks() const { return static_cast<std::int64_t>(by_token_.size()); }
    /// Zeros if nothing was added. `seed` is that of the intervals.
    LikelihoodScores scores(std::uint64_t seed) const;

private:
    std::vector<RatioSample> by_token_;
    std::vector<RatioSample> by_byte_;
    std::int64_t tokens_ = 0;
    std::int64_t bytes_ = 0;
    double nats_ = 0;
};

}  // namespace nexa::evaluation
