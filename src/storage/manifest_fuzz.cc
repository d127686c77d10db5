// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/check.h"
#include "storage/artifact.h"

/// A manifest that was taken is written and taken again, or at least refused without harm.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto manifest =
        nexa::storage::parse_manifest({reinterpret_cast<const char*>(data), size});
    if (manifest) {
        NEXA_CHECK(nexa::storage::manifest_text(*manifest).has_value());
    }
    return 0;
}
