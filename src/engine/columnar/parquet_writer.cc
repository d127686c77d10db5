// SPDX-License-Identifier: Apache-2.0
#include "engine/columnar/parquet_writer.h"

#include <fcntl.h>
#include <unistd.h>
#include <cerrno>

#include <arrow/api.h>
#include <arrow/io/file.h>
#include <arrow/util/io_util.h>
#include <parquet/arrow/writer.h>

#include "core/check.h"
#include "core/file.h"
#include "core/os_error.h"

namespace nexa::columnar {

namespace {

namespace fs = std::filesystem;

std::shared_ptr<arrow::DataType> arrow_type(ColumnType type) {
    switch (type) {
        case ColumnType::kReal:
            return arrow::float64();
        case ColumnType::kWhole:
            return arrow::int64();
        case ColumnType::kBoolean:
            return arrow::boolean();
        case ColumnType::kTexts:
            return arrow::list(arrow::utf8());
        case ColumnType::kMessages:
            return arrow::list(arrow::struct_(
                {arrow::field("role", arrow::utf8()), arrow::field("content", arrow::utf8())}
            ));
        case ColumnType::kText:
            break;
    }
    return arrow::utf8();
}

std::shared_ptr<arrow::Schema> arrow_schema(std::span<const Column> columns) {
    arrow::FieldVector fields;
    for (const Column& column : columns) {
        fields.push_back(
            arrow::field(column.name, arrow_type(column.type), column.nulls == Nulls::kAllow)
        );
    }
    return arrow::schema(std::move(fields));
}

std::size_t bytes_of(const Cell& cell) {
    if (const auto* text = std::get_if<std::string_view>(&cell)) {
        return text->size();
    }
    std::size_t bytes = 8;
    if (const auto* texts = std::get_if<std::span<const std::string>>(&cell)) {
        for (const std::string& text : *texts) {
            bytes += text.size();
        }
    } else if (const auto* messages = std::get_if<std::span<const text::ChatMessage>>(&cell)) {
        for (const text::ChatMessage& message : *messages) {
            bytes += message.role.size() + message.content.size();
        }
    }
    return bytes;
}

/// Puts a cell into the builder of its column.
class Appender {
public:
    explicit Appender(arrow::ArrayBuilder& builder) : builder_(builder) {}

    arrow::Status operator()(std::monostate) const { return builder_.AppendNull(); }
    arrow::Status operator()(std::string_view text) const {
        return as<arrow::StringBuilder>(builder_).Append(text);
    }
    arrow::Status operator()(double value) const {
        return as<arrow::DoubleBuilder>(builder_).Append(value);
    }
    arrow::Status operator()(std::int64_t value) const {
        return as<arrow::Int64Builder>(builder_).Append(value);
    }
    arrow::Status operator()(bool value) const {
        return as<arrow::BooleanBuilder>(builder_).Append(value);
    }
    arrow::Status operator()(std::span<const std::string> texts) const {
        auto& list = as<arrow::ListBuilder>(builder_);
        ARROW_RETURN_NOT_OK(list.Append());
        auto& values = as<arrow::StringBuilder>(*list.value_builder());
        for (const std::string& text : texts) {
            ARROW_RETURN_NOT_OK(values.Append(text));
        }
        return arrow::Status::OK();
    }
    arrow::Status operator()(std::span<const text::ChatMessage> messages) const {
        auto& list = as<arrow::ListBuilder>(builder_);
        ARROW_RETURN_NOT_OK(list.Append());
        auto& structs = as<arrow::StructBuilder>(*list.value_builder());
        for (const text::ChatMessage& message : messages) {
            ARROW_RETURN_NOT_OK(structs.Append());
            ARROW_RETURN_NOT_OK(
                as<arrow::StringBuilder>(*structs.field_builder(0)).Append(message.role)
            );
            ARROW_RETURN_NOT_OK(
                as<arrow::StringBuilder>(*structs.field_builder(1)).Append(message.content)
            );
        }
        return arrow::Status::OK();
    }

private:
    template <class Builder>
    static Builder& as(arrow::ArrayBuilder& builder) {
        auto* found = dynamic_cast<Builder*>(&builder);
        NEXA_CHECK(found != nullptr);
        return *found;
    }

    arrow::ArrayBuilder& builder_;
};

}  // namespace

struct ParquetWriter::Impl {
    fs::path path;
    fs::path partial;
    std::vector<Column> columns;
    ParquetWriterOptions options;
    std::shared_ptr<arrow::Schema> schema;
    std::shared_ptr<arrow::io::FileOutputStream> file;
    std::unique_ptr<parquet::arrow::FileWriter> writer;
    std::vector<std::unique_ptr<arrow::ArrayBuilder>> builders;
    std::int64_t rows = 0;
    std::int64_t group_rows = 0;
    std::size_t group_bytes = 0;

    ~Impl();
    Status check(const arrow::Status& status) const;
    Status open();
    Status flush();
    Status finish();
};

ParquetWriter::Impl::~Impl() {
    writer.reset();
    file.reset();
    std::error_code ignored;
    fs::remove(partial, ignored);
}

Status ParquetWriter::Impl::check(const arrow::Status& status) const {
    if (status.ok()) {
        return {};
    }
    if (status.IsOutOfMemory()) {
        return Error::resource_exhausted("out of memory while writing {}", path.string());
    }
    if (const int number = arrow::internal::ErrnoFromStatus(status); number != 0) {
        return os_error(number, fmt::format("write {}", path.string()));
    }
    return Error::unavailable("cannot write {}: {}", path.string(), status.message());
}

Status ParquetWriter::Impl::open() {
    UniqueFd fd(::open(partial.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    if (!fd) {
        return os_error(errno, fmt::format("make {}", partial.string()));
    }
    auto opened = arrow::io::FileOutputStream::Open(fd.release());
    TRY_STATUS(check(opened.status()));
    file = *std::move(opened);
    const auto properties = parquet::WriterProperties::Builder()
                                .compression(parquet::Compression::ZSTD)
                                ->created_by("nexa")
                                ->build();
    auto* pool = arrow::default_memory_pool();
    auto made = parquet::arrow::FileWriter::Open(*schema, pool, file, properties);
    TRY_STATUS(check(made.status()));
    writer = *std::move(made);
    for (const auto& field : schema->fields()) {
        auto builder = arrow::MakeBuilder(field->type(), pool);
        TRY_STATUS(check(builder.status()));
        builders.push_back(*std::move(builder));
    }
    return {};
}

Status ParquetWriter::Impl::flush() {
    if (group_rows == 0) {
        return {};
    }
    TRY_STATUS(check(writer->NewRowGroup()));
    for (const auto& builder : builders) {
        auto array = builder->Finish();
        TRY_STATUS(check(array.status()));
        TRY_STATUS(check(writer->WriteColumnChunk(**array)));
    }
    group_rows = 0;
    group_bytes = 0;
    return {};
}

Status ParquetWriter::Impl::finish() {
    TRY_STATUS(flush());
    TRY_STATUS(check(writer->Close()));
    if (::fsync(file->file_descriptor()) != 0) {
        return os_error(errno, fmt::format("write {}", path.string()));
    }
    TRY_STATUS(check(file->Close()));
    std::error_code failed;
    fs::rename(partial, path, failed);
    if (failed) {
        return os_error(failed.value(), fmt::format("rename {}", partial.string()));
    }
    return {};
}

ParquetWriter::ParquetWriter(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ParquetWriter::ParquetWriter(ParquetWriter&&) noexcept = default;
ParquetWriter& ParquetWriter::operator=(ParquetWriter&&) noexcept = default;
ParquetWriter::~ParquetWriter() = default;

Result<ParquetWriter> ParquetWriter::create(
    const fs::path& path, std::vector<Column> columns, ParquetWriterOptions options
) {
    auto impl = std::make_unique<Impl>();
    impl->path = path;
    impl->partial = path.parent_path() / fmt::format(".{}.tmp", path.filename().string());
    impl->schema = arrow_schema(columns);
    impl->columns = std::move(columns);
    impl->options = options;
    TRY_STATUS(impl->open());
    return ParquetWriter(std::move(impl));
}

Status ParquetWriter::add(std::span<const Cell> row) {
    NEXA_CHECK(row.size() == impl_->columns.size());
    std::size_t bytes = 0;
    for (const Cell& cell : row) {
        bytes += bytes_of(cell);
    }
    // Before the row and not after it: no column of a group may pass what Arrow's offsets hold.
    if (impl_->group_rows == impl_->options.group_rows ||
        impl_->group_bytes + bytes > impl_->options.group_bytes) {
        TRY_STATUS(impl_->flush());
    }
    for (std::size_t i = 0; i < row.size(); ++i) {
        NEXA_CHECK(
            impl_->columns[i].nulls == Nulls::kAllow ||
            !std::holds_alternative<std::monostate>(row[i])
        );
        TRY_STATUS(impl_->check(std::visit(Appender(*impl_->builders[i]), row[i])));
    }
    impl_->group_bytes += bytes;
    ++impl_->group_rows;
    ++impl_->rows;
    return {};
}

std::int64_t ParquetWriter::rows() const {
    return impl_->rows;
}

Status ParquetWriter::finish() {
    return impl_->finish();
}

}  // namespace nexa::columnar
