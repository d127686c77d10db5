// SPDX-License-Identifier: Apache-2.0
#include "engine/pipelines/audit.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/file.h"
#include "core/json.h"
#include "data/quality_score.h"
#include "engine/columnar/dataset_reader.h"
#include "engine/pipelines/audit_report.h"
#include "engine/pipelines/audit_row.h"
#include "engine/pipelines/audit_totals.h"
#include "engine/pipelines/scored_dataset.h"
#include "protocol/audit_spec.h"
#include "protocol/job_results.h"

namespace nexa::pipelines {

namespace {

using columnar::BadRow;
using columnar::DatasetReader;
using columnar::SourceRow;
using protocol::AuditSpec;

constexpr std::string_view kError = "error";
constexpr std::string_view kWarning = "warning";
constexpr std::int64_t kRowsPerCheck = 64;

/// The job's log names so many bad rows; the report names all.
constexpr int kUnreadableSaid = 10;

/// What goes through the loop over the rows.
struct Audit {
    Job& job;
    RowAuditor auditor;
    AuditTotals totals = {};
    std::vector<BadRow> unreadable = {};  ///< reported, and not yet written
    int unreadable_said = 0;              ///< in the job's log
};

Result<DatasetReader> open_dataset(
    const std::filesystem::path& folder, const AuditSpec& spec, Audit& audit
) {
    const auto format = columnar::row_format_from(spec.format);
    if (!format) {
        return Error::invalid_argument("there is no row format '{}'", spec.format).at("format");
    }
    return DatasetReader::open(
        folder,
        {
            .format = *format,
            .rows_max = spec.max_rows,
            .on_bad_row = columnar::OnBadRow::kReport,
            .report = [&](const BadRow& bad) { audit.unreadable.push_back(bad); },
        }
    );
}

Status add_findings(ScoredDataset& scored, const SourceRow& row, const RowVerdict& verdict) {
    AuditFinding finding{.file = row.file, .number = row.number};
    for (const data::LintFinding& found : verdict.lint) {
        finding.field = found.field;
        finding.rule = data::to_string(found.rule);
        finding.severity =
            data::severity_of(found.rule) == data::LintSeverity::kError ? kError : kWarning;
        finding.message = found.message;
        TRY_STATUS(scored.add_finding(finding));
    }
    finding.field.clear();
    finding.severity = kWarning;
    if (verdict.duplicate_of) {
        finding.rule = "duplicate";
        finding.message = fmt::format("is the same as row {} of the audit", *verdict.duplicate_of);
        TRY_STATUS(scored.add_finding(finding));
    }
    if (verdict.filter_reason && !verdict.filter_reason->empty()) {
        finding.rule = *verdict.filter_reason;
        finding.message = "the quality rules drop this document";
        TRY_STATUS(scored.add_finding(finding));
    }
    return {};
}

Status write_unreadable(Audit& audit, ScoredDataset& scored) {
    for (const BadRow& bad : audit.unreadable) {
        audit.totals.add_unreadable();
        if (audit.unreadable_said < kUnreadableSaid) {
            ++audit.unreadable_said;
            audit.job.events.say(
                "audit", fmt::format("{}:{}: {}", bad.file, bad.number, bad.message)
            );
        }
        TRY_STATUS(scored.add_finding({
            .file = bad.file,
            .number = bad.number,
            .field = {},
            .rule = "unreadable",
            .severity = kError,
            .message = bad.message,
        }));
    }
    audit.unreadable.clear();
    return {};
}

Status audit_rows(Audit& audit, DatasetReader& reader, ScoredDataset& scored) {
    const std::int64_t expected = reader.rows_total();
    for (std::int64_t number = 1;; ++number) {
        if (number % kRowsPerCheck == 1) {
            TRY_STATUS(audit.job.cancel.check());
        }
        TRY(const auto row, reader.next());
        TRY_STATUS(write_unreadable(audit, scored));
        if (!row) {
            const std::int64_t rows = number - 1;
            audit.job.events.progress(
                {.phase = "audit", .done = rows, .total = rows, .unit = "rows"}
            );
            return {};
        }
        TRY(const RowVerdict verdict, audit.auditor.judge(number, row->row));
        audit.totals.add(verdict, row->split);
        TRY_STATUS(scored.add_row(number, *row, verdict));
        TRY_STATUS(add_findings(scored, *row, verdict));
        audit.job.events.progress({
            .phase = "audit",
            .done = number,
            .total = std::max(expected, number + 1),
            .unit = "rows",
        });
    }
}

Status check_score(const AuditSpec& spec, const data::QualityScore& score) {
    if (!spec.min_score || score.overall >= *spec.min_score) {
        return {};
    }
    return Error::invalid_argument(
               "the dataset scores {:.2f} ({}), and at least {:.2f} is asked for",
               score.overall,
               score.tier,
               *spec.min_score
    )
        .at("min_score")
        .hint("audit it without min_score to see what is wrong with which rows");
}

/// The job's result, but for what only its folder knows: the id, and where the files will be.
protocol::EngineResult result_of(const Job& job, protocol::AuditResult audited) {
    const std::string id = job.artifact_id("dataset");
    audited.dataset_id = id;
    audited.scored_dataset_uri = fmt::format("internal://{}/scored.parquet", id);
    audited.report_uri = fmt::format("internal://{}/report.html", id);
    protocol::EngineResult ended;
    ended.result = JsonText{to_json(audited)};
    ended.outputs.push_back({
        .artifact_id = id,
        .kind = "dataset",
        .path = "dataset",
        .name = "audited",
        .metrics = std::move(audited.metrics),
    });
    ended.outputs.back().metrics["overall_quality_score"] = audited.overall_quality_score;
    return ended;
}

}  // namespace

Result<protocol::EngineResult> run_audit(Job& job) {
    TRY(const auto spec, from_json<AuditSpec>(job.spec.payload.text));
    const auto input = job.input("dataset");
    if (!input) {
        return Error::invalid_argument("no dataset was given to audit")
            .at("dataset_uri")
            .hint("upload one with `nexa artifact push` and give its id");
    }
    TRY(TokenCounter tokens, TokenCounter::create(spec.tokenizer, *input));
    Audit audit{.job = job, .auditor = RowAuditor(std::move(tokens))};
    TRY(DatasetReader reader, open_dataset(*input, spec, audit));
    TRY(const auto folder, job.make_output("dataset"));
    TRY(ScoredDataset scored, ScoredDataset::create(folder, reader.format()));
    TRY_STATUS(audit_rows(audit, reader, scored));
    TRY_STATUS(scored.finish());

    TRY(const data::QualityScore score, data::quality_score(audit.totals.components()));
    TRY(auto metrics, audit.totals.metrics());
    metrics["findings"] = static_cast<double>(scored.findings());
    const std::string report = to_html({
        .dataset = spec.dataset_uri,
        .format = std::string(to_string(reader.format())),
        .tokenizer = spec.tokenizer.value_or("bytes"),
        .score = score,
        .totals = audit.totals,
        .examples = scored.examples(),
    });
    TRY_STATUS(write_file_atomically(folder / "report.html", report));
    TRY_STATUS(check_score(spec, score));
    protocol::EngineResult ended = result_of(
        job,
        {
            .overall_quality_score = score.overall,
            .quality_tier = std::string(score.tier),
            .row_format = std::string(to_string(reader.format())),
            .metrics = std::move(metrics),
        }
    );
    ended.usage.audited_rows = audit.totals.rows() + audit.totals.unreadable();
    return ended;
}

}  // namespace nexa::pipelines
