// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "engine/columnar/dataset_reader.h"
#include "engine/columnar/parquet_writer.h"
#include "engine/pipelines/lines_file.h"

namespace nexa::pipelines {

/// Writes a distilled dataset: a Parquet file per split with the columns prompt, completion and
/// meta, or messages and meta for conversations; schema.json, preview.jsonl, and the prompts that
/// were given up with the reasons. Blocks on the disk.
class DistilledWriter {
public:
    /// `folder` exists. Errors: kUnavailable.
    static Result<DistilledWriter> create(
        const std::filesystem::path& folder, columnar::RowFormat format
    );

    /// The row with another last answer. Errors: kUnavailable (disk full).
    Status add(const columnar::SourceRow& row, std::string_view completion, bool reversed);
    Status reject(const columnar::SourceRow& row, std::string_view reason);
    Status finish();

private:
    DistilledWriter(
        std::filesystem::path folder,
        columnar::RowFormat format,
        LinesFile rejected,
        LinesFile preview
    )
        : folder_(std::move(folder)),
          format_(format),
          rejected_(std::move(rejected)),
          preview_(std::move(preview)) {}
    Result<columnar::ParquetWriter*> file_of(data::Split split);
    bool is_chat() const { return format_ == columnar::RowFormat::kChat; }

    std::filesystem::path folder_;
    columnar::RowFormat format_;
    std::map<data::Split, columnar::ParquetWriter> files_;
    LinesFile rejected_;
    LinesFile preview_;
    std::int64_t previewed_ = 0;
    std::int64_t rejections_ = 0;
};

}  // namespace nexa::pipelines
