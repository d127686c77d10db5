// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/result.h"
#include "engine/pipelines/pipeline.h"
#include "protocol/engine.h"

namespace nexa::pipelines {

/// Reads a whole dataset, says what is wrong with each row and scores it: protocol::AuditSpec to
/// protocol::AuditResult. Leaves a dataset of the same rows with their verdicts (scored.parquet),
/// all findings (findings.jsonl) and a report for people (report.html); docs/formats/audit.md.
///
/// A row that cannot be read is a finding, not an error. Errors: those of DatasetReader::open;
/// kInvalidArgument for an unknown tokenizer or a score below `min_score`; kCancelled; kUnavailable
/// (disk full). Memory: 33 bytes a row, and one row group.
Result<protocol::EngineResult> run_audit(Job& job);

}  // namespace nexa::pipelines
