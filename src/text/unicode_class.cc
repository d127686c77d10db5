// SPDX-License-Identifier: Apache-2.0
#include "text/unicode_class.h"

#include "text/unicode_class_tables_internal.h"

namespace nexa::text::internal {

CharClass class_beyond_ascii(char32_t code_point) {
    const std::size_t block = code_point / 256;
    if (block >= kClassBlocks) {
        return CharClass::kOther;
    }
    const std::size_t word = kClassBlockOf[block] * 8U + code_point % 256 / 32;
    return static_cast<CharClass>((kClassWordTable[word] >> (code_point % 32 * 2)) & 3U);
}

}  // namespace nexa::text::internal
