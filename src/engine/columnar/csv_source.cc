// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "core/utf8.h"
#include "engine/columnar/byte_reader_internal.h"
#include "engine/columnar/source_internal.h"

namespace nexa::columnar::internal {

namespace {

/// One record of a CSV file: its cells, where it begins, and the first thing wrong with it.
struct CsvRecord {
    std::vector<std::string> cells;
    std::int64_t line = 0;
    std::string fault;
    bool is_blank = false;  ///< an empty line
};

/// Takes a CSV file apart. A quote inside a cell that does not begin with one is text, as
/// spreadsheets write it; text behind a closing quote is a fault.
class CsvParser {
public:
    CsvParser(ByteReader bytes, char separator) : bytes_(std::move(bytes)), separator_(separator) {}

    /// False at the end.
    Result<bool> next(CsvRecord& record) {
        record = {};
        record.line = line_;
        record_bytes_ = 0;
        state_ = State::kCellStart;
        cell_.clear();
        for (bool any = false;;) {
            TRY(const std::string_view bytes, bytes_.peek());
            if (bytes.empty()) {
                if (any) {
                    end_record(record);
                }
                return any;
            }
            any = true;
            for (std::size_t i = 0; i < bytes.size(); ++i) {
                if (step(bytes[i], record)) {
                    bytes_.consume(i + 1);
                    return true;
                }
            }
            bytes_.consume(bytes.size());
        }
    }

    std::int64_t bytes_read() const { return bytes_.consumed(); }

private:
    enum class State : std::uint8_t { kCellStart, kPlain, kQuoted, kQuoteInQuoted };

    /// True if `byte` ends the record.
    bool step(char byte, CsvRecord& record) {
        line_ += byte == '\n' ? 1 : 0;
        if (state_ == State::kQuoted) {
            if (byte == '"') {
                state_ = State::kQuoteInQuoted;
            } else {
                append(byte, record);
            }
            return false;
        }
        if (state_ == State::kQuoteInQuoted && byte == '"') {
            append('"', record);
            state_ = State::kQuoted;
        } else if (byte == separator_) {
            end_cell(record);
        } else if (byte == '\n') {
            end_record(record);
            return true;
        } else if (state_ == State::kCellStart && byte == '"') {
            state_ = State::kQuoted;
            quote_line_ = line_;
        } else {
            step_plain(byte, record);
        }
        return false;
    }

    void step_plain(char byte, CsvRecord& record) {
        if (state_ != State::kQuoteInQuoted) {
            state_ = State::kPlain;
            append(byte, record);
        } else if (byte != '\r') {
            set_fault(record, "has text behind a closing quote");
        }
    }

    void append(char byte, CsvRecord& record) {
        if (++record_bytes_ <= kRowBytesMax) {
            cell_ += byte;
        } else {
            set_fault(record, fmt::format("is longer than {} MiB", kRowBytesMax >> 20U));
        }
    }

    void end_cell(CsvRecord& record) {
        record.cells.push_back(std::move(cell_));
        cell_.clear();
        state_ = State::kCellStart;
    }

    void end_record(CsvRecord& record) {
        if (state_ == State::kQuoted) {
            set_fault(
                record, fmt::format("has a quote, in line {}, that is never closed", quote_line_)
            );
        } else if (state_ == State::kPlain && cell_.ends_with('\r')) {
            cell_.pop_back();
        }
        record.is_blank = record.cells.empty() && cell_.empty() && state_ != State::kQuoteInQuoted;
        end_cell(record);
    }

    void set_fault(CsvRecord& record, std::string fault) {
        if (record.fault.empty()) {
            record.fault =
                fmt::format("{} (line {}, column {})", fault, line_, record.cells.size() + 1);
        }
    }

    ByteReader bytes_;
    char separator_;
    State state_ = State::kCellStart;
    std::string cell_;
    std::size_t record_bytes_ = 0;
    std::int64_t line_ = 1;
    std::int64_t quote_line_ = 0;
};

class CsvSource final : public RecordSource {
public:
    CsvSource(CsvParser parser, std::vector<std::string> header)
        : parser_(std::move(parser)), header_(std::move(header)) {}

    Result<std::optional<Record>> next() override {
        CsvRecord csv;
        do {
            TRY(const bool any, parser_.next(csv));
            if (!any) {
                return std::nullopt;
            }
        } while (csv.is_blank);
        return to_record(csv);
    }
    std::int64_t bytes_read() const override { return parser_.bytes_read(); }

private:
    Record to_record(CsvRecord& csv) const {
        Record record;
        record.number = csv.line;
        record.fault = std::move(csv.fault);
        if (record.fault.empty() && csv.cells.size() != header_.size()) {
            record.fault = fmt::format(
                "has {} cells where the header has {}", csv.cells.size(), header_.size()
            );
        }
        for (std::size_t i = 0; record.fault.empty() && i < csv.cells.size(); ++i) {
            read_cell(i, std::move(csv.cells[i]), record);
        }
        return record;
    }

    void read_cell(std::size_t i, std::string text, Record& record) const {
        const std::string_view name = header_[i];
        if (!is_utf8(text)) {
            record.fault = fmt::format("is not UTF-8 in column {} ({})", i + 1, quotable(name));
        } else if (const auto column = column_index(kTextColumns, name)) {
            record.texts.at(*column) = {.text = std::move(text), .fault = {}};
        } else if (column_index(kChatColumns, name)) {
            read_messages_json(text, record);
        } else if (name == kMetaColumn && !text.empty()) {
            read_meta_json(text, record);
        }
    }

    CsvParser parser_;
    std::vector<std::string> header_;
};

Status check_header(const CsvRecord& header) {
    if (!header.fault.empty()) {
        return Error::malformed("the header {}", header.fault);
    }
    bool any = false;
    for (const std::string& name : header.cells) {
        if (!name.empty() && std::ranges::count(header.cells, name) > 1) {
            return Error::malformed("the header has '{}' twice", quotable(name));
        }
        any = any || column_index(kTextColumns, name) || column_index(kChatColumns, name);
    }
    if (!any) {
        return Error::invalid_argument("the header has none of the columns {}", columns_read())
            .hint("the first line names the columns");
    }
    return {};
}

}  // namespace

SourceResult open_csv(const std::filesystem::path& path, char separator) {
    TRY(ByteReader bytes, ByteReader::open(path));
    CsvParser parser(std::move(bytes), separator);
    CsvRecord header;
    do {
        TRY(const bool any, parser.next(header));
        if (!any) {
            break;
        }
    } while (header.is_blank);
    TRY_STATUS(check_header(header));
    return std::make_unique<CsvSource>(std::move(parser), std::move(header.cells));
}

}  // namespace nexa::columnar::internal
