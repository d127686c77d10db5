// SPDX-License-Identifier: Apache-2.0
#include "text/pretokenizer.h"

#include "text/unicode_class.h"
#include "text/utf8.h"

namespace nexa::text {
namespace {

struct Char {
    CharClass char_class = CharClass::kOther;
    std::uint8_t length = 1;
};

// The rules over one text. Where digits stand alone, a number ends the piece before it exactly as
// the end of the text would.
class Gpt2Rules {
public:
    Gpt2Rules(std::string_view text, DigitRule digits) : text_(text), digits_(digits) {}

    // The end of the pretoken that starts at `at`.
    std::size_t end_of(std::size_t at) const {
        if (text_[at] == '\'') {
            if (const std::size_t length = contraction_length(at); length > 0) {
                return at + length;
            }
        }
        const Char first = char_at(at);
        if (first.char_class != CharClass::kSpace) {
            return word_end(at, first);
        }
        const std::size_t next = at + first.length;
        if (text_[at] == ' ' && !is_piece_end(next)) {
            const Char second = char_at(next);
            if (second.char_class != CharClass::kSpace) {
                return word_end(next, second);
            }
        }
        return space_end(at);
    }

private:
    Char char_at(std::size_t at) const {
        const auto byte = static_cast<std::uint8_t>(text_[at]);
        if (byte < 0x80) {
            return {internal::kAsciiClasses[byte], 1};
        }
        const DecodedChar decoded = decode_char(text_, at);
        return {
            decoded.valid ? class_of(decoded.code_point) : CharClass::kOther,
            decoded.length,
        };
    }

    bool is_piece_end(std::size_t at) const {
        return at >= text_.size() ||
               (digits_ == DigitRule::kSingle && char_at(at).char_class == CharClass::kNumber);
    }

    std::size_t contraction_length(std::size_t at) const {
        const std::string_view rest = text_.substr(at + 1, 2);
        if (rest.empty()) {
            return 0;
        }
        if (rest == "re" || rest == "ve" || rest == "ll") {
            return 3;
        }
        const char c = rest[0];
        return c == 's' || c == 't' || c == 'm' || c == 'd' ? 2 : 0;
    }

    std::size_t word_end(std::size_t at, Char first) const {
        std::size_t end = at + first.length;
        if (first.char_class == CharClass::kNumber && digits_ == DigitRule::kSingle) {
            return end;
        }
        while (end < text_.size()) {
            const Char next = char_at(end);
            if (next.char_class != first.char_class) {
                break;
            }
            end += next.length;
        }
        return end;
    }

    // A run of white space leaves its last character to the word that follows, if it has another.
    std::size_t space_end(std::size_t at) const {
        std::size_t last = at;
        std::size_t end = at;
        while (end < text_.size()) {
            const Char next = char_at(end);
            if (next.char_class != CharClass::kSpace) {
                break;
            }
            last = end;
            end += next.length;
        }
        return is_piece_end(end) || last == at ? end : last;
    }

    std::string_view text_;
    DigitRule digits_;
};

}  // namespace

std::size_t PretokenCursor::next(std::span<std::string_view> out) {
    const Gpt2Rules rules(text_, options_.digits);
    std::size_t count = 0;
    while (count < out.size() && at_ < text_.size()) {
        const std::size_t end = rules.end_of(at_);
        out[count++] = text_.substr(at_, end - at_);
        at_ = end;
    }
    return count;
}

}  // namespace nexa::text
