// SPDX-License-Identifier: Apache-2.0
#include "engine/columnar/dataset_files_internal.h"

#include <algorithm>
#include <array>

#include "core/utf8.h"

namespace nexa::columnar::internal {

namespace {

namespace fs = std::filesystem;

struct KindRow {
    std::string_view extension;
    FileKind kind;
};
constexpr std::array kKinds{
    KindRow{".jsonl", FileKind::kJsonLines},
    KindRow{".ndjson", FileKind::kJsonLines},
    KindRow{".json", FileKind::kJson},
    KindRow{".csv", FileKind::kComma},
    KindRow{".tsv", FileKind::kTab},
    KindRow{".parquet", FileKind::kParquet},
    KindRow{".txt", FileKind::kText},
    KindRow{".md", FileKind::kText},
    KindRow{".markdown", FileKind::kText},
};
constexpr std::string_view kKindsRead =
    ".jsonl, .ndjson, .json, .csv, .tsv, .parquet, .txt, .md and .markdown files are read";

/// Files that lie beside the rows of a dataset or a model.
constexpr std::array<std::string_view, 16> kNoData{
    "schema.json",
    "preview.jsonl",
    "manifest.json",
    "findings.jsonl",
    "rejected.jsonl",
    "failed_rows.json",
    "report.json",
    "metrics.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "vocab.json",
    "config.json",
    "generation_config.json",
    "dataset_info.json",
    "dataset_infos.json",
};

struct SplitRow {
    std::string_view word;
    data::Split split;
};
constexpr std::array kSplitWords{
    SplitRow{"train", data::Split::kTrain},
    SplitRow{"training", data::Split::kTrain},
    SplitRow{"validation", data::Split::kValidation},
    SplitRow{"valid", data::Split::kValidation},
    SplitRow{"val", data::Split::kValidation},
    SplitRow{"dev", data::Split::kValidation},
    SplitRow{"test", data::Split::kTest},
};

std::string lower(std::string_view text) {
    std::string lowered(text);
    for (char& byte : lowered) {
        byte = byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte - 'A' + 'a') : byte;
    }
    return lowered;
}

std::optional<FileKind> kind_of(const fs::path& path) {
    const std::string extension = lower(path.extension().string());
    const auto* row = std::ranges::find(kKinds, extension, &KindRow::extension);
    return row == kKinds.end() ? std::nullopt : std::optional(row->kind);
}

bool is_hidden(const fs::path& path) {
    return path.filename().string().starts_with('.');
}

/// The word at the front of a name: "train-00000-of-00002" says train, "testimony" nothing.
std::optional<data::Split> split_of_name(std::string_view name) {
    const std::string lowered = lower(name);
    const std::size_t end = lowered.find_first_not_of("abcdefghijklmnopqrstuvwxyz");
    return split_named(std::string_view(lowered).substr(0, end));
}

std::optional<data::Split> split_of_path(const fs::path& relative) {
    if (const auto split = split_of_name(relative.stem().string())) {
        return split;
    }
    for (const fs::path& folder : relative.parent_path()) {
        if (const auto split = split_of_name(folder.string())) {
            return split;
        }
    }
    return std::nullopt;
}

Result<std::vector<fs::path>> list(const fs::path& folder) {
    std::vector<fs::path> found;
    std::error_code failed;
    for (auto entry = fs::recursive_directory_iterator(folder, failed);
         !failed && entry != fs::recursive_directory_iterator();
         entry.increment(failed)) {
        std::error_code ignored;
        if (is_hidden(entry->path())) {
            entry.disable_recursion_pending();
        } else if (entry->is_regular_file(ignored)) {
            found.push_back(entry->path());
        }
    }
    if (failed) {
        return Error::unavailable("cannot list {}: {}", folder.string(), failed.message());
    }
    return found;
}

DataFile describe(const fs::path& path, const fs::path& relative, FileKind kind) {
    std::error_code failed;
    const auto bytes = fs::file_size(path, failed);
    return {
        .path = path,
        .name = relative.generic_string(),
        .kind = kind,
        .split = split_of_path(relative),
        .bytes = failed ? 0 : static_cast<std::int64_t>(bytes),
    };
}

Error nothing_to_read(const fs::path& folder, std::string_view example) {
    if (example.empty()) {
        return Error::invalid_argument("the dataset {} holds no file", folder.filename().string())
            .hint(kKindsRead);
    }
    return Error::invalid_argument(
               "the dataset {} holds no file that can be read, only such as {}",
               folder.filename().string(),
               quotable(example)
    )
        .hint(kKindsRead);
}

}  // namespace

std::optional<data::Split> split_named(std::string_view word) {
    const auto* row = std::ranges::find(kSplitWords, word, &SplitRow::word);
    return row == kSplitWords.end() ? std::nullopt : std::optional(row->split);
}

Result<std::vector<DataFile>> find_data_files(const fs::path& folder) {
    std::error_code failed;
    const fs::file_status status = fs::status(folder, failed);
    if (!fs::exists(status)) {
        return Error::not_found("there is no dataset at {}", folder.string());
    }
    std::vector<DataFile> files;
    if (fs::is_regular_file(status)) {
        const auto kind = kind_of(folder);
        if (!kind) {
            return nothing_to_read(folder, folder.filename().string());
        }
        files.push_back(describe(folder, folder.filename(), *kind));
        return files;
    }
    TRY(const std::vector<fs::path> paths, list(folder));
    std::string other;
    for (const fs::path& path : paths) {
        const auto kind = kind_of(path);
        if (kind && std::ranges::find(kNoData, path.filename().string()) == kNoData.end()) {
            files.push_back(describe(path, path.lexically_relative(folder), *kind));
        } else if (other.empty()) {
            other = path.filename().string();
        }
    }
    const auto is_text = [](const DataFile& file) { return file.kind == FileKind::kText; };
    if (!std::ranges::all_of(files, is_text)) {
        std::erase_if(files, is_text);
    }
    if (files.empty()) {
        return nothing_to_read(folder, other);
    }
    std::ranges::sort(files, {}, &DataFile::name);
    return files;
}

SourceResult open_source(const DataFile& file, std::size_t text_chunk_bytes) {
    switch (file.kind) {
        case FileKind::kJsonLines:
            return open_json_lines(file.path);
        case FileKind::kJson:
            return open_json(file.path);
        case FileKind::kComma:
            return open_csv(file.path, ',');
        case FileKind::kTab:
            return open_csv(file.path, '\t');
        case FileKind::kParquet:
            return open_parquet(file.path);
        case FileKind::kText:
            break;
    }
    return open_text(file.path, text_chunk_bytes);
}

}  // namespace nexa::columnar::internal
