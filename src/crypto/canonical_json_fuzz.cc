// SPDX-License-Identifier: Apache-2.0
#include "crypto/canonical_json.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/check.h"

/// Canonical text is its own canonical text, whatever came in.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto once = nexa::crypto::canonical_json({reinterpret_cast<const char*>(data), size});
    if (once) {
        const auto twice = nexa::crypto::canonical_json(*once);
        NEXA_CHECK(twice && *twice == *once);
    }
    return 0;
}
