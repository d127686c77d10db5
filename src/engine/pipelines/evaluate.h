// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/pipelines/pipeline.h"

namespace nexa::pipelines {

/// Measures the model in inputs/model on the test split of inputs/dataset and leaves an artifact
/// with report.html, scores.json and a line an item in items.jsonl.
///
/// Benchmark `heldout`: the model answers, and an answer is right if it equals the row's but for
/// white space around it; in the domains that a program can solve it is solved anew too. Benchmark
/// `perplexity`: loss, perplexity and bits per byte of the text, or of the answers where rows have
/// such. The same spec gives the same numbers.
/// Errors: kInvalidArgument (an input is missing, rows that the benchmark cannot use, a broken
/// model), kMalformed (a row, named), kNotFound, kUnavailable, kCancelled.
Result<protocol::EngineResult> run_evaluate(Job& job);

}  // namespace nexa::pipelines
