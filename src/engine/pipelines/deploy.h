// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/result.h"
#include "engine/pipelines/pipeline.h"

namespace nexa::pipelines {

/// Makes a checkpoint ready to be served: a folder in Hugging Face's layout with weights, config,
/// tokenizer and generation_config.json, which is then loaded anew and has to answer a prompt with
/// finite logits. deployment.json beside them says of what, and what the answer was. Where the
/// model is reached is for the control plane to say: inference_url stays empty.
/// Errors: kInvalidArgument (no checkpoint, a broken or unsuitable one), kMalformed, kNotFound
/// (a file is missing), kUnavailable (disk), kCancelled.
Result<protocol::EngineResult> run_deploy(Job& job);

}  // namespace nexa::pipelines
