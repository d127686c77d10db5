// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

#include "models/config.h"

namespace nexa::models {

/// Sizes under a name. The vocabulary comes from the tokenizer, so a preset has none.
struct Preset {
    std::string_view name;
    std::string_view summary;
    ModelConfig sizes;

    ModelConfig with_vocab(std::int64_t vocab) const;
};

std::span<const Preset> presets();

/// Errors: kNotFound with the nearest name, or all names when none is near.
Result<Preset> find_preset(std::string_view name);

}  // namespace nexa::models
