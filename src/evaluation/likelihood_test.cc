// SPDX-License-Identifier: Apache-2.0
#include "evaluation/likelihood.h"

#include <cmath>
#include <numbers>

#include <gtest/gtest.h>

namespace nexa::evaluation {
namespace {

TEST(Likelihood, UniformOverABytesValuesIsEightBitsAByte) {
    LikelihoodSum sum;
    for (int chunk = 0; chunk < 10; ++chunk) {
        sum.add({.tokens = 100, .bytes = 100, .nats = 100 * std::log(256.0)});
    }
    const LikelihoodScores scores = sum.scores(1);
    EXPECT_NEAR(scores.bits_per_byte.value, 8, 1e-12);
    EXPECT_NEAR(scores.perplexity.value, 256, 1e-9);
    EXPECT_NEAR(scores.loss.value, std::log(256.0), 1e-12);
    EXPECT_NEAR(scores.bits_per_byte.interval->low, 8, 1e-9);
    EXPECT_NEAR(scores.bits_per_byte.interval->high, 8, 1e-9);
    EXPECT_EQ(scores.tokens, 1000);
    EXPECT_EQ(scores.bytes, 1000);
}

TEST(Likelihood, CountsBytesNotTokens) {
    LikelihoodSum sum;
    sum.add({.tokens = 10, .bytes = 40, .nats = 20 * std::numbers::ln2});
    sum.add({.tokens = 30, .bytes = 60, .nats = 180 * std::numbers::ln2});
    const LikelihoodScores scores = sum.scores(1);
    EXPECT_DOUBLE_EQ(scores.bits_per_byte.value, 2.0);
    EXPECT_DOUBLE_EQ(scores.loss.value, 5 * std::numbers::ln2);
    EXPECT_NEAR(scores.perplexity.value, 32, 1e-9);
}

TEST(Likelihood, PerplexitysIntervalIsTheLossesRaised) {
    LikelihoodSum sum;
    for (int chunk = 1; chunk <= 30; ++chunk) {
        sum.add({.tokens = 50, .bytes = 170, .nats = 50.0 + chunk});
    }
    const LikelihoodScores scores = sum.scores(4);
    ASSERT_TRUE(scores.loss.interval && scores.perplexity.interval);
    EXPECT_DOUBLE_EQ(scores.perplexity.interval->low, std::exp(scores.loss.interval->low));
    EXPECT_DOUBLE_EQ(scores.perplexity.interval->high, std::exp(scores.loss.interval->high));
    EXPECT_LT(scores.loss.interval->low, scores.loss.value);
    EXPECT_GT(scores.loss.interval->high, scores.loss.value);
}

TEST(Likelihood, OneChunkHasNoIntervalAndNoneIsZero) {
    LikelihoodSum sum;
    EXPECT_EQ(sum.scores(1).loss.value, 0);
    sum.add({.tokens = 0, .bytes = 5, .nats = 1});
    EXPECT_EQ(sum.chunks(), 0);
    sum.add({.tokens = 5, .bytes = 5, .nats = 1});
    EXPECT_EQ(sum.chunks(), 1);
    EXPECT_FALSE(sum.scores(1).loss.interval);
}

}  // namespace
}  // namespace nexa::evaluation
