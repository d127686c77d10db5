// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "core/file.h"
#include "core/result.h"

namespace nexa::columnar::internal {

/// Reads a regular file from begin to end through a buffer; a byte order mark is not part of it.
class ByteReader {
public:
    /// Errors: kNotFound, kPermissionDenied, kUnavailable.
    static Result<ByteReader> open(const std::filesystem::path& path);

    /// The bytes at hand, read anew if there are none; empty at the end. Valid until the next call.
    /// Errors: kUnavailable.
    Result<std::string_view> peek();
    /// Steps over the first bytes of what peek() gave.
    void consume(std::size_t bytes);

    std::int64_t consumed() const { return consumed_; }
    std::int64_t size() const { return size_; }

private:
    ByteReader(UniqueFd fd, std::string name, std::int64_t size);

    UniqueFd fd_;
    std::string name_;
    std::int64_t size_;
    std::string buffer_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    std::int64_t consumed_ = 0;
    bool at_start_ = true;
};

/// The lines of a file, without their ends: "\n" or "\r\n".
class LineReader {
public:
    explicit LineReader(ByteReader bytes) : bytes_(std::move(bytes)) {}

    /// False at the end.
    Result<bool> next();
    /// Valid until the next call; empty if it is too long.
    std::string_view line() const { return line_; }
    bool too_long() const { return too_long_; }
    std::int64_t number() const { return number_; }
    const ByteReader& bytes() const { return bytes_; }

private:
    ByteReader bytes_;
    std::string line_;
    bool too_long_ = false;
    std::int64_t number_ = 0;
};

}  // namespace nexa::columnar::internal
