// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <filesystem>
#include <string_view>

#include <ATen/core/grad_mode.h>

#include "core/check.h"
#include "engine/pipelines/local_model.h"
#include "text/bpe_trainer.h"

namespace nexa::pipelines {

/// A tokenizer of bytes and a few pairs, digits single, in the form of plain prompts.
inline models::TextCodec tiny_codec() {
    constexpr std::array<std::string_view, 2> kTexts{
        "the line of the line of the text", "what is this and what is that"
    };
    auto tokenizer = text::train_bpe(
        kTexts,
        {
            .vocabulary_size = 270,
            .special_tokens = text::special_tokens_of(text::ChatFormat::kPlain),
            .pretokenizer = {.digits = text::DigitRule::kSingle},
        }
    );
    NEXA_CHECK(tokenizer.has_value());
    auto codec = models::TextCodec::create(text::ChatFormat::kPlain, *std::move(tokenizer));
    NEXA_CHECK(codec.has_value());
    return *std::move(codec);
}

/// A model of a few thousand random weights with that tokenizer; it knows nothing, but is quick.
inline nets::LanguageModel tiny_model(std::uint64_t seed = 1) {
    models::TextCodec codec = tiny_codec();
    const models::ModelConfig config{
        .layers = 2,
        .hidden = 16,
        .heads = 4,
        .kv_heads = 2,
        .head_dim = 4,
        .ffn = 24,
        .vocab = codec.tokenizer().vocabulary_size(),
        .max_positions = 64,
    };
    auto decoder = nets::Decoder::create(config, seed);
    NEXA_CHECK(decoder.has_value());
    return {.decoder = *std::move(decoder), .codec = std::move(codec)};
}

/// Every parameter becomes `value`. With 0, each token is as likely as any other.
inline void fill_weights(const nets::LanguageModel& model, double value) {
    const at::NoGradGuard no_grad;
    for (const nets::Parameter& parameter : model.decoder.parameters()) {
        at::Tensor weights = parameter.value;
        weights.fill_(value);
    }
}

inline void save_model(const nets::LanguageModel& model, const std::filesystem::path& folder) {
    NEXA_CHECK(nets::export_language_model(folder, model, nets::StoredAs::kFloat32).has_value());
}

}  // namespace nexa::pipelines
