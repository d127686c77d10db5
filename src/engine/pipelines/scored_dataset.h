// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "engine/columnar/dataset_reader.h"
#include "engine/columnar/parquet_writer.h"
#include "engine/pipelines/audit_row.h"
#include "engine/pipelines/lines_file.h"

namespace nexa::pipelines {

/// One thing an audit found.
struct AuditFinding {
    std::string file;
    std::int64_t number = 0;  ///< in the file; 0: all of it
    std::string field;        ///< empty: the whole row
    std::string_view rule;    ///< a lint rule, a quality rule, "duplicate" or "unreadable"
    std::string_view severity;
    std::string message;
};

/// Writes the dataset that an audit leaves: scored.parquet, findings.jsonl, schema.json and
/// preview.jsonl, as docs/formats/audit.md describes them. Blocks on the disk. One thread.
class ScoredDataset {
public:
    /// `folder` exists. Errors: kUnavailable (disk full), here and below.
    static Result<ScoredDataset> create(
        const std::filesystem::path& folder, columnar::RowFormat format
    );

    Status add_row(std::int64_t number, const columnar::SourceRow& row, const RowVerdict& verdict);
    /// Past a million findings only counts.
    Status add_finding(const AuditFinding& finding);
    Status finish();

    std::int64_t findings() const { return findings_; }
    /// The first of each rule, for people.
    const std::vector<AuditFinding>& examples() const { return examples_; }

private:
    ScoredDataset(columnar::ParquetWriter rows, LinesFile findings, LinesFile preview)
        : rows_(std::move(rows)),
          findings_file_(std::move(findings)),
          preview_(std::move(preview)) {}
    Status write_preview(
        std::int64_t number, const columnar::SourceRow& row, const RowVerdict& verdict
    );

    columnar::ParquetWriter rows_;
    LinesFile findings_file_;
    LinesFile preview_;
    std::int64_t previewed_ = 0;
    std::int64_t findings_ = 0;
    std::vector<AuditFinding> examples_;
};

}  // namespace nexa::pipelines
