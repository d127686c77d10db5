// SPDX-License-Identifier: Apache-2.0
#include "engine/columnar/dataset_reader.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "data/split.h"
#include "engine/columnar/dataset_files_internal.h"
#include "engine/columnar/source_internal.h"

namespace nexa::columnar {

namespace {

using data::Split;
using internal::DataFile;
using internal::Record;
using internal::RecordSource;

/// Among so many rows the first must be one that says what the dataset is.
constexpr int kRowsLookedAt = 1000;
/// A guess at the number of rows looks at so many rows of so many files.
constexpr int kRowsSampled = 64;
constexpr int kFilesSampled = 8;
constexpr data::SplitShares kShares{};

enum class SplitBy : std::uint8_t { kFile, kColumn, kContent };

/// All records of several files, one after the other.
class Records {
public:
    Records(std::span<const DataFile> files, std::size_t text_chunk_bytes)
        : files_(files), text_chunk_bytes_(text_chunk_bytes) {}

    struct Fault {
        BadRow bad;
        Error error;
    };
    /// The next record; a fault ends its file, and the one after it is of the next.
    std::expected<std::optional<Record>, Fault> next() {
        while (index_ < files_.size()) {
            Result<std::optional<Record>> record = read();
            if (!record) {
                Fault fault{
                    .bad =
                        {.file = files_[index_].name,
                         .number = 0,
                         .message = record.error().to_string()},
                    .error = std::move(record).error().at(files_[index_].name),
                };
                next_file();
                return std::unexpected(std::move(fault));
            }
            if (*record) {
                last_ = index_;
                return std::move(*record);
            }
            next_file();
        }
        return std::nullopt;
    }
    /// Of the record that was last returned.
    const DataFile& file() const { return files_[last_]; }

private:
    Result<std::optional<Record>> read() {
        if (!source_) {
            TRY(source_, internal::open_source(files_[index_], text_chunk_bytes_));
        }
        return source_->next();
    }
    void next_file() {
        source_.reset();
        ++index_;
    }

    std::span<const DataFile> files_;
    std::size_t text_chunk_bytes_;
    std::unique_ptr<RecordSource> source_;
    std::size_t index_ = 0;
    std::size_t last_ = 0;
};

std::string_view unit_of(const DataFile& file) {
    switch (file.kind) {
        case internal::FileKind::kParquet:
            return "row";
        case internal::FileKind::kJson:
            return "element";
        case internal::FileKind::kText:
            return "chunk";
        default:
            return "line";
    }
}

Error error_of(const BadRow& bad, std::string_view unit) {
    return Error::malformed("{} {} of {} {}", unit, bad.number, bad.file, bad.message)
        .at(fmt::format("{}:{}", bad.file, bad.number))
        .hint("mend or delete it; an audit lists all such rows");
}

/// Of the first record that is of any format. A bad record before it may be the reader's first
/// error, or one of those it goes on behind.
Result<RowFormat> detect_format(
    std::span<const DataFile> files, std::size_t text_chunk_bytes, OnBadRow on_bad_row
) {
    Records records(files, text_chunk_bytes);
    std::optional<Error> first_fault;
    int looked_at = 0;
    while (looked_at < kRowsLookedAt && !(first_fault && on_bad_row == OnBadRow::kFail)) {
        auto next = records.next();
        if (!next) {
            if (!first_fault) {
                first_fault = std::move(next.error().error);
            }
            continue;
        }
        const std::optional<Record>& record = *next;
        if (!record) {
            break;
        }
        ++looked_at;
        const auto format = internal::recognize(*record);
        if (record->fault.empty() && format) {
            return *format;
        }
        if (first_fault) {
            continue;
        }
        const BadRow bad{
            .file = records.file().name,
            .number = record->number,
            .message = record->fault.empty()
                           ? fmt::format("has none of the columns {}", internal::columns_read())
                           : record->fault,
        };
        first_fault = error_of(bad, unit_of(records.file()));
    }
    return std::move(first_fault)
        .value_or(Error::invalid_argument("the dataset holds no row").hint("its files are empty"));
}

std::optional<Split> split_in(const Record& record) {
    const auto& cell = record.texts.at(internal::text_column("split"));
    return cell ? internal::split_named(cell->text) : std::nullopt;
}

/// True if the rows' own column shows two different splits. Looks no further than it must.
bool column_shows_splits(std::span<const DataFile> files) {
    Records records(files, 0);
    std::optional<Split> first;
    for (bool is_first = true;; is_first = false) {
        const auto next = records.next();
        if (!next) {
            continue;
        }
        const std::optional<Record>& record = *next;
        if (!record) {
            return false;
        }
        const auto split = split_in(*record);
        if (is_first && !split) {
            return false;
        }
        if (split && first && *split != *first) {
            return true;
        }
        first = first ? first : split;
    }
}

SplitBy find_split_by(std::span<const DataFile> files) {
    std::set<Split> shown;
    for (const DataFile& file : files) {
        if (file.split) {
            shown.insert(*file.split);
        }
    }
    // A train.jsonl alone may be all that somebody has; who names a test set means it.
    if (shown.size() > 1 || shown.contains(Split::kValidation) || shown.contains(Split::kTest)) {
        return SplitBy::kFile;
    }
    const bool texts = files.front().kind == internal::FileKind::kText;
    return !texts && column_shows_splits(files) ? SplitBy::kColumn : SplitBy::kContent;
}

/// What rows of one split have in common with no row of another.
std::string split_key_of(const DataFile& file, std::int64_t number, const data::DatasetRow& row) {
    return file.kind == internal::FileKind::kText ? fmt::format("{}#{}", file.name, number)
                                                  : internal::split_key_of(row);
}

/// For rows that draw their split. Looks at some dozens of them, or at all where they do not show
/// every split. What cannot be read is the reading's to tell.
Result<data::SplitDraw> draw_splits(
    std::span<const DataFile> files, std::size_t text_chunk_bytes, RowFormat format
) {
    TRY(data::SplitDraw draw, data::SplitDraw::create(kShares, 0));
    Records records(files, text_chunk_bytes);
    while (!draw.is_settled()) {
        auto next = records.next();
        if (!next) {
            continue;
        }
        std::optional<Record>& record = *next;
        if (!record) {
            break;
        }
        if (!record->fault.empty()) {
            continue;
        }
        if (const auto row = internal::to_row(format, *record)) {
            draw.see(split_key_of(records.file(), record->number, *row));
        }
    }
    return draw;
}

/// Rows in a file, from its footer or its first rows; nothing if it cannot be read.
std::optional<double> estimate_rows(const DataFile& file, std::size_t text_chunk_bytes) {
    const auto source = internal::open_source(file, text_chunk_bytes);
    if (!source) {
        return std::nullopt;
    }
    if (const auto rows = (*source)->rows()) {
        return static_cast<double>(*rows);
    }
    int rows = 0;
    for (; rows < kRowsSampled; ++rows) {
        const auto record = (*source)->next();
        if (!record) {
            return std::nullopt;
        }
        if (!*record) {
            return rows;
        }
    }
    const auto bytes_read = static_cast<double>(std::max<std::int64_t>((*source)->bytes_read(), 1));
    return std::max(1.0, static_cast<double>(file.bytes) / bytes_read) * rows;
}

double estimate_rows(std::span<const DataFile> files, std::size_t text_chunk_bytes) {
    double rows = 0;
    double bytes_sampled = 0;
    double bytes = 0;
    int sampled = 0;
    for (const DataFile& file : files) {
        bytes += static_cast<double>(file.bytes);
        if (sampled < kFilesSampled) {
            if (const auto of_file = estimate_rows(file, text_chunk_bytes)) {
                rows += *of_file;
                bytes_sampled += static_cast<double>(file.bytes);
                ++sampled;
            }
        }
    }
    return bytes_sampled > 0 ? rows * bytes / bytes_sampled : 0;
}

double share_of(Split split) {
    switch (split) {
        case Split::kValidation:
            return kShares.validation;
        case Split::kTest:
            return kShares.test;
        case Split::kTrain:
            break;
    }
    return kShares.train;
}

}  // namespace

struct DatasetReader::Impl {
    std::vector<DataFile> files;
    ReaderOptions options;
    RowFormat format = RowFormat::kAuto;
    SplitBy split_by = SplitBy::kContent;
    std::optional<data::SplitDraw> draw = {};  // of all rows, if by content
    std::int64_t rows_expected = 0;
    Records records{{}, 0};
    std::int64_t rows_given = 0;
    bool failed = false;

    Status open(const std::filesystem::path& folder);
    void estimate();
    Result<std::optional<SourceRow>> next();
    Status on_fault(const BadRow& bad, Error error);
    Result<Split> split_of(const Record& record, const data::DatasetRow& row) const;
    /// Nothing for a row that is bad or of another split.
    Result<std::optional<SourceRow>> to_source_row(Record record);
};

Status DatasetReader::Impl::open(const std::filesystem::path& folder) {
    TRY(files, internal::find_data_files(folder));
    format = options.format;
    TRY(const RowFormat found, detect_format(files, options.text_chunk_bytes, options.on_bad_row));
    format = format == RowFormat::kAuto ? found : format;
    split_by = find_split_by(files);
    if (split_by == SplitBy::kFile && options.split) {
        std::erase_if(files, [&](const DataFile& file) {
            return file.split.value_or(Split::kTrain) != *options.split;
        });
    }
    if (split_by == SplitBy::kContent) {
        TRY(draw, draw_splits(files, options.text_chunk_bytes, format));
    }
    estimate();
    records = Records(files, options.text_chunk_bytes);
    return {};
}

void DatasetReader::Impl::estimate() {
    if (options.split && split_by == SplitBy::kColumn) {
        return;
    }
    const bool by_content = split_by == SplitBy::kContent;
    const double share = options.split && by_content ? share_of(*options.split) : 1;
    rows_expected = std::llround(estimate_rows(files, options.text_chunk_bytes) * share);
    if (options.rows_max > 0 && rows_expected > 0) {
        rows_expected = std::min(rows_expected, options.rows_max);
    }
}

Status DatasetReader::Impl::on_fault(const BadRow& bad, Error error) {
    if (options.on_bad_row == OnBadRow::kFail || error.code == ErrorCode::kUnavailable) {
        failed = true;
        return error;
    }
    if (options.report) {
        options.report(bad);
    }
    return {};
}

Result<Split> DatasetReader::Impl::split_of(const Record& record, const data::DatasetRow& row)
    const {
    const DataFile& file = records.file();
    if (split_by == SplitBy::kFile) {
        return file.split.value_or(Split::kTrain);
    }
    if (split_by == SplitBy::kColumn) {
        if (const auto split = split_in(record)) {
            return *split;
        }
    }
    const std::string key = split_key_of(file, record.number, row);
    return draw ? draw->split_of(key) : data::split_of(key, kShares, 0);
}

Result<std::optional<SourceRow>> DatasetReader::Impl::to_source_row(Record record) {
    const DataFile& file = records.file();
    SourceRow made{.file = file.name, .number = record.number};
    std::string fault = std::move(record.fault);
    if (fault.empty()) {
        auto row = internal::to_row(format, record);
        if (row) {
            made.row = std::move(*row);
        } else {
            fault = std::move(row).error();
        }
    }
    if (!fault.empty()) {
        const BadRow bad{.file = file.name, .number = made.number, .message = std::move(fault)};
        Error error = error_of(bad, unit_of(file));
        TRY_STATUS(on_fault(bad, std::move(error)));
        return std::nullopt;
    }
    made.meta = std::move(record.meta);
    TRY(made.split, split_of(record, made.row));
    if (options.split && *options.split != made.split) {
        return std::nullopt;
    }
    return made;
}

Result<std::optional<SourceRow>> DatasetReader::Impl::next() {
    while (!failed && (options.rows_max == 0 || rows_given < options.rows_max)) {
        auto next = records.next();
        if (!next) {
            Records::Fault fault = std::move(next).error();
            TRY_STATUS(on_fault(fault.bad, std::move(fault.error)));
            continue;
        }
        std::optional<Record>& record = *next;
        if (!record) {
            break;
        }
        TRY(auto row, to_source_row(*std::move(record)));
        if (row) {
            ++rows_given;
            return row;
        }
    }
    return std::nullopt;
}

DatasetReader::DatasetReader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
DatasetReader::DatasetReader(DatasetReader&&) noexcept = default;
DatasetReader& DatasetReader::operator=(DatasetReader&&) noexcept = default;
DatasetReader::~DatasetReader() = default;

Result<DatasetReader> DatasetReader::open(
    const std::filesystem::path& folder, ReaderOptions options
) {
    auto impl = std::make_unique<Impl>();
    impl->options = std::move(options);
    TRY_STATUS(impl->open(folder));
    return DatasetReader(std::move(impl));
}

RowFormat DatasetReader::format() const {
    return impl_->format;
}

Result<std::optional<SourceRow>> DatasetReader::next() {
    return impl_->next();
}

std::int64_t DatasetReader::rows_total() const {
    return impl_->rows_expected;
}

}  // namespace nexa::columnar
