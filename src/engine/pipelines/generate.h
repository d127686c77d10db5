// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/pipelines/pipeline.h"

namespace nexa::pipelines {

/// Makes a dataset: verifiable problems of a built-in domain, or questions about the user's own
/// text (domain `documents`, with a dataset of .txt and .md files). The same spec with the same
/// seed gives the same bytes. Errors: kInvalidArgument (options, too many rows for the domain),
/// kUnavailable (a subject that needs a teacher).
Result<protocol::EngineResult> run_generate(Job& job);

}  // namespace nexa::pipelines
