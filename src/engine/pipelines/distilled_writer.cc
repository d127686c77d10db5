// SPDX-License-Identifier: Apache-2.0
#include "engine/pipelines/distilled_writer.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "core/file.h"
#include "core/json_writer.h"
#include "engine/pipelines/row_meta.h"
#include "evaluation/task.h"

namespace nexa::pipelines {

namespace {

using columnar::ColumnType;
using columnar::ParquetWriter;
using columnar::SourceRow;
using evaluation::kAnswerOrder;
using evaluation::kReversed;

constexpr std::int64_t kPreviewRows = 100;
constexpr std::int64_t kRejectionsWritten = 10'000;

constexpr std::string_view kPairSchema = R"({
  "format": "parquet",
  "fields": [
    {"name": "prompt", "type": "string", "description": "What was asked"},
    {"name": "completion", "type": "string", "description": "The answer that was kept"},
    {"name": "meta", "type": "string", "description": "JSON object: what is known about the row"}
  ]
}
)";
constexpr std::string_view kChatSchema = R"({
  "format": "parquet",
  "fields": [
    {"name": "messages", "type": "list", "description": "Turns (role, content), the kept answer last"},
    {"name": "meta", "type": "string", "description": "JSON object: what is known about the row"}
  ]
}
)";

/// What the new row is to say about itself.
RowMeta meta_after(const SourceRow& row, bool reversed) {
    RowMeta meta = row.meta;
    if (reversed) {
        const auto order = std::ranges::find(meta, kAnswerOrder, &RowMeta::value_type::first);
        if (order == meta.end()) {
            meta.emplace_back(kAnswerOrder, kReversed);
        } else {
            order->second = kReversed;
        }
    }
    return meta;
}

/// The turns with `completion` as the last.
std::vector<text::ChatMessage> turns_with(const data::ChatRow& chat, std::string_view completion) {
    std::vector<text::ChatMessage> turns = chat.messages;
    if (!turns.empty() && turns.back().role == "assistant") {
        turns.pop_back();
    }
    turns.push_back({.role = "assistant", .content = std::string(completion)});
    return turns;
}

}  // namespace

Result<DistilledWriter> DistilledWriter::create(
    const std::filesystem::path& folder, columnar::RowFormat format
) {
    TRY(LinesFile rejected, LinesFile::create(folder / "rejected.jsonl"));
    TRY(LinesFile preview, LinesFile::create(folder / "preview.jsonl"));
    DistilledWriter writer(folder, format, std::move(rejected), std::move(preview));
    TRY_STATUS(
        write_file_atomically(folder / "schema.json", writer.is_chat() ? kChatSchema : kPairSchema)
    );
    // The training file is there also when nothing was kept.
    TRY_STATUS(writer.file_of(data::Split::kTrain));
    return writer;
}

Result<ParquetWriter*> DistilledWriter::file_of(data::Split split) {
    const auto found = files_.find(split);
    if (found != files_.end()) {
        return &found->second;
    }
    std::vector<columnar::Column> columns{{.name = "meta"}};
    if (is_chat()) {
        columns.insert(columns.begin(), {.name = "messages", .type = ColumnType::kMessages});
    } else {
        columns.insert(columns.begin(), {{.name = "prompt"}, {.name = "completion"}});
    }
    TRY(ParquetWriter file,
        ParquetWriter::create(
            folder_ / fmt::format("{}.parquet", data::to_string(split)), std::move(columns)
        ));
    return &files_.emplace(split, std::move(file)).first->second;
}

Status DistilledWriter::add(const SourceRow& row, std::string_view completion, bool reversed) {
    const std::string meta = meta_json(meta_after(row, reversed));
    TRY(ParquetWriter* const file, file_of(row.split));
    if (const auto* chat = std::get_if<data::ChatRow>(&row.row)) {
        const std::vector<text::ChatMessage> turns = turns_with(*chat, completion);
        TRY_STATUS(file->add({std::span<const text::ChatMessage>(turns), std::string_view(meta)}));
    } else {
        TRY_STATUS(file->add({columnar::prompt_of(row.row), completion, std::string_view(meta)}));
    }
    if (previewed_ < kPreviewRows) {
        ++previewed_;
        JsonWriter line;
        line.begin_object();
        line.key("prompt");
        line.string(columnar::prompt_of(row.row));
        line.key("completion");
        line.string(completion);
        line.key("meta");
        line.raw(meta);
        line.end_object();
        TRY_STATUS(preview_.add(line.take()));
    }
    return {};
}

Status DistilledWriter::reject(const SourceRow& row, std::string_view reason) {
    if (++rejections_ > kRejectionsWritten) {
        return {};
    }
    JsonWriter line;
    line.begin_object();
    line.key("file");
    line.string(row.file);
    line.key("row");
    line.whole(row.number);
    line.key("prompt");
    line.string(columnar::prompt_of(row.row));
    line.key("reason");
    line.string(reason);
    line.end_object();
    return rejected_.add(line.take());
}

Status DistilledWriter::finish() {
    for (auto& [split, file] : files_) {
        TRY_STATUS(file.finish());
    }
    TRY_STATUS(rejected_.finish());
    return preview_.finish();
}

}  // namespace nexa::pipelines
