// SPDX-License-Identifier: Apache-2.0
#include "storage/artifact_files_internal.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include "core/file.h"
#include "core/os_error.h"
#include "storage/byte_source.h"

namespace nexa::storage {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kFilesMax = 100'000;
constexpr std::size_t kPieceSize = std::size_t{1} << 20U;

constexpr std::array<std::pair<std::string_view, std::string_view>, 14> kMediaTypes{{
    {".csv", "text/csv"},
    {".gguf", "application/vnd.gguf"},
    {".html", "text/html"},
    {".json", "application/json"},
    {".jsonl", "application/jsonl"},
    {".md", "text/markdown"},
    {".parquet", "application/vnd.apache.parquet"},
    {".png", "image/png"},
    {".safetensors", "application/vnd.safetensors"},
    {".svg", "image/svg+xml"},
    {".txt", "text/plain"},
    {".yaml", "application/yaml"},
    {".yml", "application/yaml"},
    {".zst", "application/zstd"},
}};

}  // namespace

std::string_view media_type_of(std::string_view path) {
    for (const auto& [ending, type] : kMediaTypes) {
        if (path.ends_with(ending)) {
            return type;
        }
    }
    return "application/octet-stream";
}

Result<std::vector<FoundFile>> find_files(const fs::path& folder) {
    std::vector<FoundFile> files;
    std::error_code error;
    for (auto entry = fs::recursive_directory_iterator(folder, error);
         !error && entry != fs::recursive_directory_iterator();
         entry.increment(error)) {
        const fs::file_status status = entry->symlink_status(error);
        if (error) {
            break;
        }
        if (fs::is_directory(status)) {
            continue;
        }
        std::string path = entry->path().lexically_relative(folder).generic_string();
        if (path == kManifestName || path == kSignatureName) {
            continue;
        }
        if (files.size() == kFilesMax) {
            return Error::resource_exhausted(
                "folder '{}' holds more than {} files", folder.native(), kFilesMax
            );
        }
        files.push_back({std::move(path), fs::is_regular_file(status)});
    }
    if (error) {
        return os_error(error.value(), fmt::format("list '{}'", folder.native()));
    }
    std::ranges::sort(files, {}, &FoundFile::path);
    return files;
}

Result<ArtifactFile> describe_file(const fs::path& folder, const std::string& path) {
    const fs::path whole = folder / path;
    UniqueFd fd(::open(whole.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY));
    struct stat status{};
    if (!fd || ::fstat(fd.get(), &status) != 0) {
        return os_error(errno, fmt::format("read '{}'", whole.native()));
    }
    if (!S_ISREG(status.st_mode)) {
        return Error::invalid_argument("'{}' is no regular file", whole.native());
    }
    FileSource source(std::move(fd), whole);
    std::vector<char> room(kPieceSize);
    Sha256 hash;
    while (true) {
        TRY(const std::size_t got, source.read(room));
        if (got == 0) {
            break;
        }
        hash.update(std::string_view(room.data(), got));
    }
    return ArtifactFile{
        .path = path,
        .digest = hash.digest(),
        .size = Bytes(static_cast<std::int64_t>(hash.byte_count())),
        .media_type = std::string(media_type_of(path)),
    };
}

}  // namespace nexa::storage
