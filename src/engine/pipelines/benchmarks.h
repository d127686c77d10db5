// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>

#include "core/result.h"
#include "engine/columnar/dataset_reader.h"
#include "engine/pipelines/local_model.h"
#include "engine/pipelines/pipeline.h"
#include "evaluation/report.h"
#include "protocol/evaluate_spec.h"

namespace nexa::pipelines {

/// A file of lines, items.jsonl. Blocks on the disk.
class ItemsFile {
public:
    /// Errors: kUnavailable, in all of its functions.
    static Result<ItemsFile> create(std::filesystem::path path);
    Status add(const std::string& line);
    Status finish();

private:
    explicit ItemsFile(std::filesystem::path path) : path_(std::move(path)) {}
    Status check() const;

    std::filesystem::path path_;
    std::ofstream file_;
};

/// What a benchmark works with.
struct BenchmarkWork {
    Job& job;
    const protocol::EvaluateSpec& spec;
    const nets::LanguageModel& model;
    columnar::DatasetReader& rows;
    ItemsFile& items;
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
