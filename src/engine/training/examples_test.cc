// SPDX-License-Identifier: Apache-2.0
#include "engine/training/examples.h"

#include <limits>

#include <gmock/gmock.h>

namespace nexa::training {
namespace {

using Tokens = std::vector<std::int32_t>;
using Weights = std::vector<float>;
using testing::ElementsAre;

TEST(ExampleSet, CountsEveryTokenButTheFirstUnlessTold) {
    ExampleSet set;
    ASSERT_TRUE(set.add(Tokens{5, 6, 7}));
    ASSERT_TRUE(set.add(Tokens{1, 2, 3, 4}, Weights{9, 0, 0.5, 1}));
    EXPECT_EQ(set.size(), 2U);
    EXPECT_THAT(set[0].tokens, ElementsAre(5, 6, 7));
    EXPECT_THAT(set[0].weights, ElementsAre(0, 1, 1));
    EXPECT_THAT(set[0].starts, ElementsAre(0));
    EXPECT_EQ(set[0].weight, 2.0);
    EXPECT_THAT(set[1].weights, ElementsAre(0, 0, 0.5, 1));
    EXPECT_EQ(set[1].weight, 1.5);
    EXPECT_EQ(set.longest(), 4U);
    EXPECT_EQ(set.largest_token(), 7);
}

TEST(ExampleSet, NeverAsksForTheFirstTokenOfAPackedDocument) {
    ExampleSet set;
    ASSERT_TRUE(set.add(Tokens{1, 2, 3, 4, 5}, {}, Tokens{0, 3}));
    EXPECT_THAT(set[0].weights, ElementsAre(0, 1, 1, 0, 1));
    EXPECT_THAT(set[0].starts, ElementsAre(0, 3));
}

TEST(ExampleSet, TheFingerprintFollowsTokensWeightsStartsAndOrder) {
    const auto fingerprint = [](auto&&... examples) {
        ExampleSet set;
        (examples(set), ...);
        return set.fingerprint();
    };
    const auto a = [](ExampleSet& set) { EXPECT_TRUE(set.add(Tokens{1, 2, 3})); };
    const auto b = [](ExampleSet& set) { EXPECT_TRUE(set.add(Tokens{1, 2, 4})); };
    const auto weighted = [](ExampleSet& set) {
        EXPECT_TRUE(set.add(Tokens{1, 2, 3}, Weights{0, 0, 1}));
    };
    const auto parted = [](ExampleSet& set) {
        EXPECT_TRUE(set.add(Tokens{1, 2, 3}, Weights{0, 0, 1}, Tokens{0, 1}));
    };
    EXPECT_EQ(fingerprint(a, b), fingerprint(a, b));
    EXPECT_NE(fingerprint(a, b), fingerprint(b, a));
    EXPECT_NE(fingerprint(a), fingerprint(b));
    EXPECT_NE(fingerprint(a), fingerprint(weighted));
    EXPECT_NE(fingerprint(weighted), fingerprint(parted));
    EXPECT_NE(fingerprint(a), fingerprint(a, a));
}

TEST(ExampleSet, RefusesWhatCannotBeLearnedAndSaysWhy) {
    ExampleSet set;
    const auto param = [&](const Tokens& tokens, const Weights& weights, const Tokens& starts) {
        const Status added = set.add(tokens, weights, starts);
        EXPECT_FALSE(added);
        return added ? "" : added.error().param;
    };
    EXPECT_EQ(param({}, {}, {}), "tokens");
    EXPECT_EQ(param({1}, {}, {}), "tokens");
    EXPECT_EQ(param({1, -2}, {}, {}), "tokens");
    EXPECT_EQ(param({1, 2}, {1}, {}), "weights");
    EXPECT_EQ(param({1, 2}, {1, -1}, {}), "weights");
    EXPECT_EQ(param({1, 2}, {1, std::numeric_limits<float>::quiet_NaN()}, {}), "weights");
    EXPECT_EQ(param({1, 2}, {1, std::numeric_limits<float>::infinity()}, {}), "weights");
    EXPECT_EQ(param({1, 2}, {1, 0}, {}), "weights");
    EXPECT_EQ(param({1, 2}, {}, {0, 1}), "weights");
    EXPECT_EQ(param({1, 2, 3}, {}, {1}), "starts");
    EXPECT_EQ(param({1, 2, 3}, {}, {0, 2, 2}), "starts");
    EXPECT_EQ(param({1, 2, 3}, {}, {0, 3}), "starts");
    EXPECT_EQ(param({1, 2, 3}, {}, {0, -1}), "starts");
    EXPECT_EQ(set.size(), 0U);
    EXPECT_EQ(set.fingerprint(), 0U);
}

}  // namespace
}  // namespace nexa::training
