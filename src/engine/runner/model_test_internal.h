// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>

#include "core/check.h"
#include "engine/nets/weights.h"
#include "engine/runner/serving_model.h"
#include "fakes/temp_folder.h"
#include "text/bpe_trainer.h"

namespace nexa::runner {

/// A model that always goes on in one way: every token has one successor. After "\n", which ends
/// the prompt of a ChatML turn, it says "Hé, 2€." and ends; after a letter it says the alphabet
/// for ever.
inline constexpr std::string_view kAnswer = "H\u00e9, 2\u20ac.";

/// Which byte follows which; -1: the end of the answer, 0: whatever.
inline std::vector<int> successors() {
    std::vector<int> next(256, 'a');
    for (int letter = 'a'; letter <= 'z'; ++letter) {
        next[static_cast<std::size_t>(letter)] = letter == 'z' ? 'a' : letter + 1;
    }
    auto from = static_cast<unsigned char>('\n');
    for (const char byte : kAnswer) {
        next[from] = static_cast<unsigned char>(byte);
        from = static_cast<unsigned char>(byte);
    }
    next[from] = -1;
    return next;
}

struct TestModelOptions {
    std::int64_t max_positions = 64;
    float sharpness = 1.0F;  ///< of the distribution; the successor is always the likeliest
};

/// A folder with that model.
class TestModelFolder {
public:
    explicit TestModelFolder(const TestModelOptions& options = {}) {
        at::set_num_threads(1);
        const std::vector<std::string_view> nothing{"x"};
        auto tokenizer = text::train_bpe(
            nothing,
            {.vocabulary_size = 256 + 3,
             .special_tokens = text::special_tokens_of(text::ChatFormat::kChatMl)}
        );
        NEXA_CHECK(tokenizer.has_value());
        auto codec = models::TextCodec::create(text::ChatFormat::kChatMl, *tokenizer);
        NEXA_CHECK(codec.has_value() && codec->save(path()).has_value());
        write_weights(*codec, options);
    }

    const std::filesystem::path& path() const { return folder_.path(); }

private:
    /// Blocks that add nothing, an embedding of unit vectors, and a head that points from each
    /// token to its successor.
    void write_weights(const models::TextCodec& codec, const TestModelOptions& options) {
        const std::int64_t vocab = codec.tokenizer().vocabulary_size();
        const models::ModelConfig config{
            .layers = 1,
            .hidden = 264,
            .heads = 4,
            .kv_heads = 2,
            .head_dim = 66,
            .ffn = 8,
            .vocab = vocab,
            .max_positions = options.max_positions,
        };
        auto decoder = nets::Decoder::create(config, 1);
        NEXA_CHECK(decoder.has_value());
        const at::NoGradGuard no_grad;
        at::Tensor embedding;
        at::Tensor head;
        for (const auto& parameter : decoder->parameters()) {
            at::Tensor values = parameter.value;
            if (parameter.name == "model.embed_tokens.weight") {
                embedding = values.zero_();
            } else if (parameter.name == "lm_head.weight") {
                head = values.zero_();
            } else if (parameter.name.find("norm") == std::string::npos) {
                values.zero_();
            }
        }
        NEXA_CHECK(embedding.defined() && head.defined() && vocab <= config.hidden);
        const std::vector<int> next = successors();
        for (std::int64_t id = 0; id < vocab; ++id) {
            embedding[id][id] = 1.0F;
            const auto narrow = static_cast<std::int32_t>(id);
            const std::string_view bytes = codec.tokenizer().token_of(narrow).value_or("");
            const int after = bytes.size() == 1 ? next[static_cast<unsigned char>(bytes[0])] : 'a';
            const char byte = static_cast<char>(after);
            const std::int64_t to =
                after < 0 ? codec.end_id() : codec.tokenizer().id_of({&byte, 1}).value_or(0);
            head[to][id] = options.sharpness;
        }
        NEXA_CHECK(nets::export_decoder(path(), *decoder, nets::StoredAs::kFloat32).has_value());
    }

    fakes::TempFolder folder_;
};

}  // namespace nexa::runner
