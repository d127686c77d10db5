// SPDX-License-Identifier: Apache-2.0
#include "models/config.h"

#include <gtest/gtest.h>

namespace nexa::models {
namespace {

ModelConfig small() {
    return {
        .layers = 2,
        .hidden = 8,
        .heads = 4,
        .kv_heads = 2,
        .head_dim = 2,
        .ffn = 12,
        .vocab = 10,
        .max_positions = 16,
    };
}

TEST(ModelConfig, CountsEachParameterOnce) {
    // Embedding and head 2 * 10 * 8, final norm 8; a block: q and o 2 * 8 * 8, k and v 2 * 8 * 4,
    // three of 8 * 12, two norms of 8.
    const std::int64_t block = 128 + 64 + 288 + 16;
    EXPECT_EQ(small().parameter_count(), 160 + 8 + 2 * block);

    ModelConfig tied = small();
    tied.tied_embeddings = true;
    EXPECT_EQ(tied.parameter_count(), 80 + 8 + 2 * block);

    ModelConfig biased = small();
    biased.family = &kFamilies[1];
    EXPECT_EQ(biased.parameter_count(), 160 + 8 + 2 * (block + 8 + 2 * 4));
}

TEST(ModelConfig, AcceptsWhatFits) {
    EXPECT_TRUE(small().validate());
}

struct BadConfig {
    const char* field;
    void (*spoil)(ModelConfig&);
};

class ModelConfigRefuses : public testing::TestWithParam<BadConfig> {};

TEST_P(ModelConfigRefuses, TheFieldThatDoesNotFit) {
    ModelConfig config = small();
    GetParam().spoil(config);
    const Status status = config.validate();
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(status.error().param, GetParam().field);
}

INSTANTIATE_TEST_SUITE_P(
    Fields,
    ModelConfigRefuses,
    testing::Values(
        BadConfig{"layers", [](ModelConfig& c) { c.layers = 0; }},
        BadConfig{"layers", [](ModelConfig& c) { c.layers = 1001; }},
        BadConfig{"hidden", [](ModelConfig& c) { c.hidden = -8; }},
        BadConfig{"kv_heads", [](ModelConfig& c) { c.kv_heads = 3; }},
        BadConfig{"head_dim", [](ModelConfig& c) { c.head_dim = 3; }},
        BadConfig{"vocab", [](ModelConfig& c) { c.vocab = INT64_MAX; }},
        BadConfig{"rope_theta", [](ModelConfig& c) { c.rope_theta = 1.0; }},
        BadConfig{"norm_epsilon", [](ModelConfig& c) { c.norm_epsilon = 0.0; }},
        BadConfig{"eos_id", [](ModelConfig& c) { c.eos_id = 10; }},
        BadConfig{"pad_id", [](ModelConfig& c) { c.pad_id = -1; }}
    )
);

}  // namespace
}  // namespace nexa::models
