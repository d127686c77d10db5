// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.h"
#include "data/lint.h"
#include "engine/columnar/row_format.h"

namespace nexa::columnar::internal {

/// Of a line, a CSV record, a JSON element, a cell, a whole text.
inline constexpr std::size_t kRowBytesMax = std::size_t{64} << 20U;

/// Columns whose text some format uses. Others are not even kept.
inline constexpr std::array<std::string_view, 11> kTextColumns{
    "prompt",
    "completion",
    "response",
    "answer",
    "output",
    "instruction",
    "input",
    "question",
    "text",
    "content",
    "split",
};
inline constexpr std::array<std::string_view, 2> kChatColumns{"messages", "conversations"};
inline constexpr std::string_view kMetaColumn = "meta";

/// The place of a name in a list of columns.
std::optional<std::size_t> column_index(
    std::span<const std::string_view> columns, std::string_view name
);
/// Where Record::texts has the column `name`, which is one of kTextColumns.
std::size_t text_column(std::string_view name);
/// The columns that any format uses, for messages.
std::string columns_read();

/// One record of a file before anybody decided what it is. Absent is what the file does not have or
/// has as null. `fault` says why the record as a whole cannot be read.
struct Record {
    struct Cell {
        std::string text;
        std::string fault;  ///< why it is no text; a fault only for those who need this cell
    };

    std::int64_t number = 0;
    std::string fault;
    std::array<std::optional<Cell>, kTextColumns.size()> texts;
    std::optional<std::vector<text::ChatMessage>> messages;
    std::string messages_fault;
    std::vector<std::pair<std::string, std::string>> meta;
};

/// The format whose columns the record has, whatever is in them.
std::optional<RowFormat> recognize(const Record& record);
/// The row, or what is wrong with the record, whose texts it takes.
std::expected<data::DatasetRow, std::string> to_row(RowFormat format, Record& record);
/// What rows of one split have in common with no row of another.
std::string split_key_of(const data::DatasetRow& row);

/// The records of one file in their order. One thread; blocks on the disk.
class RecordSource {
public:
    RecordSource() = default;
    RecordSource(const RecordSource&) = delete;
    RecordSource& operator=(const RecordSource&) = delete;
    virtual ~RecordSource() = default;

    /// Nothing at the end. An Error is about the file as a whole: reading it ends.
    virtual Result<std::optional<Record>> next() = 0;
    /// Bytes of the file that the records so far took; a guess is good enough.
    virtual std::int64_t bytes_read() const = 0;
    /// If the file says so.
    virtual std::optional<std::int64_t> rows() const { return std::nullopt; }
};

using SourceResult = Result<std::unique_ptr<RecordSource>>;

SourceResult open_json_lines(const std::filesystem::path& path);
/// An array of records; or lines, if it does not begin with a bracket.
SourceResult open_json(const std::filesystem::path& path);
/// RFC 4180 with a header; what separates cells is a comma or a tab.
SourceResult open_csv(const std::filesystem::path& path, char separator);
SourceResult open_parquet(const std::filesystem::path& path);
/// `chunk_bytes`: as ReaderOptions::text_chunk_bytes.
SourceResult open_text(const std::filesystem::path& path, std::size_t chunk_bytes);

/// Fills the record's messages or meta from JSON text in a cell.
void read_messages_json(std::string_view json, Record& record);
void read_meta_json(std::string_view json, Record& record);
/// "human", "gpt" and their like as the roles we know; others stay.
std::string role_named(std::string_view name);

}  // namespace nexa::columnar::internal
