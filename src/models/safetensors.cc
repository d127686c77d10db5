// SPDX-License-Identifier: Apache-2.0
#include "models/safetensors.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <set>
#include <tuple>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/file.h"
#include "core/os_error.h"

namespace nexa::models {
namespace {

static_assert(
    std::endian::native == std::endian::little, "tensors are used as they lie in the file"
);

using Json = nlohmann::json;

struct DtypeRow {
    Dtype dtype;
    std::string_view name;
    std::size_t size;
};

constexpr std::array<DtypeRow, 10> kDtypes{{
    {Dtype::kF64, "F64", 8},
    {Dtype::kF32, "F32", 4},
    {Dtype::kF16, "F16", 2},
    {Dtype::kBf16, "BF16", 2},
    {Dtype::kI64, "I64", 8},
    {Dtype::kI32, "I32", 4},
    {Dtype::kI16, "I16", 2},
    {Dtype::kI8, "I8", 1},
    {Dtype::kU8, "U8", 1},
    {Dtype::kBool, "BOOL", 1},
}};

constexpr std::size_t kLengthBytes = 8;
constexpr std::uint64_t kHeaderBytesMax = 100'000'000;  // as the reference implementation
constexpr std::size_t kDimensionsMax = 16;
constexpr std::string_view kMetadata = "__metadata__";

/// JSON object keys may repeat; a reader that takes the first and one that takes the last would
/// then see different weights. Null if `text` is no JSON or repeats a name.
std::optional<Json> parse_without_repeats(std::string_view text) {
    std::set<std::string> names;
    bool repeated = false;
    const auto watch = [&](int depth, Json::parse_event_t event, Json& value) {
        if (event == Json::parse_event_t::key && depth == 1) {
            repeated = repeated || !names.insert(value.get<std::string>()).second;
        }
        return true;
    };
    Json json = Json::parse(text.begin(), text.end(), watch, false);
    if (repeated || json.is_discarded()) {
        return std::nullopt;
    }
    return json;
}

Result<std::vector<std::int64_t>> read_shape(const Json& entry) {
    if (!entry.contains("shape") || !entry["shape"].is_array() ||
        entry["shape"].size() > kDimensionsMax) {
        return Error::malformed("shape must be a list of at most {} sizes", kDimensionsMax);
    }
    std::vector<std::int64_t> shape;
    for (const Json& size : entry["shape"]) {
        if (!size.is_number_unsigned() || size.get<std::uint64_t>() > (1ULL << 48)) {
            return Error::malformed("shape holds something that is no size");
        }
        shape.push_back(size.get<std::int64_t>());
    }
    return shape;
}

/// Bytes of a tensor, or nothing on overflow.
std::optional<std::uint64_t> byte_count(Dtype dtype, std::span<const std::int64_t> shape) {
    std::uint64_t count = size_of(dtype);
    for (const std::int64_t size : shape) {
        if (__builtin_mul_overflow(count, static_cast<std::uint64_t>(size), &count)) {
            return std::nullopt;
        }
    }
    return count;
}

struct Entry {
    std::string name;
    Dtype dtype = Dtype::kF32;
    std::vector<std::int64_t> shape = {};
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
};

Result<Entry> read_entry(const std::string& name, const Json& json) {
    if (!json.is_object() || !json.contains("dtype") || !json["dtype"].is_string()) {
        return Error::malformed("dtype is missing");
    }
    const auto dtype = dtype_from(json["dtype"].get_ref<const std::string&>());
    if (!dtype) {
        return Error::malformed(
            "dtype '{}' is not supported", json["dtype"].get_ref<const std::string&>().substr(0, 20)
        );
    }
    Entry entry{.name = name, .dtype = *dtype};
    TRY(entry.shape, read_shape(json));
    const auto offsets = json.find("data_offsets");
    if (offsets == json.end() || !offsets->is_array() || offsets->size() != 2 ||
        !(*offsets)[0].is_number_unsigned() || !(*offsets)[1].is_number_unsigned()) {
        return Error::malformed("data_offsets must be two offsets");
    }
    entry.begin = (*offsets)[0].get<std::uint64_t>();
    entry.end = (*offsets)[1].get<std::uint64_t>();
    const auto bytes = byte_count(entry.dtype, entry.shape);
    if (entry.end < entry.begin || !bytes || *bytes != entry.end - entry.begin) {
        return Error::malformed("data_offsets are not what dtype and shape need");
    }
    return entry;
}

Result<std::map<std::string, std::string>> read_metadata(const Json& json) {
    std::map<std::string, std::string> metadata;
    if (!json.is_object()) {
        return Error::malformed("__metadata__ is no object");
    }
    for (const auto& [key, value] : json.items()) {
        if (!value.is_string()) {
            return Error::malformed("__metadata__ holds something that is no string");
        }
        metadata.emplace(key, value.get<std::string>());
    }
    return metadata;
}

/// The data must be covered once and wholly: a hole could carry anything.
Status check_layout(std::span<const Entry> entries, std::uint64_t data_bytes) {
    std::uint64_t expected = 0;
    for (const Entry& entry : entries) {
        if (entry.begin != expected) {
            return Error::malformed(
                "tensor '{}' starts at byte {}, not at {}",
                entry.name.substr(0, 200),
                entry.begin,
                expected
            );
        }
        expected = entry.end;
    }
    if (expected != data_bytes) {
        return Error::malformed(
            "the tensors cover {} bytes of data, and there are {}", expected, data_bytes
        );
    }
    return ok();
}

Result<std::string_view> header_text(std::span<const std::byte> bytes) {
    std::uint64_t length = 0;
    if (bytes.size() < kLengthBytes) {
        return Error::malformed("the file is shorter than the length of its header");
    }
    std::memcpy(&length, bytes.data(), kLengthBytes);
    if (length > kHeaderBytesMax || length > bytes.size() - kLengthBytes) {
        return Error::malformed("a header of {} bytes does not fit", length);
    }
    const auto header = bytes.subspan(kLengthBytes, length);
    if (header.empty() || header.front() != std::byte{'{'}) {
        return Error::malformed("the header is no JSON object");
    }
    return std::string_view(reinterpret_cast<const char*>(header.data()), header.size());
}

struct Unmap {
    std::size_t size;
    void operator()(const void* address) const { ::munmap(const_cast<void*>(address), size); }
};

}  // namespace

struct Safetensors::Header {
    std::vector<Entry> entries;
};

std::size_t size_of(Dtype dtype) {
    return kDtypes[static_cast<std::size_t>(dtype)].size;
}

std::string_view to_string(Dtype dtype) {
    return kDtypes[static_cast<std::size_t>(dtype)].name;
}

std::optional<Dtype> dtype_from(std::string_view name) {
    const auto* found = std::ranges::find(kDtypes, name, &DtypeRow::name);
    return found == kDtypes.end() ? std::nullopt : std::optional(found->dtype);
}

const TensorView* Safetensors::find(std::string_view name) const {
    const auto found = by_name_.find(name);
    return found == by_name_.end() ? nullptr : &tensors_[found->second];
}

Result<Safetensors> Safetensors::parse(std::span<const std::byte> bytes) {
    TRY(const std::string_view text, header_text(bytes));
    const std::optional<Json> json = parse_without_repeats(text);
    if (!json || !json->is_object()) {
        return Error::malformed("the header is no JSON object without repeated names");
    }
    Safetensors file;
    auto header = std::make_shared<Header>();
    for (const auto& [name, value] : json->items()) {
        if (name == kMetadata) {
            TRY(file.metadata_, read_metadata(value));
            continue;
        }
        Result<Entry> entry = read_entry(name, value);
        if (!entry) {
            return std::move(entry).error().while_doing(
                fmt::format("tensor '{}'", name.substr(0, 200))
            );
        }
        header->entries.push_back(*std::move(entry));
    }
    std::ranges::sort(header->entries, {}, [](const Entry& entry) {
        return std::tuple(entry.begin, entry.end, std::string_view(entry.name));
    });
    const auto data = bytes.subspan(kLengthBytes + text.size());
    TRY_STATUS(check_layout(header->entries, data.size()));
    for (const Entry& entry : header->entries) {
        file.by_name_.emplace(entry.name, file.tensors_.size());
        file.tensors_.push_back({
            .name = entry.name,
            .dtype = entry.dtype,
            .shape = entry.shape,
            .bytes = data.subspan(entry.begin, entry.end - entry.begin),
        });
    }
    file.header_ = std::move(header);
    return file;
}

Result<Safetensors> Safetensors::open(const std::filesystem::path& path) {
    const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) {
        const int why = errno;
        Error failed = os_error(why, fmt::format("open the weights {}", path.native()));
        failed.code = why == ENOENT ? ErrorCode::kNotFound : ErrorCode::kUnavailable;
        return failed;
    }
    struct stat status{};
    if (::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
        return Error::unavailable("{} is no regular file", path.string());
    }
    const auto size = static_cast<std::size_t>(status.st_size);
    if (size == 0) {
        return Error::malformed("read {}: the file is empty", path.string());
    }
    void* address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
    if (address == MAP_FAILED) {
        return Error::unavailable("{}", os_error(errno, "map " + path.native()).message);
    }
    const std::shared_ptr<const void> mapping(address, Unmap{size});
    Result<Safetensors> parsed = parse({static_cast<const std::byte*>(address), size});
    if (!parsed) {
        return std::move(parsed).error().while_doing(fmt::format("read {}", path.string()));
    }
    parsed->mapping_ = mapping;
    return parsed;
}

}  // namespace nexa::models
