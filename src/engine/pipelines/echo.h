// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/pipelines/pipeline.h"

namespace nexa::pipelines {

/// Says a message back, with as many events, as slowly and with as big an output as asked: a job
/// for tests.
Result<protocol::EngineResult> run_echo(Job& job);

}  // namespace nexa::pipelines
