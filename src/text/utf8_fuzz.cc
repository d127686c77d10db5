// SPDX-License-Identifier: Apache-2.0
#include "text/utf8.h"

#include <cstdint>

#include "core/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace nexa;
    using namespace nexa::text;
    const std::string bytes(data, data + size);
    const std::string fixed = replace_invalid_utf8(bytes);
    NEXA_CHECK(is_utf8(fixed));
    NEXA_CHECK((fixed == bytes) == is_utf8(bytes));
    NEXA_CHECK(count_code_points(fixed) == count_code_points(bytes));

    Utf8Assembler assembler;
    std::string assembled;
    for (std::size_t at = 0; at < bytes.size();) {
        const std::size_t piece = 1 + (static_cast<std::uint8_t>(bytes[at]) % 5U);
        assembled += assembler.push(bytes.substr(at, piece));
        at += piece;
    }
    assembled += assembler.finish();
    NEXA_CHECK(assembled == fixed);
    return 0;
}
