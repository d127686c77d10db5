// SPDX-License-Identifier: Apache-2.0
#include "evaluation/likelihood.h"

#include <cmath>
#include <numbers>

namespace nexa::evaluation {

void LikelihoodSum::add(const ChunkLikelihood& chunk) {
    if (chunk.tokens <= 0 || chunk.bytes <= 0) {
        return;
    }
    by_token_.push_back({chunk.nats, static_cast<double>(chunk.tokens)});
    by_byte_.push_back({chunk.nats / std::numbers::ln2, static_cast<double>(chunk.bytes)});
    tokens_ += chunk.tokens;
    bytes_ += chunk.bytes;
    nats_ += chunk.nats;
}

LikelihoodScores LikelihoodSum::scores(std::uint64_t seed) const {
    LikelihoodScores scores{.tokens = tokens_, .bytes = bytes_};
    if (by_token_.empty()) {
        return scores;
    }
    scores.loss = {
        .value = nats_ / static_cast<double>(tokens_),
        .interval = ratio_interval(by_token_, seed),
    };
    scores.perplexity.value = std::exp(scores.loss.value);
    if (scores.loss.interval) {
        scores.perplexity.interval = Interval{
            .low = std::exp(scores.loss.interval->low),
            .high = std::exp(scores.loss.interval->high),
        };
    }
    scores.bits_per_byte = {
        .value = nats_ / std::numbers::ln2 / static_cast<double>(bytes_),
        .interval = ratio_interval(by_byte_, seed),
    };
    return scores;
}

}  // namespace nexa::evaluation
