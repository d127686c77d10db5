// SPDX-License-Identifier: Apache-2.0
#include "crypto/dsse.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/check.h"
#include "crypto/api_key.h"

/// What was read is written and read back the same; a text is hardly ever an API key, but safe to
/// ask.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (const auto envelope = nexa::crypto::parse_dsse(text)) {
        const std::string json = envelope->to_json();
        const auto again = nexa::crypto::parse_dsse(json, {.bytes_max = json.size()});
        NEXA_CHECK(again && again->to_json() == json && again->payload == envelope->payload);
    }
    if (const auto key = nexa::crypto::parse_api_key(text)) {
        NEXA_CHECK(key->secret() == text);
    }
    return 0;
}
