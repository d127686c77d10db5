// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/nets/language_model.h"
#include "engine/pipelines/pipeline.h"
#include "engine/pipelines/training_rows.h"
#include "protocol/train_spec.h"

namespace nexa::pipelines {

/// What a training begins with: the model in inputs/model, or one with random weights in the sizes
/// of the spec's preset and a tokenizer learned on the dataset. On the device and in the arithmetic
/// that training is to use. Errors: kNotFound (preset), kInvalidArgument (tokenizer, vocabulary),
/// those of the files.
Result<nets::LanguageModel> make_starting_model(
    const Job& job,
    const std::filesystem::path& dataset,
    const protocol::TrainSpec& spec,
    const RowsProgress& progress
);

}  // namespace nexa::pipelines
