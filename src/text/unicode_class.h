// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>

namespace nexa::text {

/// The classes that pre-tokenizer patterns speak of.
enum class CharClass : std::uint8_t {
    kOther,
    kLetter,  ///< \p{L}
    kNumber,  ///< \p{N}
    kSpace,   ///< \s: the White_Space property
};

namespace internal {
CharClass class_beyond_ascii(char32_t code_point);

constexpr CharClass class_in_ascii(char32_t c) {
    if ((c >= U'a' && c <= U'z') || (c >= U'A' && c <= U'Z')) {
        return CharClass::kLetter;
    }
    if (c >= U'0' && c <= U'9') {
        return CharClass::kNumber;
    }
    if (c == U' ' || (c >= 0x09 && c <= 0x0D)) {
        return CharClass::kSpace;
    }
    return CharClass::kOther;
}

inline constexpr auto kAsciiClasses = [] {
    std::array<CharClass, 128> classes{};
    for (char32_t c = 0; c < 128; ++c) {
        classes[c] = class_in_ascii(c);
    }
    return classes;
}();
}  // namespace internal

/// The class of a code point, by Unicode 16.0, as Hugging Face has it. Unassigned ones are kOther.
inline CharClass class_of(char32_t code_point) {
    return code_point < 128 ? internal::kAsciiClasses[code_point]
                            : internal::class_beyond_ascii(code_point);
}

}  // namespace nexa::text
