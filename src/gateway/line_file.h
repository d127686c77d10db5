// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>
#include <utility>

#include "core/file.h"
#include "core/result.h"

namespace nexa::gateway {

/// What becomes of a last line without a line end: a kill or a full disk cut it off, or somebody's
/// editor left the line end out.
enum class TornEnd : std::uint8_t { kCutAway, kEnded };

/// A file that whole lines are put behind each other in. Blocks on the disk. Not thread-safe.
///
/// Invariant: it holds whole lines only.
class LineFile {
public:
    /// Makes it, for its owner alone, if it is not there.
    /// Errors: kUnavailable (disk full), kNotFound (no such folder), kPermissionDenied.
    static Result<LineFile> open(const std::filesystem::path& path, TornEnd torn);

    /// The lines are on the disk when this returns. On an error none of them counts: the next ones
    /// are written in their place. Errors: kUnavailable.
    Status append(std::string_view lines);

    std::uint64_t size() const { return size_; }  ///< bytes

private:
    LineFile(std::filesystem::path path, UniqueFd file, std::uint64_t size)
        : path_(std::move(path)), file_(std::move(file)), size_(size) {}
    Status write(std::string_view lines);

    std::filesystem::path path_;
    UniqueFd file_;
    std::uint64_t size_;
};

}  // namespace nexa::gateway
