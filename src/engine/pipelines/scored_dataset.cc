// SPDX-License-Identifier: Apache-2.0
#include "engine/pipelines/scored_dataset.h"

#include <algorithm>

#include "core/file.h"
#include "core/json_writer.h"
#include "engine/pipelines/row_meta.h"

namespace nexa::pipelines {

namespace {

using columnar::Cell;
using columnar::Column;
using columnar::ColumnType;
using columnar::Nulls;
using columnar::RowFormat;

constexpr std::int64_t kPreviewRows = 100;
constexpr std::int64_t kFindingsMax = 1'000'000;
constexpr std::size_t kExamplesPerRule = 5;

struct ColumnRow {
    Column column;
    std::string_view type;
    std::string_view description;
};

std::vector<ColumnRow> row_columns(RowFormat format) {
    const auto text = [](std::string name, std::string_view description) {
        return ColumnRow{{.name = std::move(name)}, "string", description};
    };
    switch (format) {
        case RowFormat::kChat:
            return {
                {{.name = "messages", .type = ColumnType::kMessages},
                 "list<struct<role: string, content: string>>",
                 "The conversation"}
            };
        case RowFormat::kPromptCompletion:
            return {text("prompt", "What is asked"), text("completion", "What is answered")};
        case RowFormat::kQuestionAnswer:
            return {text("question", "What is asked"), text("answer", "What is answered")};
        default:
            return {text("text", "The document")};
    }
}

std::vector<ColumnRow> all_columns(RowFormat format) {
    std::vector<ColumnRow> columns{
        {{.name = "row", .type = ColumnType::kWhole}, "int64", "Number in the audit, from 1"},
        {{.name = "file"}, "string", "Where the row comes from"},
        {{.name = "number", .type = ColumnType::kWhole}, "int64", "Its line or number there"},
        {{.name = "split"}, "string", "train, validation or test"},
    };
    for (ColumnRow& column : row_columns(format)) {
        columns.push_back(std::move(column));
    }
    for (ColumnRow& column : std::vector<ColumnRow>{
             {{.name = "meta", .nulls = Nulls::kAllow}, "string", "Texts about it, as JSON"},
             {{.name = "chars", .type = ColumnType::kWhole}, "int64", "Code points of its texts"},
             {{.name = "bytes", .type = ColumnType::kWhole}, "int64", "Bytes of its texts"},
             {{.name = "tokens", .type = ColumnType::kWhole}, "int64", "Tokens of its texts"},
             {{.name = "duplicate_of", .type = ColumnType::kWhole, .nulls = Nulls::kAllow},
              "int64",
              "The first row that is the same"},
             {{.name = "lint", .type = ColumnType::kTexts}, "list<string>", "Rules it breaks"},
             {{.name = "filter_reason", .nulls = Nulls::kAllow},
              "string",
              "The quality rule that drops it"},
             {{.name = "keep", .type = ColumnType::kBoolean}, "bool", "Fit to train on"},
             {{.name = "score", .type = ColumnType::kReal}, "double", "0 to 5"},
         }) {
        columns.push_back(std::move(column));
    }
    return columns;
}

std::string schema_of(RowFormat format) {
    JsonWriter writer(2);
    writer.begin_object();
    writer.key("format");
    writer.string("parquet");
    writer.key("file");
    writer.string("scored.parquet");
    writer.key("rows_are");
    writer.string(to_string(format));
    writer.key("fields");
    writer.begin_array();
    for (const ColumnRow& row : all_columns(format)) {
        writer.begin_object();
        writer.key("name");
        writer.string(row.column.name);
        writer.key("type");
        writer.string(row.type);
        writer.key("description");
        writer.string(row.description);
        writer.end_object();
    }
    writer.end_array();
    writer.end_object();
    return writer.take() + '\n';
}

std::vector<std::string> rules_of(const RowVerdict& verdict) {
    std::vector<std::string> rules;
    rules.reserve(verdict.lint.size());
    for (const data::LintFinding& finding : verdict.lint) {
        rules.emplace_back(data::to_string(finding.rule));
    }
    std::ranges::sort(rules);
    const auto again = std::ranges::unique(rules);
    rules.erase(again.begin(), again.end());
    return rules;
}

void write_row(JsonWriter& writer, const data::DatasetRow& row) {
    if (const auto* chat = std::get_if<data::ChatRow>(&row)) {
        writer.key("messages");
        writer.begin_array();
        for (const text::ChatMessage& message : chat->messages) {
            writer.begin_object();
            writer.key("role");
            writer.string(message.role);
            writer.key("content");
            writer.string(message.content);
            writer.end_object();
        }
        writer.end_array();
        return;
    }
    for (const auto& [name, text] : texts_of(row)) {
        writer.key(name);
        writer.string(text);
    }
}

}  // namespace

Result<ScoredDataset> ScoredDataset::create(const std::filesystem::path& folder, RowFormat format) {
    std::vector<Column> columns;
    for (ColumnRow& row : all_columns(format)) {
        columns.push_back(std::move(row.column));
    }
    TRY(auto rows, columnar::ParquetWriter::create(folder / "scored.parquet", std::move(columns)));
    TRY(LinesFile findings, LinesFile::create(folder / "findings.jsonl"));
    TRY(LinesFile preview, LinesFile::create(folder / "preview.jsonl"));
    TRY_STATUS(write_file_atomically(folder / "schema.json", schema_of(format)));
    return ScoredDataset(std::move(rows), std::move(findings), std::move(preview));
}

Status ScoredDataset::add_row(
    std::int64_t number, const columnar::SourceRow& row, const RowVerdict& verdict
) {
    const std::vector<std::string> rules = rules_of(verdict);
    const std::string meta = meta_json(row.meta);
    std::vector<Cell> cells{
        number, std::string_view(row.file), row.number, data::to_string(row.split)
    };
    if (const auto* chat = std::get_if<data::ChatRow>(&row.row)) {
        cells.emplace_back(std::span(chat->messages));
    } else {
        for (const auto& [name, text] : texts_of(row.row)) {
            cells.emplace_back(text);
        }
    }
    cells.push_back(row.meta.empty() ? Cell() : Cell(std::string_view(meta)));
    cells.insert(cells.end(), {verdict.chars, verdict.bytes, verdict.tokens});
    cells.push_back(verdict.duplicate_of ? Cell(*verdict.duplicate_of) : Cell());
    cells.emplace_back(std::span(rules));
    const bool dropped = verdict.filter_reason && !verdict.filter_reason->empty();
    cells.push_back(dropped ? Cell(*verdict.filter_reason) : Cell());
    cells.insert(cells.end(), {verdict.keep, verdict.score});
    TRY_STATUS(rows_.add(cells));
    return previewed_ < kPreviewRows ? write_preview(number, row, verdict) : Status();
}

Status ScoredDataset::write_preview(
    std::int64_t number, const columnar::SourceRow& row, const RowVerdict& verdict
) {
    ++previewed_;
    JsonWriter writer;
    writer.begin_object();
    writer.key("row");
    writer.whole(number);
    writer.key("file");
    writer.string(row.file);
    writer.key("number");
    writer.whole(row.number);
    writer.key("split");
    writer.string(data::to_string(row.split));
    write_row(writer, row.row);
    writer.key("tokens");
    writer.whole(verdict.tokens);
    writer.key("keep");
    writer.boolean(verdict.keep);
    writer.key("score");
    writer.real(verdict.score);
    writer.end_object();
    return preview_.add(writer.take());
}

Status ScoredDataset::add_finding(const AuditFinding& finding) {
    const auto same_rule = [&](const AuditFinding& other) { return other.rule == finding.rule; };
    if (std::ranges::count_if(examples_, same_rule) <
        static_cast<std::ptrdiff_t>(kExamplesPerRule)) {
        examples_.push_back(finding);
    }
    if (++findings_ > kFindingsMax) {
        return {};
    }
    JsonWriter writer;
    writer.begin_object();
    writer.key("file");
    writer.string(finding.file);
    writer.key("row");
    writer.whole(finding.number);
    using Member = std::pair<std::string_view, std::string_view>;
    for (const auto& [name, text] :
         {Member("field", finding.field),
          Member("rule", finding.rule),
          Member("severity", finding.severity),
          Member("message", finding.message)}) {
        writer.key(name);
        writer.string(text);
    }
    writer.end_object();
    return findings_file_.add(writer.take());
}

Status ScoredDataset::finish() {
    TRY_STATUS(findings_file_.finish());
    TRY_STATUS(preview_.finish());
    return rows_.finish();
}

}  // namespace nexa::pipelines
