// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/result.h"
#include "text/chat_template.h"

namespace nexa::columnar {

enum class ColumnType : std::uint8_t {
    kText,
    kReal,
    kWhole,
    kBoolean,
    kTexts,     ///< a list of texts
    kMessages,  ///< a list of (role, content), as DatasetReader and others read conversations
};

enum class Nulls : std::uint8_t { kRefuse, kAllow };

struct Column {
    std::string name;
    ColumnType type = ColumnType::kText;
    Nulls nulls = Nulls::kRefuse;
};

/// One value of a row; monostate is null. Views are read before add() returns.
using Cell = std::variant<
    std::monostate,
    std::string_view,
    double,
    std::int64_t,
    bool,
    std::span<const std::string>,
    std::span<const text::ChatMessage>>;

struct ParquetWriterOptions {
    std::int64_t group_rows = std::int64_t{1} << 16U;
    /// Of texts, before compression: bounds the memory where rows are long.
    std::size_t group_bytes = std::size_t{64} << 20U;
};

/// Writes one Parquet file, zstd, in row groups. The file appears under its name, whole and on the
/// disk, when finish() succeeds, and never if it does not. One thread, move-only; blocks on the
/// disk; holds one row group in memory.
class ParquetWriter {
public:
    /// Column names are distinct. Errors: kUnavailable (disk full), kNotFound (no such folder).
    static Result<ParquetWriter> create(
        const std::filesystem::path& path,
        std::vector<Column> columns,
        ParquetWriterOptions options = {}
    );
    ParquetWriter(ParquetWriter&&) noexcept;
    ParquetWriter& operator=(ParquetWriter&&) noexcept;
    ~ParquetWriter();

    /// A cell for each column, of its type, or null where the column allows it: anything else is
    /// the caller's bug. Text is UTF-8. Errors: kUnavailable; then nothing more can be written.
    Status add(std::span<const Cell> row);
    Status add(std::initializer_list<Cell> row) {
        return add(std::span<const Cell>(row.begin(), row.size()));
    }
    std::int64_t rows() const;
    /// Once, at the end. Errors: kUnavailable; the file is not there then.
    Status finish();

private:
    struct Impl;
    explicit ParquetWriter(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace nexa::columnar
