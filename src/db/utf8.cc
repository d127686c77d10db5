// SPDX-License-Identifier: Apache-2.0
#include "db/utf8_internal.h"

#include <cstddef>
#include <cstdint>

namespace nexa::db {

namespace {

struct Lead {
    std::size_t length = 0;  ///< 0: no character starts so
    std::uint8_t second_min = 0x80;
    std::uint8_t second_max = 0xBF;
};

/// The second byte's range is where overlong forms, surrogates and too large numbers show.
Lead lead_of(std::uint8_t byte) {
    if (byte >= 0x01 && byte <= 0x7F) {
        return {.length = 1};
    }
    if (byte >= 0xC2 && byte <= 0xDF) {
        return {.length = 2};
    }
    if (byte >= 0xE0 && byte <= 0xEF) {
        return {
            .length = 3,
            .second_min = static_cast<std::uint8_t>(byte == 0xE0 ? 0xA0 : 0x80),
            .second_max = static_cast<std::uint8_t>(byte == 0xED ? 0x9F : 0xBF),
        };
    }
    if (byte >= 0xF0 && byte <= 0xF4) {
        return {
            .length = 4,
            .second_min = static_cast<std::uint8_t>(byte == 0xF0 ? 0x90 : 0x80),
            .second_max = static_cast<std::uint8_t>(byte == 0xF4 ? 0x8F : 0xBF),
        };
    }
    return {};
}

}  // namespace

bool is_storable_text(std::string_view text) {
    const auto byte = [&](std::size_t at) { return static_cast<std::uint8_t>(text[at]); };
    for (std::size_t at = 0; at < text.size();) {
        const Lead lead = lead_of(byte(at));
        if (lead.length == 0 || text.size() - at < lead.length) {
            return false;
        }
        if (lead.length > 1 && (byte(at + 1) < lead.second_min || byte(at + 1) > lead.second_max)) {
            return false;
        }
        for (std::size_t next = 2; next < lead.length; ++next) {
            if ((byte(at + next) & 0xC0U) != 0x80U) {
                return false;
            }
        }
        at += lead.length;
    }
    return true;
}

}  // namespace nexa::db
