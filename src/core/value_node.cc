// SPDX-License-Identifier: Apache-2.0
#include "core/value_node.h"

#include <algorithm>

#include "core/utf8.h"

namespace nexa {

namespace {

using Kind = ValueNode::Kind;

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

class JsonParser {
public:
    JsonParser(std::string_view text, const ParseLimits& limits) : text_(text), limits_(limits) {}

    Result<ValueNode> document() {
        ValueNode node;
        TRY_STATUS(value(node, 0));
        skip_space();
        if (at_ != text_.size()) {
            return malformed("expected the end of the text");
        }
        return node;
    }

private:
    char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
    bool ended() const { return at_ >= text_.size(); }

    void skip_space() {
        for (; !ended(); ++at_) {
            const char c = text_[at_];
            if (c == '\n') {
                ++line_;
                line_start_ = at_ + 1;
            } else if (c != ' ' && c != '\t' && c != '\r') {
                return;
            }
        }
    }

    Error malformed(std::string_view what) const {
        const std::string found =
            ended() ? "the text ends"
                    : fmt::format("found '{}'", quotable(text_.substr(at_, utf8_width()), 1));
        return Error::malformed("{}, but {}", what, found)
            .at(fmt::format("line {}, column {}", line_, at_ - line_start_ + 1));
    }

    std::size_t utf8_width() const {
        return std::max<std::size_t>(1, utf8_step(text_.substr(at_)));
    }

    bool take(char c) {
        if (ended() || text_[at_] != c) {
            return false;
        }
        ++at_;
        return true;
    }

    Status value(ValueNode& node, std::size_t depth) {
        skip_space();
        if (++values_ > limits_.values_max) {
            return Error::invalid_argument("holds more than {} values", limits_.values_max);
        }
        node.line = line_;
        const std::size_t start = at_;
        TRY_STATUS(value_at(node, depth));
        node.raw = text_.substr(start, at_ - start);
        return {};
    }

    Status value_at(ValueNode& node, std::size_t depth) {
        const char c = peek();
        if (c == '{' || c == '[') {
            if (depth == limits_.depth_max) {
                return Error::invalid_argument("is nested deeper than {}", limits_.depth_max);
            }
            return c == '{' ? object(node, depth + 1) : array(node, depth + 1);
        }
        if (c == '"') {
            node.kind = Kind::kString;
            return string(node.text);
        }
        if (c == '-' || is_digit(c)) {
            return number(node);
        }
        return literal(node);
    }

    Status literal(ValueNode& node) {
        for (const std::string_view word : {"true", "false", "null"}) {
            if (text_.substr(at_).starts_with(word)) {
                at_ += word.size();
                node.kind = word == "null" ? Kind::kNull : Kind::kBool;
                node.text = word;
                return {};
            }
        }
        return malformed("expected a value");
    }

    Status number(ValueNode& node) {
        const std::size_t start = at_;
        take('-');
        if (!take('0')) {
            TRY_STATUS(digits());
        } else if (is_digit(peek())) {
            return malformed("expected no digit after a leading 0");
        }
        if (take('.')) {
            TRY_STATUS(digits());
        }
        if (take('e') || take('E')) {
            if (!take('-')) {
                take('+');
            }
            TRY_STATUS(digits());
        }
        node.kind = Kind::kNumber;
        node.text = text_.substr(start, at_ - start);
        return {};
    }

    Status digits() {
        if (!is_digit(peek())) {
            return malformed("expected a digit");
        }
        while (is_digit(peek())) {
            ++at_;
        }
        return {};
    }

    Status string(std::string& out) {
        ++at_;
        for (;;) {
            const std::size_t start = at_;
            TRY_STATUS(skip_to_special());
            out.append(text_.substr(start, at_ - start));
            if (take('"')) {
                return {};
            }
            ++at_;  // the backslash
            TRY_STATUS(escape(out));
        }
    }

    /// Stands then at a quote or a backslash.
    Status skip_to_special() {
        while (!ended() && text_[at_] != '"' && text_[at_] != '\\') {
            if (static_cast<unsigned char>(text_[at_]) < 0x20) {
                return malformed("expected control characters to be escaped in a string");
            }
            const std::size_t step = utf8_step(text_.substr(at_));
            if (step == 0) {
                return Error::invalid_argument("is a string that is not valid UTF-8");
            }
            at_ += step;
        }
        return ended() ? Status(malformed("expected '\"' at the end of a string")) : Status();
    }

    Status escape(std::string& out) {
        static constexpr std::string_view kLetters = "\"\\/bfnrt";
        static constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
        if (take('u')) {
            return unicode_escape(out);
        }
        const std::size_t which = ended() ? std::string_view::npos : kLetters.find(peek());
        if (which == std::string_view::npos) {
            return malformed("expected an escape such as \\n or \\u0041");
        }
        ++at_;
        out.push_back(kMeanings[which]);
        return {};
    }

    Status unicode_escape(std::string& out) {
        TRY(char32_t code_point, four_hex_digits());
        if (code_point >= 0xD800 && code_point <= 0xDFFF) {
            char32_t low = 0;
            if (text_.substr(at_).starts_with("\\u")) {
                at_ += 2;
                TRY(low, four_hex_digits());
            }
            if (code_point > 0xDBFF || low < 0xDC00 || low > 0xDFFF) {
                return Error::invalid_argument("is a string with half of a surrogate pair");
            }
            code_point = 0x10000 + ((code_point - 0xD800) << 10) + (low - 0xDC00);
        }
        append_utf8(code_point, out);
        return {};
    }

    Result<char32_t> four_hex_digits() {
        char32_t value = 0;
        for (int i = 0; i < 4; ++i, ++at_) {
            const char c = peek();
            char32_t digit = 0;
            if (is_digit(c)) {
                digit = static_cast<char32_t>(c - '0');
            } else if (c >= 'a' && c <= 'f') {
                digit = static_cast<char32_t>(c - 'a' + 10);
            } else if (c >= 'A' && c <= 'F') {
                digit = static_cast<char32_t>(c - 'A' + 10);
            } else {
                return malformed("expected four hexadecimal digits after \\u");
            }
            value = value * 16 + digit;
        }
        return value;
    }

    Status array(ValueNode& node, std::size_t depth) {
        node.kind = Kind::kArray;
        ++at_;
        skip_space();
        if (take(']')) {
            return {};
        }
        for (;;) {
            ValueNode& item = node.items.emplace_back();
            if (auto status = value(item, depth); !status) {
                return placed(std::move(status).error(), [&] {
                    return fmt::format("[{}]", node.items.size() - 1);
                });
            }
            skip_space();
            if (take(']')) {
                return {};
            }
            if (!take(',')) {
                return malformed("expected ',' or ']'");
            }
        }
    }

    Status object(ValueNode& node, std::size_t depth) {
        node.kind = Kind::kObject;
        ++at_;
        skip_space();
        if (take('}')) {
            return {};
        }
        for (;;) {
            TRY_STATUS(member(node, depth));
            skip_space();
            if (take('}')) {
                return check_keys(node);
            }
            if (!take(',')) {
                return malformed("expected ',' or '}'");
            }
        }
    }

    Status member(ValueNode& node, std::size_t depth) {
        skip_space();
        if (peek() != '"') {
            return malformed("expected a key in quotes");
        }
        TRY_STATUS(string(node.keys.emplace_back()));
        skip_space();
        if (!take(':')) {
            return malformed("expected ':'");
        }
        if (auto status = value(node.items.emplace_back(), depth); !status) {
            return placed(std::move(status).error(), [&] { return quotable(node.keys.back()); });
        }
        return {};
    }

    // Sorted once at the end, so that a hostile object of many keys costs no quadratic time.
    static Status check_keys(const ValueNode& node) {
        std::vector<std::string_view> keys(node.keys.begin(), node.keys.end());
        std::ranges::sort(keys);
        if (const auto twice = std::ranges::adjacent_find(keys); twice != keys.end()) {
            return Error::invalid_argument("stands twice in one object").at(quotable(*twice));
        }
        return {};
    }

    /// Malformed text has a line and column already; the rest is told by its path.
    template <class Place>
    static Error placed(Error error, const Place& place) {
        if (error.code == ErrorCode::kMalformed) {
            return error;
        }
        return std::move(error).at(place());
    }

    std::string_view text_;
    const ParseLimits& limits_;
    std::size_t at_ = 0;
    std::uint32_t line_ = 1;
    std::size_t line_start_ = 0;
    std::size_t values_ = 0;
};

}  // namespace

const ValueNode* ValueNode::find(std::string_view key) const {
    for (std::size_t i = 0; i < keys.size(); ++i) {
        if (keys[i] == key) {
            return &items[i];
        }
    }
    return nullptr;
}

bool ValueNode::same_value(const ValueNode& other) const {
    return kind == other.kind && text == other.text && keys == other.keys &&
           std::ranges::equal(items, other.items, [](const ValueNode& a, const ValueNode& b) {
               return a.same_value(b);
           });
}

Result<ValueNode> parse_json(std::string_view text, const ParseLimits& limits) {
    if (text.size() > limits.bytes_max) {
        return Error::invalid_argument(
            "JSON has {} bytes, at most {} are allowed", text.size(), limits.bytes_max
        );
    }
    return JsonParser(text, limits).document();
}

}  // namespace nexa
