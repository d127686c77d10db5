// SPDX-License-Identifier: Apache-2.0
#include <arrow/api.h>
#include <arrow/io/file.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/schema.h>

#include "core/utf8.h"
#include "engine/columnar/source_internal.h"

namespace nexa::columnar::internal {

namespace {

constexpr std::int64_t kBatchRows = 1024;

/// Arrow's messages end in details about itself; the first line is for people.
std::string first_line(const arrow::Status& status) {
    return quotable(status.message().substr(0, status.message().find('\n')), 300);
}

Error parquet_error(const arrow::Status& status) {
    if (status.IsIOError() || status.IsInvalid() || status.IsSerializationError()) {
        return Error::malformed("is no Parquet file that can be read: {}", first_line(status))
            .hint("write it anew, or convert it to JSON lines");
    }
    if (status.IsOutOfMemory()) {
        return Error::resource_exhausted("out of memory while reading Parquet");
    }
    return Error::invalid_argument("cannot be read as Parquet: {}", first_line(status));
}

#define NEXA_TRY_ARROW(declaration, ...)                              \
    auto NEXA_CONCAT(arrow_, __LINE__) = (__VA_ARGS__);               \
    if (!NEXA_CONCAT(arrow_, __LINE__).ok()) [[unlikely]] {           \
        return parquet_error(NEXA_CONCAT(arrow_, __LINE__).status()); \
    }                                                                 \
    declaration = *std::move(NEXA_CONCAT(arrow_, __LINE__))

/// The text of one value; nothing if it is of a type that is no text and no number.
std::optional<std::string> text_at(const arrow::Array& array, std::int64_t i) {
    switch (array.type_id()) {
        case arrow::Type::STRING:
        case arrow::Type::BINARY:
            return std::string(static_cast<const arrow::BinaryArray&>(array).GetView(i));
        case arrow::Type::LARGE_STRING:
        case arrow::Type::LARGE_BINARY:
            return std::string(static_cast<const arrow::LargeBinaryArray&>(array).GetView(i));
        case arrow::Type::STRING_VIEW:
        case arrow::Type::BINARY_VIEW:
            return std::string(static_cast<const arrow::BinaryViewArray&>(array).GetView(i));
        case arrow::Type::DICTIONARY: {
            const auto& dictionary = static_cast<const arrow::DictionaryArray&>(array);
            const std::int64_t index = dictionary.GetValueIndex(i);
            return dictionary.dictionary()->IsNull(index)
                       ? std::nullopt
                       : text_at(*dictionary.dictionary(), index);
        }
        default:
            break;
    }
    if (arrow::is_primitive(array.type_id())) {
        const auto scalar = array.GetScalar(i);
        return scalar.ok() ? std::optional((*scalar)->ToString()) : std::nullopt;
    }
    return std::nullopt;
}

Record::Cell cell_at(const arrow::Array& array, std::int64_t i) {
    auto text = text_at(array, i);
    if (!text) {
        return {.text = {}, .fault = fmt::format("is no text but {}", array.type()->ToString())};
    }
    if (text->size() > kRowBytesMax) {
        return {.text = {}, .fault = fmt::format("is longer than {} MiB", kRowBytesMax >> 20U)};
    }
    if (!is_utf8(*text)) {
        return {.text = {}, .fault = "is not UTF-8"};
    }
    return {.text = std::move(*text), .fault = {}};
}

std::shared_ptr<arrow::Array> field_of(
    const arrow::StructArray& messages, std::string_view name, std::string_view other
) {
    auto field = messages.GetFieldByName(std::string(name));
    return field ? field : messages.GetFieldByName(std::string(other));
}

/// The messages of one row: `begin` up to `end` of the lists' joined values.
void read_messages(
    const arrow::Array& values, std::int64_t begin, std::int64_t end, Record& record
) {
    const auto* structs = dynamic_cast<const arrow::StructArray*>(&values);
    const auto role = structs != nullptr ? field_of(*structs, "role", "from") : nullptr;
    const auto content = structs != nullptr ? field_of(*structs, "content", "value") : nullptr;
    if (!role || !content) {
        record.messages_fault = fmt::format(
            "has `messages` that are no list of (role, content) but of {}",
            values.type()->ToString()
        );
        return;
    }
    std::vector<text::ChatMessage> messages;
    for (std::int64_t i = begin; i < end; ++i) {
        Record::Cell who = role->IsNull(i) ? Record::Cell{} : cell_at(*role, i);
        Record::Cell what = content->IsNull(i) ? Record::Cell{} : cell_at(*content, i);
        for (const Record::Cell* cell : {&who, &what}) {
            if (!cell->fault.empty()) {
                record.messages_fault =
                    fmt::format("has messages of which messages[{}] {}", i - begin, cell->fault);
                return;
            }
        }
        messages.push_back({.role = role_named(who.text), .content = std::move(what.text)});
    }
    record.messages = std::move(messages);
}

void read_chat_cell(const arrow::Array& array, std::int64_t i, Record& record) {
    if (const auto* list = dynamic_cast<const arrow::ListArray*>(&array)) {
        read_messages(*list->values(), list->value_offset(i), list->value_offset(i + 1), record);
    } else if (const auto* large = dynamic_cast<const arrow::LargeListArray*>(&array)) {
        read_messages(*large->values(), large->value_offset(i), large->value_offset(i + 1), record);
    } else {
        const Record::Cell cell = cell_at(array, i);
        if (cell.fault.empty()) {
            read_messages_json(cell.text, record);
        } else {
            record.messages_fault = fmt::format("has a `messages` that {}", cell.fault);
        }
    }
}

void read_meta_cell(const arrow::Array& array, std::int64_t i, Record& record) {
    if (const auto* fields = dynamic_cast<const arrow::StructArray*>(&array)) {
        for (int field = 0; field < fields->num_fields(); ++field) {
            const auto values = fields->field(field);
            if (auto text = values->IsNull(i) ? std::nullopt : text_at(*values, i)) {
                record.meta.emplace_back(
                    fields->struct_type()->field(field)->name(), std::move(*text)
                );
            }
        }
    } else if (auto text = text_at(array, i)) {
        read_meta_json(*text, record);
    }
}

/// The leaves of a column in the file, by which Parquet reads.
void add_leaves(const parquet::arrow::SchemaField& field, std::vector<int>& leaves) {
    if (field.column_index >= 0) {
        leaves.push_back(field.column_index);
    }
    for (const auto& child : field.children) {
        add_leaves(child, leaves);
    }
}

bool is_row_column(std::string_view name) {
    return column_index(kTextColumns, name) || column_index(kChatColumns, name);
}

class ParquetSource final : public RecordSource {
public:
    ParquetSource(std::unique_ptr<parquet::arrow::FileReader> reader, std::vector<int> leaves)
        : reader_(std::move(reader)), leaves_(std::move(leaves)) {}

    Result<std::optional<Record>> next() override {
        while (!batch_ || row_in_batch_ == batch_->num_rows()) {
            TRY(const bool any, next_batch());
            if (!any) {
                return std::nullopt;
            }
        }
        Record record;
        record.number = ++number_;
        for (int column = 0; column < batch_->num_columns(); ++column) {
            const arrow::Array& array = *batch_->column(column);
            if (!array.IsNull(row_in_batch_)) {
                read_cell(batch_->column_name(column), array, record);
            }
        }
        ++row_in_batch_;
        return record;
    }
    std::int64_t bytes_read() const override { return 0; }
    std::optional<std::int64_t> rows() const override {
        return reader_->parquet_reader()->metadata()->num_rows();
    }

private:
    /// Row group by row group: a reader over all of them may hold all of them.
    Result<bool> next_batch() {
        row_in_batch_ = 0;
        batch_.reset();
        while (true) {
            if (batches_) {
                NEXA_TRY_ARROW(batch_, batches_->Next());
                if (batch_) {
                    return true;
                }
            }
            batches_.reset();
            if (group_ == reader_->num_row_groups()) {
                return false;
            }
            NEXA_TRY_ARROW(batches_, reader_->GetRecordBatchReader({group_++}, leaves_));
        }
    }

    void read_cell(const std::string& name, const arrow::Array& array, Record& record) const {
        if (const auto text = column_index(kTextColumns, name)) {
            record.texts.at(*text) = cell_at(array, row_in_batch_);
        } else if (column_index(kChatColumns, name)) {
            read_chat_cell(array, row_in_batch_, record);
        } else {
            read_meta_cell(array, row_in_batch_, record);
        }
    }

    std::unique_ptr<parquet::arrow::FileReader> reader_;
    std::vector<int> leaves_;
    std::unique_ptr<arrow::RecordBatchReader> batches_;
    std::shared_ptr<arrow::RecordBatch> batch_;
    int group_ = 0;
    std::int64_t row_in_batch_ = 0;
    std::int64_t number_ = 0;
};

Result<std::vector<int>> leaves_wanted(const parquet::arrow::FileReader& reader) {
    std::vector<int> leaves;
    bool any = false;
    std::string names;
    for (const auto& field : reader.manifest().schema_fields) {
        const std::string& name = field.field->name();
        names += (names.empty() ? "" : ", ") + name;
        any = any || is_row_column(name);
        if (is_row_column(name) || name == kMetaColumn) {
            add_leaves(field, leaves);
        }
    }
    if (!any) {
        return Error::invalid_argument(
                   "has none of the columns {}, only {}", columns_read(), quotable(names, 200)
        )
            .hint("rename its columns");
    }
    return leaves;
}

}  // namespace

SourceResult open_parquet(const std::filesystem::path& path) {
    std::error_code failed;
    if (!std::filesystem::is_regular_file(path, failed)) {
        return Error::unavailable("cannot open {}", path.string());
    }
    parquet::ArrowReaderProperties properties(/*use_threads=*/false);
    properties.set_batch_size(kBatchRows);
    properties.set_pre_buffer(false);
    parquet::arrow::FileReaderBuilder builder;
    parquet::ReaderProperties file_properties;
    file_properties.enable_buffered_stream();
    if (const auto status = builder.OpenFile(path.string(), false, file_properties); !status.ok()) {
        return parquet_error(status);
    }
    NEXA_TRY_ARROW(auto reader, builder.properties(properties)->Build());
    TRY(std::vector<int> leaves, leaves_wanted(*reader));
    return std::make_unique<ParquetSource>(std::move(reader), std::move(leaves));
}

}  // namespace nexa::columnar::internal
