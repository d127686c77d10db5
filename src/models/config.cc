// SPDX-License-Identifier: Apache-2.0
#include "models/config.h"

#include <cmath>

namespace nexa::models {
namespace {

struct SizeRule {
    std::string_view name;
    std::int64_t ModelConfig::* member;
    std::int64_t most;
};

// Far above any model there is, and small enough that no product of three overflows.
constexpr std::array<SizeRule, 8> kSizes{{
    {"layers", &ModelConfig::layers, 1'000},
    {"hidden", &ModelConfig::hidden, 1 << 17},
    {"heads", &ModelConfig::heads, 1 << 12},
    {"kv_heads", &ModelConfig::kv_heads, 1 << 12},
    {"head_dim", &ModelConfig::head_dim, 1 << 12},
    {"ffn", &ModelConfig::ffn, 1 << 19},
    {"vocab", &ModelConfig::vocab, 1 << 22},
    {"max_positions", &ModelConfig::max_positions, 1 << 24},
}};

Status check_token(std::string_view name, std::optional<std::int64_t> id, std::int64_t vocab) {
    if (id && (*id < 0 || *id >= vocab)) {
        return Error::invalid_argument("must lie in [0, {}), is {}", vocab, *id).at(name);
    }
    return ok();
}

}  // namespace

std::int64_t ModelConfig::parameter_count() const {
    const std::int64_t queries = heads * head_dim;
    const std::int64_t keys = kv_heads * head_dim;
    const std::int64_t bias = family->attention_bias ? queries + 2 * keys : 0;
    const std::int64_t attention = 2 * hidden * queries + 2 * hidden * keys + bias;
    const std::int64_t block = attention + 3 * hidden * ffn + 2 * hidden;
    const std::int64_t embedding = vocab * hidden;
    return embedding * (tied_embeddings ? 1 : 2) + layers * block + hidden;
}

Status ModelConfig::validate() const {
    for (const SizeRule& rule : kSizes) {
        const std::int64_t value = this->*rule.member;
        if (value < 1 || value > rule.most) {
            return Error::invalid_argument("must lie in [1, {}], is {}", rule.most, value)
                .at(rule.name);
        }
    }
    if (heads % kv_heads != 0) {
        return Error::invalid_argument("must divide heads ({}), is {}", heads, kv_heads)
            .at("kv_heads");
    }
    if (head_dim % 2 != 0) {
        return Error::invalid_argument("must be even for rotary positions, is {}", head_dim)
            .at("head_dim");
    }
    if (!std::isfinite(rope_theta) || rope_theta <= 1.0) {
        return Error::invalid_argument("must be above 1, is {}", rope_theta).at("rope_theta");
    }
    if (!std::isfinite(norm_epsilon) || norm_epsilon <= 0.0 || norm_epsilon > 0.1) {
        return Error::invalid_argument("must lie in (0, 0.1], is {}", norm_epsilon)
            .at("norm_epsilon");
    }
    TRY_STATUS(check_token("bos_id", bos_id, vocab));
    TRY_STATUS(check_token("eos_id", eos_id, vocab));
    return check_token("pad_id", pad_id, vocab);
}

}  // namespace nexa::models
