// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/pipelines/pipeline.h"

namespace nexa::pipelines {

/// Trains a decoder on a dataset: from random weights in a preset's sizes, with a tokenizer learned
/// on the data, or from a model in inputs/model with its own. Documents: loss on every token;
/// conversations and pairs: on the answers.
///
/// Run again in the same folder it goes on from its newest checkpoint and, on a CPU with as many
/// threads, ends with the bytes of an uninterrupted run. Errors: kInvalidArgument (spec, rows, a
/// loss that is not finite), kNotFound (preset, with the near name), kMalformed, kUnavailable.
Result<protocol::EngineResult> run_train(Job& job);

}  // namespace nexa::pipelines
