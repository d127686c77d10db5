// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace nexa::models {

enum class Dtype : std::uint8_t {
    kF64,
    kF32,
    kF16,
    kBf16,
    kI64,
    kI32,
    kI16,
    kI8,
    kU8,
    kBool,
};

std::size_t size_of(Dtype dtype);
/// "F32", "BF16": as in the file.
std::string_view to_string(Dtype dtype);
std::optional<Dtype> dtype_from(std::string_view name);

/// One tensor's bytes, row by row, little-endian. Borrows: whoever made it says how long it lives.
struct TensorView {
    std::string_view name;
    Dtype dtype = Dtype::kF32;
    std::span<const std::int64_t> shape;
    std::span<const std::byte> bytes;
};

/// A weight file in the safetensors format: eight bytes of header length, a JSON header, the data.
///
/// Every offset, shape and length is checked before a view is handed out, so the file may be
/// anybody's. The bytes of a mapped file are read when a view is; a file that is truncated while it
/// is mapped kills the process, so map only what nobody rewrites in place (write_safetensors does
/// not). Immutable; threads may share one.
class Safetensors {
public:
    /// Maps `path`. Errors: kNotFound, kUnavailable (cannot be opened or mapped), and parse's.
    static Result<Safetensors> open(const std::filesystem::path& path);
    /// Reads `bytes`, which must outlive the object. Errors: kMalformed.
    static Result<Safetensors> parse(std::span<const std::byte> bytes);

    /// In the order of the data.
    std::span<const TensorView> tensors() const { return tensors_; }
    /// Null if there is none of that name.
    const TensorView* find(std::string_view name) const;
    /// The strings under "__metadata__".
    const std::map<std::string, std::string>& metadata() const { return metadata_; }

private:
    struct Header;
    std::shared_ptr<const void> mapping_;  ///< empty when the bytes are the caller's
    std::shared_ptr<const Header> header_;
    std::vector<TensorView> tensors_;
    std::map<std::string_view, std::size_t> by_name_;
    std::map<std::string, std::string> metadata_;
};

/// Writes `tensors` to `path` and flushes the file to disk. The order in the file depends on types
/// and names alone (widest type first, then by name), so the same tensors give the same bytes. An
/// existing file is overwritten in place: write beside it and rename.
/// Errors: kInvalidArgument (two tensors of one name, a name that is not UTF-8 or is
/// "__metadata__", bytes that are not what type and shape say), kUnavailable (open, write or flush
/// failed; the disk may be full).
Status write_safetensors(
    const std::filesystem::path& path,
    std::span<const TensorView> tensors,
    const std::map<std::string, std::string>& metadata = {}
);

}  // namespace nexa::models
