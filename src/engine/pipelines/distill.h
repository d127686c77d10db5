// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/pipelines/pipeline.h"

namespace nexa::pipelines {

/// Lets a teacher answer the prompts of a dataset's training split, several times each where asked,
/// keeps the answers that the selection accepts, and writes them as a dataset to train on. The
/// validation and test rows come along with their own answers, so that a student is measured on
/// what its teacher never answered.
///
/// Run again in the same folder it asks nothing twice, and the same spec with the same seed gives
/// the same rows. Errors: kInvalidArgument (spec, rows), kUnavailable (a teacher that is neither
/// staged nor reachable), those of the teacher's files, kCancelled.
Result<protocol::EngineResult> run_distill(Job& job);

}  // namespace nexa::pipelines
