// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include "core/file.h"
#include "core/result.h"

namespace nexa::storage {

/// Bytes that come in pieces, read once from front to end. Blocking.
class ByteSource {
public:
    virtual ~ByteSource() = default;
    ByteSource() = default;
    ByteSource(const ByteSource&) = delete;
    ByteSource& operator=(const ByteSource&) = delete;

    /// Fills some of `room`, which is not empty, and says how many bytes; 0 at the end and only
    /// there.
    virtual Result<std::size_t> read(std::span<char> room) = 0;
};

/// Takes bytes piece by piece. An error stops the reading and is handed on.
using ByteSink = std::function<Status(std::string_view piece)>;

/// Bytes in memory, which outlive it.
class MemorySource final : public ByteSource {
public:
    explicit MemorySource(std::string_view bytes) : rest_(bytes) {}

    Result<std::size_t> read(std::span<char> room) override {
        const std::size_t taken = std::min(room.size(), rest_.size());
        std::copy_n(rest_.begin(), taken, room.begin());
        rest_.remove_prefix(taken);
        return taken;
    }

private:
    std::string_view rest_;
};

/// A regular file, from its start.
class FileSource final : public ByteSource {
public:
    /// Errors: kNotFound, kPermissionDenied, kInvalidArgument (no regular file).
    static Result<std::unique_ptr<FileSource>> open(const std::filesystem::path& path);

    FileSource(UniqueFd file, std::filesystem::path path)
        : file_(std::move(file)), path_(std::move(path)) {}

    Result<std::size_t> read(std::span<char> room) override;

private:
    UniqueFd file_;
    std::filesystem::path path_;  // for messages
};

}  // namespace nexa::storage
