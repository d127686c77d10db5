// SPDX-License-Identifier: Apache-2.0
#include "storage/object_key.h"

#include <algorithm>

#include "core/utf8.h"

namespace nexa::storage {
namespace {

Status check_part(std::string_view part, std::string_view key) {
    if (part.empty()) {
        return Error::invalid_argument("key '{}' has an empty part between slashes", quotable(key));
    }
    if (part.size() > kKeyPartBytesMax) {
        return Error::invalid_argument(
            "key '{}' has a part of {} bytes, more than the {} allowed",
            quotable(key),
            part.size(),
            kKeyPartBytesMax
        );
    }
    if (part == "." || part == "..") {
        return Error::invalid_argument("key '{}' holds the part '{}'", quotable(key), part);
    }
    return {};
}

bool is_forbidden(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f || c == '\\';
}

}  // namespace

Status check_key(std::string_view key) {
    if (key.empty()) {
        return Error::invalid_argument("the key is empty");
    }
    if (key.size() > kKeyBytesMax) {
        return Error::invalid_argument(
            "the key has {} bytes, more than the {} allowed", key.size(), kKeyBytesMax
        );
    }
    if (!is_utf8(key)) {
        return Error::invalid_argument("key '{}' is no UTF-8", quotable(key));
    }
    for (const char c : key) {
        if (is_forbidden(c)) {
            return Error::invalid_argument(
                "key '{}' holds a backslash or a control character", quotable(key)
            );
        }
    }
    for (std::size_t start = 0; start <= key.size();) {
        const std::size_t slash = std::min(key.find('/', start), key.size());
        TRY_STATUS(check_part(key.substr(start, slash - start), key));
        start = slash + 1;
    }
    return {};
}

}  // namespace nexa::storage
