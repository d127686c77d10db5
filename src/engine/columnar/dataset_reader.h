// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/result.h"
#include "data/generators.h"
#include "data/lint.h"
#include "engine/columnar/row_format.h"

namespace nexa::columnar {

struct SourceRow {
    data::DatasetRow row;
    /// Texts by name, as generate writes them under "meta". What is no text there is its JSON.
    std::vector<std::pair<std::string, std::string>> meta;
    std::string file;         ///< relative name in the dataset's folder
    std::int64_t number = 0;  ///< from 1: the line at which a JSONL or CSV record begins, the row
                              ///< of a Parquet file or JSON array, the chunk of a text
    data::Split split = data::Split::kTrain;
};

enum class OnBadRow : std::uint8_t {
    kFail,    ///< the first one is an error
    kReport,  ///< they are handed to `report` and left out
};

/// A row, or with number 0 a whole file, that cannot be read.
struct BadRow {
    std::string file;
    std::int64_t number = 0;
    std::string message;  ///< what is wrong, without the place: "is no JSON: …"
};

struct ReaderOptions {
    RowFormat format = RowFormat::kAuto;
    std::optional<data::Split> split = {};  ///< only rows of this split; none: all
    std::int64_t rows_max = 0;              ///< 0: all
    /// Texts: the whole file is a row (0), or whole paragraphs up to so many bytes are; a paragraph
    /// that is longer is cut at a line end, a space or a character. The chunks of a file joined are
    /// the file, but for chunks of nothing but white space, which are left out.
    std::size_t text_chunk_bytes = 0;
    OnBadRow on_bad_row = OnBadRow::kFail;
    std::function<void(const BadRow&)> report = {};  ///< called within next()
};

/// Reads the rows of a dataset: a folder, with the folders in it, or one file.
///
/// Kinds: .jsonl .ndjson .json (an array of rows, or lines) .csv .tsv .parquet; and .txt .md
/// .markdown, which are data only where there is none of the others, else they are about it. Hidden
/// files, and those that are about a dataset or model by their name (schema.json, preview.jsonl,
/// manifest.json, findings.jsonl, tokenizer.json …), are no data. Files come in the order of their
/// names. A line, a cell or a whole text may have 64 MiB.
///
/// Splits: a file whose stem or folder begins with the word train, validation (valid, val, dev) or
/// test belongs to that split, the others to train. Where no name shows a split but train, a column
/// `split` with these words decides if it shows two; else the row's prompt (of a chat all but the
/// last answer; of a text file its name and chunk number) draws train, validation or test 90:5:5,
/// seed 0, and of ten different ones or more each split has at least one (data::SplitDraw). So who
/// reads one split never sees another's rows, and all readers of a dataset see the same splits.
///
/// One thread, move-only, blocks on the disk. Memory does not grow with the dataset: a row, or a
/// batch of a Parquet row group, at a time.
class DatasetReader {
public:
    /// Errors: kNotFound (no such folder); kInvalidArgument: nothing that can be read, no row, or
    /// no row of the format; the error of a bad first row.
    static Result<DatasetReader> open(const std::filesystem::path& folder, ReaderOptions options);
    DatasetReader(DatasetReader&&) noexcept;
    DatasetReader& operator=(DatasetReader&&) noexcept;
    ~DatasetReader();

    /// Never kAuto: decided by the first row that is of any format.
    RowFormat format() const;
    /// Nothing at the end. Errors: kMalformed or kInvalidArgument for a bad row, with "file:number"
    /// as place (kFail only); kUnavailable. After an error there is nothing more to read.
    Result<std::optional<SourceRow>> next();
    /// An estimate for progress bars, from the first rows and the sizes; 0 if unknown.
    std::int64_t rows_total() const;

private:
    struct Impl;
    explicit DatasetReader(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace nexa::columnar
