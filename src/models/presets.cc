// SPDX-License-Identifier: Apache-2.0
#include "models/presets.h"

#include <algorithm>
#include <string>
#include <vector>

#include <fmt/ranges.h>

#include "core/near_name.h"

namespace nexa::models {
namespace {

constexpr ModelConfig llama_sizes(
    std::int64_t layers,
    std::int64_t hidden,
    std::int64_t heads,
    std::int64_t ffn,
    std::int64_t max_positions
) {
    return {
        .layers = layers,
        .hidden = hidden,
        .heads = heads,
        .kv_heads = heads,
        .head_dim = hidden / heads,
        .ffn = ffn,
        .max_positions = max_positions,
        .tied_embeddings = true,
    };
}

/// With heads of 16 and texts of a few dozen tokens, most of the usual angles (base 10000) are all
/// but zero, and neighbours cannot be told apart: some seeds then never learn which digit is which.
constexpr ModelConfig for_short_texts(ModelConfig sizes) {
    sizes.rope_theta = 10.0;
    return sizes;
}

constexpr std::array<Preset, 4> kPresets{{
    {"nexa-tiny",
     "0.15 M parameters: learns short symbolic tasks in a minute of CPU",
     for_short_texts(llama_sizes(3, 64, 4, 176, 256))},
    {"nexa-small",
     "0.6 M parameters: arithmetic, sorting and string tasks on a laptop",
     llama_sizes(3, 128, 4, 344, 512)},
    {"nexa-medium",
     "11 M parameters without the embedding: short stories with a BPE of 8 K",
     llama_sizes(6, 384, 6, 1024, 1024)},
    {"nexa-base",
     "85 M parameters without the embedding: GPT-2's size, for a GPU",
     llama_sizes(12, 768, 12, 2048, 2048)},
}};

std::string advice_for(std::string_view name) {
    std::vector<std::string_view> names(kPresets.size());
    std::ranges::transform(kPresets, names.begin(), &Preset::name);
    const auto near = nearest(name, names);
    return near ? fmt::format("did you mean {}?", *near)
                : fmt::format("there are {}", fmt::join(names, ", "));
}

}  // namespace

ModelConfig Preset::with_vocab(std::int64_t vocab) const {
    ModelConfig config = sizes;
    config.vocab = vocab;
    return config;
}

std::span<const Preset> presets() {
    return kPresets;
}

Result<Preset> find_preset(std::string_view name) {
    const auto* found = std::ranges::find(kPresets, name, &Preset::name);
    if (found == kPresets.end()) {
        return Error::not_found("there is no model preset '{}'", name.substr(0, 100))
            .hint(advice_for(name));
    }
    return *found;
}

}  // namespace nexa::models
