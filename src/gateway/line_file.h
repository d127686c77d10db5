// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

#include "core/file.h"

namespace nexa::gateway {

/// A file that whole lines are put behind each other in. Blocks on the disk. Not thread-safe.
///
/// Invariant: it holds whole lines only; what a kill or a full disk cut off is cut away.
class LineFile {
public:
    /// Makes it, for its owner alone, if it is not there.
    /// Errors: kUnavailable (disk full), kNotFound (no such folder), kPermissionDenied.
    static Result<LineFile> open(const std::filesystem::path& path);

    /// The lines are on the disk when this returns. On an error none of them counts: the next ones
    /// are written in their place. Errors: kUnavailable.
    Status append(std::string_view lines);

    std::uint64_t size() const { return size_; }  ///< bytes

private:
    LineFile(UniqueFd file, std::uint64_t size) : file_(std::move(file)), size_(size) {}

    UniqueFd file_;
    std::uint64_t size_;
};

}  // namespace nexa::gateway
