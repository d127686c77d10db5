// SPDX-License-Identifier: Apache-2.0
#include "models/hf_config.h"

#include <gmock/gmock.h>

#include "models/presets.h"

namespace nexa::models {
namespace {

constexpr std::string_view kLlama2 = R"({
  "architectures": ["LlamaForCausalLM"], "bos_token_id": 1, "eos_token_id": 2, "hidden_act": "silu",
  "hidden_size": 288, "initializer_range": 0.02, "intermediate_size": 768, "max_position_embeddings": 256,
  "model_type": "llama", "num_attention_heads": 6, "num_hidden_layers": 6, "num_key_value_heads": 6,
  "rms_norm_eps": 1e-05, "rope_scaling": null, "tie_word_embeddings": true, "vocab_size": 32000})";

std::string replaced(std::string text, std::string_view from, std::string_view to) {
    return text.replace(text.find(from), from.size(), to);
}

TEST(HfConfig, WhatIsWrittenReadsBackEqual) {
    for (const Family& family : kFamilies) {
        ModelConfig config = find_preset("nexa-small")->with_vocab(1000);
        config.family = &family;
        config.kv_heads = 2;
        config.rope_theta = 500000.0;
        config.eos_id = 7;
        const auto read = parse_hf_config(hf_config_text(config));
        ASSERT_TRUE(read) << read.error().to_string();
        EXPECT_EQ(*read, config);
    }
}

TEST(HfConfig, ReadsAPublishedModelsFile) {
    const auto config = parse_hf_config(kLlama2);
    ASSERT_TRUE(config) << config.error().to_string();
    EXPECT_EQ(config->hidden, 288);
    EXPECT_EQ(config->head_dim, 48);
    EXPECT_EQ(config->rope_theta, 10000.0);
    EXPECT_EQ(config->eos_id, 2);
    EXPECT_EQ(config->pad_id, std::nullopt);
    EXPECT_TRUE(config->tied_embeddings);
}

TEST(HfConfig, ReadsRopeThetaFromTheNewerObject) {
    const auto config = parse_hf_config(replaced(
        std::string(kLlama2),
        R"("rope_scaling": null)",
        R"("rope_parameters": {"rope_theta": 5e5, "rope_type": "default"})"
    ));
    ASSERT_TRUE(config) << config.error().to_string();
    EXPECT_EQ(config->rope_theta, 5e5);
}

TEST(HfConfig, TakesTheFirstOfSeveralEndTokens) {
    const auto config = parse_hf_config(
        replaced(std::string(kLlama2), R"("eos_token_id": 2)", R"("eos_token_id": [128, 9])")
    );
    ASSERT_TRUE(config) << config.error().to_string();
    EXPECT_EQ(config->eos_id, 128);
}

struct Refused {
    const char* key;
    const char* from;
    const char* to;
};

class HfConfigRefuses : public testing::TestWithParam<Refused> {};

TEST_P(HfConfigRefuses, WhatTheDecoderDoesNotCompute) {
    const auto config =
        parse_hf_config(replaced(std::string(kLlama2), GetParam().from, GetParam().to));
    ASSERT_FALSE(config);
    EXPECT_EQ(config.error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(config.error().param, GetParam().key);
}

INSTANTIATE_TEST_SUITE_P(
    Keys,
    HfConfigRefuses,
    testing::Values(
        Refused{"architectures", "LlamaForCausalLM", "BertModel"},
        Refused{"hidden_act", "\"silu\"", "\"gelu\""},
        Refused{
            "rope_scaling",
            R"("rope_scaling": null)",
            R"("rope_scaling": {"type": "linear", "factor": 2})"
        },
        Refused{"rope_scaling", R"("rope_scaling": null)", R"("rope_scaling": [1])"},
        Refused{"attention_bias", R"("rope_scaling": null)", R"("attention_bias": true)"},
        Refused{"vocab_size", R"("vocab_size": 32000)", R"("x": 1)"},
        Refused{"hidden_size", "288", "1e300"},
        Refused{"hidden_size", "288", "18446744073709551615"},
        Refused{"layers", R"("num_hidden_layers": 6)", R"("num_hidden_layers": 0)"},
        Refused{"heads", R"("num_attention_heads": 6)", R"("num_attention_heads": 0)"},
        Refused{"tie_word_embeddings", "true", "\"yes\""},
        Refused{"eos_id", R"("eos_token_id": 2)", R"("eos_token_id": 32000)"}
    )
);

TEST(HfConfig, RefusesWhatIsNoObject) {
    for (const char* text : {"", "[]", "{", "nul", "{\"a\":}"}) {
        const auto config = parse_hf_config(text);
        ASSERT_FALSE(config) << text;
        EXPECT_EQ(config.error().code, ErrorCode::kMalformed) << text;
    }
}

}  // namespace
}  // namespace nexa::models
