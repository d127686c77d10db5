// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "core/result.h"
#include "engine/nets/decoder.h"
#include "engine/nets/weights.h"
#include "models/text_codec.h"

namespace nexa::nets {

/// A model as its folder holds it: the weights, and how it reads and writes text.
struct LanguageModel {
    Decoder decoder;
    models::TextCodec codec;
};

/// Reads config.json, model.safetensors, tokenizer.json and tokenizer_config.json; the weights are
/// on the processor. Blocks. Errors: kNotFound, kMalformed, kInvalidArgument (also for a tokenizer
/// with more tokens than the model has), kUnavailable.
Result<LanguageModel> load_language_model(const std::filesystem::path& folder);

/// Writes those files (the folder is made if absent), and generation_config.json for servers that
/// read Hugging Face's layout. Errors: kUnavailable.
Status export_language_model(
    const std::filesystem::path& folder, const LanguageModel& model, StoredAs stored_as
);

}  // namespace nexa::nets
