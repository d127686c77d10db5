// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/file.h"
#include "core/os_error.h"
#include "models/safetensors.h"

namespace nexa::models {
namespace {

using Json = nlohmann::ordered_json;

Status check_tensor(const TensorView& tensor) {
    std::uint64_t bytes = size_of(tensor.dtype);
    for (const std::int64_t size : tensor.shape) {
        if (size < 0 || __builtin_mul_overflow(bytes, static_cast<std::uint64_t>(size), &bytes)) {
            return Error::invalid_argument("tensor '{}' has an impossible shape", tensor.name);
        }
    }
    if (bytes != tensor.bytes.size()) {
        return Error::invalid_argument(
            "tensor '{}' has {} bytes, its shape needs {}", tensor.name, tensor.bytes.size(), bytes
        );
    }
    if (tensor.name.empty() || tensor.name == "__metadata__") {
        return Error::invalid_argument("a tensor may not be called '{}'", tensor.name);
    }
    return ok();
}

/// Widest first keeps every tensor aligned to its own width without any padding between them.
Result<std::vector<TensorView>> in_file_order(std::span<const TensorView> tensors) {
    std::vector<TensorView> sorted(tensors.begin(), tensors.end());
    for (const TensorView& tensor : sorted) {
        TRY_STATUS(check_tensor(tensor));
    }
    std::ranges::sort(sorted, {}, &TensorView::name);
    const auto twin = std::ranges::adjacent_find(sorted, {}, &TensorView::name);
    if (twin != sorted.end()) {
        return Error::invalid_argument("there are two tensors '{}'", twin->name);
    }
    std::ranges::sort(sorted, {}, [](const TensorView& tensor) {
        return std::pair(-static_cast<int>(size_of(tensor.dtype)), tensor.name);
    });
    return sorted;
}

Result<std::string> header_of(
    std::span<const TensorView> sorted, const std::map<std::string, std::string>& metadata
) {
    Json json = Json::object();
    if (!metadata.empty()) {
        json["__metadata__"] = metadata;
    }
    std::uint64_t offset = 0;
    for (const TensorView& tensor : sorted) {
        Json& entry = json[std::string(tensor.name)];
        entry["dtype"] = to_string(tensor.dtype);
        entry["shape"] = std::vector<std::int64_t>(tensor.shape.begin(), tensor.shape.end());
        entry["data_offsets"] = {offset, offset + tensor.bytes.size()};
        offset += tensor.bytes.size();
    }
    std::string text;
    try {
        text = json.dump();
    } catch (const Json::type_error&) {
        return Error::invalid_argument("a tensor's name or the metadata is not UTF-8");
    }
    text.append((8 - text.size() % 8) % 8, ' ');  // the data starts aligned
    return text;
}

std::string_view text_of(std::span<const std::byte> bytes) {
    const void* raw = bytes.data();
    return {static_cast<const char*>(raw), bytes.size()};
}

Status write_file(
    const std::filesystem::path& path, std::string_view header, std::span<const TensorView> sorted
) {
    const std::string what = fmt::format("write {}", path.native());
    const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    if (!file) {
        return os_error(errno, what);
    }
    const std::uint64_t length = header.size();
    TRY_STATUS(write_all(file.get(), text_of(std::as_bytes(std::span(&length, 1))), what));
    TRY_STATUS(write_all(file.get(), header, what));
    for (const TensorView& tensor : sorted) {
        TRY_STATUS(write_all(file.get(), text_of(tensor.bytes), what));
    }
    if (::fsync(file.get()) != 0) {
        return os_error(errno, what);
    }
    return ok();
}

}  // namespace

Status write_safetensors(
    const std::filesystem::path& path,
    std::span<const TensorView> tensors,
    const std::map<std::string, std::string>& metadata
) {
    TRY(const std::vector<TensorView> sorted, in_file_order(tensors));
    TRY(const std::string header, header_of(sorted, metadata));
    Status written = write_file(path, header, sorted);
    if (!written) {
        Error failed = std::move(written).error();
        failed.code = ErrorCode::kUnavailable;  // no fault of who asked
        return failed;
    }
    return ok();
}

}  // namespace nexa::models
