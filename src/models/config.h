// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/result.h"

namespace nexa::models {

/// What a family of models chooses where decoders differ. All of today's rows share RMSNorm before
/// each block, rotary positions in the half-rotation layout, grouped-query causal attention and
/// SwiGLU.
struct Family {
    std::string_view name;
    std::string_view hf_architecture;  ///< "architectures" of config.json
    std::string_view hf_model_type;
    bool attention_bias = false;  ///< q, k and v projections carry a bias
};

inline constexpr std::array<Family, 2> kFamilies{{
    {.name = "llama", .hf_architecture = "LlamaForCausalLM", .hf_model_type = "llama"},
    {
        .name = "qwen2",
        .hf_architecture = "Qwen2ForCausalLM",
        .hf_model_type = "qwen2",
        .attention_bias = true,
    },
}};

inline constexpr const Family& kLlama = kFamilies[0];

/// The sizes of one decoder-only Transformer. A plain value; validate() before building from one
/// that came from outside.
struct ModelConfig {
    const Family* family = &kLlama;  ///< a row of kFamilies, never null
    std::int64_t layers = 0;
    std::int64_t hidden = 0;
    std::int64_t heads = 0;
    std::int64_t kv_heads = 0;  ///< divides heads; fewer than heads is grouped-query attention
    std::int64_t head_dim = 0;  ///< even; usually hidden / heads
    std::int64_t ffn = 0;       ///< inner width of SwiGLU
    std::int64_t vocab = 0;
    std::int64_t max_positions = 0;  ///< tokens of context
    double rope_theta = 10000.0;
    double norm_epsilon = 1e-5;
    bool tied_embeddings = false;  ///< the head shares the embedding's weights
    std::optional<std::int64_t> bos_id = std::nullopt;
    std::optional<std::int64_t> eos_id = std::nullopt;
    std::optional<std::int64_t> pad_id = std::nullopt;

    bool operator==(const ModelConfig&) const = default;

    /// Trainable numbers; a tied head counts once. Only for a validated config.
    std::int64_t parameter_count() const;

    /// Errors: kInvalidArgument naming the field that is out of range or does not fit another.
    Status validate() const;
};

}  // namespace nexa::models
