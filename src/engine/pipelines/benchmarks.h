// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "core/result.h"
#include "engine/columnar/dataset_reader.h"
#include "engine/pipelines/lines_file.h"
#include "engine/pipelines/local_model.h"
#include "engine/pipelines/pipeline.h"
#include "evaluation/report.h"
#include "protocol/evaluate_spec.h"

namespace nexa::pipelines {

/// What a benchmark works with.
struct BenchmarkWork {
    Job& job;
    const protocol::EvaluateSpec& spec;
    const nets::LanguageModel& model;
    columnar::DatasetReader& rows;
    LinesFile& items;  ///< items.jsonl
};

struct BenchmarkOutcome {
    evaluation::Report report;  ///< its scores are the result's
    std::int64_t samples = 0;   ///< lines of items.jsonl
    protocol::Usage usage;
};

// Each reads all rows and writes a line an item. Errors: as run_evaluate.

/// Exact match by generation.
Result<BenchmarkOutcome> run_heldout(const BenchmarkWork& work);
/// Loss, perplexity and bits per byte.
Result<BenchmarkOutcome> run_perplexity(const BenchmarkWork& work);

}  // namespace nexa::pipelines
