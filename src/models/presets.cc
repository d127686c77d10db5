// SPDX-License-Identifier: Apache-2.0
#include "models/presets.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

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

std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t substituted = diagonal + (a[i - 1] == b[j - 1] ? 0U : 1U);
            diagonal = row[j];
            row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
        }
    }
    return row.back();
}

std::string advice_for(std::string_view name) {
    constexpr std::size_t kLongestName = 64;
    std::size_t least = std::numeric_limits<std::size_t>::max();
    std::string_view nearest;
    std::string all;
    for (const Preset& preset : kPresets) {
        all += fmt::format("{}{}", all.empty() ? "" : ", ", preset.name);
        const std::size_t distance = edit_distance(name.substr(0, kLongestName), preset.name);
        if (distance < least) {
            least = distance;
            nearest = preset.name;
        }
    }
    constexpr std::size_t kNear = 3;
    return least <= kNear ? fmt::format("did you mean {}?", nearest)
                          : fmt::format("there are {}", all);
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
