// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "models/config.h"

namespace nexa::models {

/// Reads the text of a Hugging Face config.json. Keys that do not change what the model computes
/// are ignored; keys that ask for something the decoder does not compute are refused.
/// Errors: kMalformed (no JSON object), kInvalidArgument (missing, out of range or unsupported),
/// each naming the key.
Result<ModelConfig> parse_hf_config(std::string_view text);

/// The config.json that `transformers` loads as this model, with weights stored as `dtype`. Same
/// arguments, same bytes.
std::string hf_config_text(const ModelConfig& config, std::string_view dtype = "float32");

}  // namespace nexa::models
