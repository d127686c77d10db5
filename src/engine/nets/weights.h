// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "core/result.h"
#include "engine/nets/decoder.h"
#include "engine/nets/parameters.h"
#include "models/safetensors.h"

namespace nexa::nets {

/// How weights are stored. Training keeps float32; exports may halve.
enum class StoredAs : std::uint8_t { kFloat32, kBfloat16, kFloat16 };

/// Writes every parameter under its name and flushes to disk. Errors: kUnavailable.
Status save_parameters(
    const std::filesystem::path& path, const Parameters& parameters, StoredAs stored_as
);

/// Overwrites every parameter with the tensor of its name; F32, BF16, F16 and F64 are converted.
/// Nothing is changed unless all fit. Errors: kInvalidArgument (a tensor is missing, left over or
/// of another shape or type). A stored lm_head.weight is skipped where the head is tied.
Status load_parameters(const models::Safetensors& file, const Parameters& parameters);

/// A folder in Hugging Face's layout: config.json and model.safetensors. Errors: kNotFound,
/// kMalformed, kInvalidArgument, kUnavailable.
Result<Decoder> load_decoder(const std::filesystem::path& folder);

/// Writes config.json alone. Errors: kUnavailable.
Status write_config(
    const std::filesystem::path& folder, const models::ModelConfig& config, StoredAs stored_as
);

/// Writes that folder (made if absent). The caller adds the tokenizer's files. Errors:
/// kUnavailable.
Status export_decoder(
    const std::filesystem::path& folder, const Decoder& decoder, StoredAs stored_as
);

}  // namespace nexa::nets
