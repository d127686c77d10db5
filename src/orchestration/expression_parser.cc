// SPDX-License-Identifier: Apache-2.0
#include "orchestration/expression_parser_internal.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/utf8.h"

namespace nexa::orchestration {

namespace {

using Kind = Expression::Kind;
using Node = Expression::Node;
using ValueKind = ValueNode::Kind;

constexpr std::size_t kBytesMax = 4096;
constexpr int kDepthMax = 32;
constexpr std::array<std::string_view, 3> kStatusFunctions{"success", "failure", "always"};
constexpr std::array<std::string_view, 2> kFunctions{"contains", "tier_at_least"};

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

ValueNode text_value(std::string text) {
    return {.kind = ValueKind::kString, .text = std::move(text)};
}
ValueNode bool_value(bool value) {
    return {.kind = ValueKind::kBool, .text = value ? "true" : "false"};
}

class ExpressionParser {
public:
    explicit ExpressionParser(std::string_view text) : text_(text) {}

    Result<std::vector<Node>> whole() {
        if (text_.size() > kBytesMax) {
            return Error::invalid_argument(
                "an expression has at most {} bytes, this one {}", kBytesMax, text_.size()
            );
        }
        TRY_STATUS(either(0));
        skip_blanks();
        if (at_ != text_.size()) {
            return expected("an operator or the end of the expression");
        }
        return std::move(nodes_);
    }

private:
    char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

    void skip_blanks() {
        while (at_ < text_.size() && is_blank(text_[at_])) {
            ++at_;
        }
    }

    Error expected(std::string_view what) const {
        const std::string found = at_ >= text_.size()
                                      ? "the expression ends"
                                      : fmt::format("found '{}'", quotable(text_.substr(at_), 12));
        return Error::invalid_argument(
                   "'{}', character {}: expected {}, but {}",
                   quotable(text_, 80),
                   at_ + 1,
                   what,
                   found
        )
            .hint("references look like steps.NAME.outputs.FIELD and inputs.NAME, texts like 'this'"
            );
    }

    bool take(std::string_view token) {
        skip_blanks();
        if (!text_.substr(at_).starts_with(token)) {
            return false;
        }
        at_ += token.size();
        return true;
    }

    int add(Node node) {
        nodes_.push_back(std::move(node));
        return static_cast<int>(nodes_.size()) - 1;
    }

    Result<int> either(int depth) {
        TRY(int left, both(depth));
        while (take("||")) {
            TRY(const int right, both(depth));
            left = add({.kind = Kind::kOr, .left = left, .right = right});
        }
        return left;
    }

    Result<int> both(int depth) {
        TRY(int left, comparison(depth));
        while (take("&&")) {
            TRY(const int right, comparison(depth));
            left = add({.kind = Kind::kAnd, .left = left, .right = right});
        }
        return left;
    }

    Result<int> comparison(int depth) {
        // The longer ones first: "<" begins "<=", too.
        static constexpr std::array<std::pair<std::string_view, Kind>, 6> kOperators{{
            {"==", Kind::kEqual},
            {"!=", Kind::kUnequal},
            {"<=", Kind::kLessOrEqual},
            {">=", Kind::kGreaterOrEqual},
            {"<", Kind::kLess},
            {">", Kind::kGreater},
        }};
        TRY(const int left, operand(depth));
        for (const auto& [token, kind] : kOperators) {
            if (take(token)) {
                TRY(const int right, operand(depth));
                return add({.kind = kind, .left = left, .right = right});
            }
        }
        return left;
    }

    Result<int> operand(int depth) {
        if (depth >= kDepthMax) {
            return Error::invalid_argument("an expression is nested deeper than {}", kDepthMax);
        }
        if (take("!")) {
            TRY(const int inner, operand(depth + 1));
            return add({.kind = Kind::kNot, .left = inner});
        }
        if (take("(")) {
            TRY(const int inner, either(depth + 1));
            return take(")") ? Result<int>(inner) : expected("')'");
        }
        skip_blanks();
        if (peek() == '\'' || peek() == '"') {
            TRY(std::string text, quoted());
            return add({.literal = text_value(std::move(text))});
        }
        if (is_digit(peek()) || peek() == '-') {
            return number();
        }
        return is_letter(peek()) ? named(depth) : expected("a value");
    }

    /// The quote itself is written twice within.
    Result<std::string> quoted() {
        const char quote = peek();
        std::string text;
        for (++at_; at_ < text_.size(); ++at_) {
            if (text_[at_] != quote) {
                text += text_[at_];
            } else if (at_ + 1 < text_.size() && text_[at_ + 1] == quote) {
                text += quote;
                ++at_;
            } else {
                ++at_;
                return text;
            }
        }
        return expected(fmt::format("{} at the end of a text", quote));
    }

    Result<int> number() {
        const std::size_t start = at_;
        while (is_digit(peek()) || is_letter(peek()) || peek() == '.' || peek() == '-' ||
               peek() == '+') {
            ++at_;
        }
        auto parsed = parse_json(text_.substr(start, at_ - start));
        if (!parsed || parsed->kind != ValueKind::kNumber) {
            at_ = start;
            return expected("a number");
        }
        return add({.literal = settled(*std::move(parsed))});
    }

    std::string word() {
        const std::size_t start = at_;
        while (is_letter(peek()) || is_digit(peek()) || peek() == '-') {
            ++at_;
        }
        return std::string(text_.substr(start, at_ - start));
    }

    Result<int> named(int depth) {
        const std::size_t start = at_;
        std::string name = word();
        if (name == "true" || name == "false") {
            return add({.literal = bool_value(name == "true")});
        }
        if (name == "null") {
            return add({});
        }
        if (take("(")) {
            return function(name, start, depth);
        }
        ReferencePath path{std::move(name)};
        while (peek() == '.' || is_fixed_index()) {
            TRY_STATUS(member(path));
        }
        int value = add({.kind = Kind::kReference, .path = std::move(path)});
        while (peek() == '[') {
            ++at_;
            TRY(const int index, either(depth + 1));
            if (!take("]")) {
                return expected("']'");
            }
            value = add({.kind = Kind::kIndex, .left = value, .right = index});
        }
        return value;
    }

    /// ['name'] or [0], which belong to the path, and not [inputs.name].
    bool is_fixed_index() const {
        return peek() == '[' && at_ + 1 < text_.size() &&
               (text_[at_ + 1] == '\'' || text_[at_ + 1] == '"' || is_digit(text_[at_ + 1]));
    }

    Status member(ReferencePath& path) {
        const bool is_index = text_[at_++] == '[';
        if (is_index && !is_digit(peek())) {
            TRY(path.emplace_back(), quoted());
        } else {
            path.push_back(word());
        }
        if (path.back().empty() && !is_index) {
            return expected("a name behind the point");
        }
        return !is_index || take("]") ? Status() : Status(expected("']'"));
    }

    Result<int> function(const std::string& name, std::size_t start, int depth) {
        if (std::ranges::find(kStatusFunctions, name) != kStatusFunctions.end()) {
            return take(")") ? Result<int>(add({.kind = Kind::kStatus, .path = {name + "()"}}))
                             : expected("')'");
        }
        if (std::ranges::find(kFunctions, name) == kFunctions.end()) {
            at_ = start;
            return expected("contains, tier_at_least, success, failure or always");
        }
        TRY(const int left, either(depth + 1));
        if (!take(",")) {
            return expected("','");
        }
        TRY(const int right, either(depth + 1));
        if (!take(")")) {
            return expected("')'");
        }
        const Kind kind = name == "contains" ? Kind::kContains : Kind::kTierAtLeast;
        return add({.kind = kind, .left = left, .right = right});
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::vector<Node> nodes_;
};

}  // namespace

Result<std::vector<Expression::Node>> parse_nodes(std::string_view text) {
    return ExpressionParser(text).whole();
}

}  // namespace nexa::orchestration
