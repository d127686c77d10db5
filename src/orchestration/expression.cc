// SPDX-License-Identifier: Apache-2.0
#include "orchestration/expression.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include "core/json.h"
#include "core/utf8.h"
#include "orchestration/expression_parser_internal.h"

namespace nexa::orchestration {

namespace {

constexpr std::size_t kSubstitutedMax = std::size_t{1} << 20;

using Kind = Expression::Kind;
using Node = Expression::Node;
using ValueKind = ValueNode::Kind;

constexpr std::string_view kOpen = "${{";
constexpr std::string_view kClose = "}}";
/// Best first.
constexpr std::array<std::string_view, 11> kTiers{
    "A+", "A", "A-", "B+", "B", "B-", "C+", "C", "C-", "D", "F"
};

ValueNode text_value(std::string text) {
    return {.kind = ValueKind::kString, .text = std::move(text)};
}
ValueNode bool_value(bool value) {
    return {.kind = ValueKind::kBool, .text = value ? "true" : "false"};
}

std::optional<double> number_of(const ValueNode& value) {
    double number = 0;
    const char* const end = value.text.data() + value.text.size();
    if (value.kind != ValueKind::kNumber ||
        std::from_chars(value.text.data(), end, number).ec != std::errc()) {
        return std::nullopt;
    }
    return number;
}

bool equal(const ValueNode& a, const ValueNode& b) {
    const auto left = number_of(a);
    const auto right = number_of(b);
    if (left && right) {
        return *left == *right;
    }
    return (a.kind == ValueKind::kNull && b.kind == ValueKind::kNull) || a.same_value(b);
}

bool contains(const ValueNode& whole, const ValueNode& part) {
    if (whole.kind == ValueKind::kArray) {
        return std::ranges::any_of(whole.items, [&](const ValueNode& item) {
            return equal(item, part);
        });
    }
    return whole.kind == ValueKind::kString && part.kind == ValueKind::kString &&
           whole.text.find(part.text) != std::string::npos;
}

Result<std::size_t> tier_rank(const ValueNode& value) {
    const auto found = std::ranges::find(kTiers, value.text);
    if (value.kind != ValueKind::kString || found == kTiers.end()) {
        return Error::invalid_argument("{} is no quality tier", quotable(to_json(value), 40))
            .hint(fmt::format("the tiers are {}", fmt::join(kTiers, ", ")));
    }
    return static_cast<std::size_t>(found - kTiers.begin());
}

Result<bool> compare(Kind kind, const ValueNode& a, const ValueNode& b) {
    const auto left = number_of(a);
    const auto right = number_of(b);
    if (!left || !right) {
        return Error::invalid_argument(
                   "{} is not a number and has no order", quotable(to_json(left ? b : a), 40)
        )
            .hint("null stands for what is not there: look at the result of the step");
    }
    switch (kind) {
        case Kind::kLess:
            return *left < *right;
        case Kind::kLessOrEqual:
            return *left <= *right;
        case Kind::kGreater:
            return *left > *right;
        default:
            return *left >= *right;
    }
}

Result<bool> judge(Kind kind, const ValueNode& left, const ValueNode& right) {
    switch (kind) {
        case Kind::kEqual:
            return equal(left, right);
        case Kind::kUnequal:
            return !equal(left, right);
        case Kind::kContains:
            return contains(left, right);
        case Kind::kTierAtLeast: {
            TRY(const std::size_t has, tier_rank(left));
            TRY(const std::size_t wanted, tier_rank(right));
            return has <= wanted;
        }
        default:
            return compare(kind, left, right);
    }
}

using Known = std::optional<ValueNode>;

/// Evaluates what is asked for and nothing else: `a != null && a > 1` is no error where a is null.
class Evaluator {
public:
    Evaluator(const std::vector<Node>& nodes, const Lookup& lookup)
        : nodes_(nodes), lookup_(lookup) {}

    Result<Known> value(int index) const {
        const Node& node = nodes_[static_cast<std::size_t>(index)];
        switch (node.kind) {
            case Kind::kLiteral:
                return Known(node.literal);
            case Kind::kReference:
            case Kind::kStatus:
                return lookup_(node.path);
            case Kind::kNot: {
                TRY(const Known inner, value(node.left));
                return inner ? Known(bool_value(!is_true(*inner))) : Known();
            }
            case Kind::kAnd:
            case Kind::kOr:
                return both_or_either(node);
            case Kind::kIndex:
                return indexed(node);
            default:
                return judged(node);
        }
    }

private:
    Result<Known> indexed(const Node& node) const {
        TRY(const Known whole, value(node.left));
        TRY(const Known index, value(node.right));
        return whole && index ? Known(value_at(*whole, {index->text}, 0)) : Known();
    }

    /// false && what nobody knows is false; true && that is not known either.
    Result<Known> both_or_either(const Node& node) const {
        const bool decides = node.kind == Kind::kOr;
        TRY(Known left, value(node.left));
        if (left && is_true(*left) == decides) {
            return left;
        }
        TRY(Known right, value(node.right));
        const bool is_known = left || (right && is_true(*right) == decides);
        return is_known ? std::move(right) : Known();
    }

    Result<Known> judged(const Node& node) const {
        TRY(const Known left, value(node.left));
        TRY(const Known right, value(node.right));
        if (!left || !right) {
            return Known();
        }
        TRY(const bool holds, judge(node.kind, *left, *right));
        return Known(bool_value(holds));
    }

    const std::vector<Node>& nodes_;
    const Lookup& lookup_;
};

/// A piece of a text: what stands between ${{ and }}, or beside it.
struct Piece {
    bool is_expression = false;
    std::string_view text;
};

/// Where the expression that begins at `from` ends; npos if it does not.
std::size_t find_close(std::string_view text, std::size_t from) {
    char quote = '\0';
    for (std::size_t at = from; at < text.size(); ++at) {
        if (quote != '\0') {
            quote = text[at] == quote ? '\0' : quote;
        } else if (text[at] == '\'' || text[at] == '"') {
            quote = text[at];
        } else if (text.substr(at).starts_with(kClose)) {
            return at;
        }
    }
    return std::string_view::npos;
}

Result<std::vector<Piece>> pieces_of(std::string_view text) {
    std::vector<Piece> pieces;
    while (!text.empty()) {
        const std::size_t open = text.find(kOpen);
        if (open != 0) {
            pieces.push_back({.text = text.substr(0, open)});
        }
        if (open == std::string_view::npos) {
            break;
        }
        const std::size_t begin = open + kOpen.size();
        const std::size_t close = find_close(text, begin);
        if (close == std::string_view::npos) {
            return Error::invalid_argument("'{}' has no closing }}}}", quotable(text, 80));
        }
        pieces.push_back({.is_expression = true, .text = text.substr(begin, close - begin)});
        text.remove_prefix(close + kClose.size());
    }
    return pieces;
}

bool is_text(const ValueNode& node) {
    return node.kind == ValueKind::kString || node.kind == ValueKind::kPlain;
}

std::string place_of(const ValueNode& node, std::size_t i) {
    return node.kind == ValueKind::kObject ? node.keys[i] : fmt::format("[{}]", i);
}

Status collect(const ValueNode& node, std::vector<Expression>& found) {
    if (is_text(node)) {
        TRY(const auto pieces, pieces_of(node.text));
        for (const Piece& piece : pieces) {
            if (piece.is_expression) {
                TRY(Expression expression, Expression::parse(piece.text));
                found.push_back(std::move(expression));
            }
        }
        return {};
    }
    for (std::size_t i = 0; i < node.items.size(); ++i) {
        if (Status status = collect(node.items[i], found); !status) {
            return std::move(status).error().at(place_of(node, i));
        }
    }
    return {};
}

Result<Known> value_of(std::string_view text, const Lookup& lookup) {
    TRY(const Expression expression, Expression::parse(text));
    return expression.evaluate(lookup);
}

std::size_t size_of(const ValueNode& value) {
    std::size_t size = 1 + value.text.size();
    for (const ValueNode& item : value.items) {
        size += size_of(item);
    }
    return size;
}

/// How much one substitution may still make: a short text can name a long value thousands of times.
class Allowance {
public:
    Status take(const ValueNode& value) {
        const std::size_t size = size_of(value);
        if (size > left_) {
            return Error::invalid_argument(
                       "what stands between ${{{{ and }}}} makes more than {} bytes",
                       kSubstitutedMax
            )
                .hint("pass large values on as datasets");
        }
        left_ -= size;
        return {};
    }

private:
    std::size_t left_ = kSubstitutedMax;
};

Result<Known> substitute_text(const ValueNode& node, const Lookup& lookup, Allowance& allowance) {
    TRY(const auto pieces, pieces_of(node.text));
    if (pieces.size() == 1 && pieces.front().is_expression) {
        TRY(Known whole, value_of(pieces.front().text, lookup));
        if (whole) {
            TRY_STATUS(allowance.take(*whole));
        }
        return whole;
    }
    std::string text;
    for (const Piece& piece : pieces) {
        if (!piece.is_expression) {
            text += piece.text;
            continue;
        }
        TRY(const Known value, value_of(piece.text, lookup));
        if (!value) {
            return Known();
        }
        if (value->kind == ValueKind::kArray || value->kind == ValueKind::kObject) {
            return Error::invalid_argument(
                "'{}' is no single value to put into a text", quotable(piece.text, 80)
            );
        }
        TRY_STATUS(allowance.take(*value));
        text += value->kind == ValueKind::kNull ? std::string() : value->text;
    }
    return Known(text_value(std::move(text)));
}

Result<Known> substitute_within(const ValueNode& node, const Lookup& lookup, Allowance& allowance) {
    if (!has_expressions(node)) {
        return Known(node);
    }
    if (is_text(node)) {
        return substitute_text(node, lookup, allowance);
    }
    ValueNode made{.kind = node.kind, .line = node.line, .keys = node.keys};
    for (std::size_t i = 0; i < node.items.size(); ++i) {
        auto item = substitute_within(node.items[i], lookup, allowance);
        if (!item) {
            return std::move(item).error().at(place_of(node, i));
        }
        Known value = *std::move(item);
        if (!value) {
            return Known();
        }
        made.items.push_back(*std::move(value));
        made.items.back().line = node.items[i].line;
    }
    return Known(std::move(made));
}

}  // namespace

Result<Expression> Expression::parse(std::string_view text) {
    TRY(auto nodes, parse_nodes(text));
    return Expression(std::move(nodes));
}

Result<std::optional<ValueNode>> Expression::evaluate(const Lookup& lookup) const {
    return Evaluator(nodes_, lookup).value(static_cast<int>(nodes_.size()) - 1);
}

std::vector<ReferencePath> Expression::references() const {
    std::vector<ReferencePath> found;
    for (const Node& node : nodes_) {
        if (node.kind == Kind::kReference) {
            found.push_back(node.path);
        }
    }
    return found;
}

bool Expression::asks_for_status() const {
    return std::ranges::any_of(nodes_, [](const Node& node) { return node.kind == Kind::kStatus; });
}

ValueNode value_at(const ValueNode& root, const ReferencePath& path, std::size_t from) {
    const ValueNode* at = &root;
    for (std::size_t i = from; i < path.size() && at != nullptr; ++i) {
        if (at->kind == ValueKind::kObject) {
            at = at->find(path[i]);
            continue;
        }
        std::size_t index = 0;
        const char* const end = path[i].data() + path[i].size();
        const auto read = std::from_chars(path[i].data(), end, index);
        const bool is_there = at->kind == ValueKind::kArray && read.ec == std::errc() &&
                              read.ptr == end && index < at->items.size();
        at = is_there ? &at->items[index] : nullptr;
    }
    return at != nullptr ? settled(*at) : ValueNode{};
}

bool is_true(const ValueNode& value) {
    switch (value.kind) {
        case ValueKind::kNull:
            return false;
        case ValueKind::kBool:
            return value.text == "true";
        case ValueKind::kNumber:
            return number_of(value) != 0.0;
        case ValueKind::kString:
        case ValueKind::kPlain:
            return !value.text.empty();
        default:
            return true;
    }
}

bool has_expressions(const ValueNode& node) {
    return is_text(node) ? node.text.find(kOpen) != std::string::npos
                         : std::ranges::any_of(node.items, has_expressions);
}

Result<std::vector<Expression>> expressions_in(const ValueNode& node) {
    std::vector<Expression> found;
    TRY_STATUS(collect(node, found));
    return found;
}

Result<std::optional<ValueNode>> substitute(const ValueNode& node, const Lookup& lookup) {
    Allowance allowance;
    return substitute_within(node, lookup, allowance);
}

ValueNode settled(ValueNode node) {
    node.raw = {};
    if (node.kind == ValueKind::kPlain) {
        const auto parsed = parse_json(node.text);
        const bool is_null = node.text.empty() || node.text == "~" || node.text == "null";
        node.kind = is_null ? ValueKind::kNull : ValueKind::kString;
        if (!is_null && parsed &&
            (parsed->kind == ValueKind::kNumber || parsed->kind == ValueKind::kBool)) {
            node.kind = parsed->kind;
        }
    }
    for (ValueNode& item : node.items) {
        item = settled(std::move(item));
    }
    return node;
}

}  // namespace nexa::orchestration
