// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "data/generators.h"
#include "engine/columnar/source_internal.h"

namespace nexa::columnar::internal {

enum class FileKind : std::uint8_t { kJsonLines, kJson, kComma, kTab, kParquet, kText };

struct DataFile {
    std::filesystem::path path;
    std::string name;  ///< relative to the dataset's folder
    FileKind kind = FileKind::kJsonLines;
    std::optional<data::Split> split;  ///< as its name says
    std::int64_t bytes = 0;
};

/// The files of a dataset that hold its rows, in the order of their names. `folder` may be one
/// file.
/// Errors: kNotFound; kInvalidArgument if nothing there can be read; kUnavailable.
Result<std::vector<DataFile>> find_data_files(const std::filesystem::path& folder);

/// "train", "validation", "valid", "val", "dev", "test"; nothing for another word.
std::optional<data::Split> split_named(std::string_view word);

SourceResult open_source(const DataFile& file, std::size_t text_chunk_bytes);

}  // namespace nexa::columnar::internal
