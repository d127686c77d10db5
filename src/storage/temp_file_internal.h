// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string_view>

#include "core/file.h"
#include "core/result.h"

namespace nexa::storage {

/// A file that is being written and gets its name when it is whole. Held under a lock (flock) while
/// it is written, so that a cleaner can tell it from what a crash has left. Removed on destruction.
class TempFile {
public:
    /// In `folder`, which is on the file system where it shall end. Blocking.
    static Result<TempFile> create(const std::filesystem::path& folder);

    TempFile(TempFile&& other) noexcept = default;
    TempFile& operator=(TempFile&&) = delete;
    ~TempFile();

    const std::filesystem::path& path() const { return path_; }
    Status write(std::string_view bytes);
    /// It has its name now: there is nothing to remove.
    void given_away() { path_.clear(); }
    /// All that was written is on the disk, and the file has this mode.
    Status finish(unsigned mode);

private:
    TempFile(UniqueFd file, std::filesystem::path path)
        : file_(std::move(file)), path_(std::move(path)) {}

    UniqueFd file_;
    std::filesystem::path path_;
};

/// Removes from `folder` every file that no living process holds. Blocking.
Status remove_abandoned(const std::filesystem::path& folder);

/// What a rename or link in `folder` did is on the disk. Blocking.
Status flush_folder(const std::filesystem::path& folder);

/// Takes the lock of an open file without waiting; false if another holds it.
Result<bool> lock_file(int fd);

}  // namespace nexa::storage
