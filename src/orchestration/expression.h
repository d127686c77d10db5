// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/value_node.h"

namespace nexa::orchestration {

/// "steps.audit.outputs.metrics['rows.kept']", one name an entry.
using ReferencePath = std::vector<std::string>;

/// What a reference stands for: null if there is no such value, nothing if it cannot be known yet.
/// success(), failure() and always() are asked for as a path of that one name, with its brackets.
using Lookup = std::function<std::optional<ValueNode>(const ReferencePath&)>;

/// What stands between ${{ and }} in a workflow, and behind `if`: references, numbers, 'text',
/// true, false, null; || && ! == != < <= > >= ( ) [ ]; contains(list or text, x),
/// tier_at_least(tier, 'B'), success(), failure(), always(). As in the workflows that people know,
/// || and && give one of their operands; false, null, 0 and '' count as false. Values of different
/// kinds are never equal, and only numbers have an order.
///
/// A value; thread-safe once made. Neither parsing nor evaluating blocks.
class Expression {
public:
    /// At most 4096 bytes, nested at most 32 deep. Errors: kInvalidArgument, saying at which
    /// character.
    static Result<Expression> parse(std::string_view text);

    /// The value; nothing if it depends on what cannot be known yet. Errors: kInvalidArgument (an
    /// order of what are no numbers, a tier that is none).
    Result<std::optional<ValueNode>> evaluate(const Lookup& lookup) const;

    /// Every reference in it, without the functions.
    std::vector<ReferencePath> references() const;
    /// True if it asks success(), failure() or always(): then the step is judged by it also when a
    /// step before it did not complete.
    bool asks_for_status() const;

    enum class Kind : std::uint8_t {
        kLiteral,
        kReference,
        kStatus,
        kNot,
        kAnd,
        kOr,
        kEqual,
        kUnequal,
        kLess,
        kLessOrEqual,
        kGreater,
        kGreaterOrEqual,
        kIndex,  ///< left[right]
        kContains,
        kTierAtLeast,
    };
    /// One operator or leaf; its operands are nodes before it.
    struct Node {
        Kind kind = Kind::kLiteral;
        ValueNode literal{};
        ReferencePath path{};
        int left = -1;
        int right = -1;
    };

private:
    explicit Expression(std::vector<Node> nodes) : nodes_(std::move(nodes)) {}

    std::vector<Node> nodes_;  ///< the last one is the whole
};

/// What a path of names and numbers, from its place `from` on, gives in a tree: null where it leads
/// nowhere.
ValueNode value_at(const ValueNode& root, const ReferencePath& path, std::size_t from);

/// False for false, null, 0 and ''.
bool is_true(const ValueNode& value);

/// True if a text in `node`, at whatever depth, holds "${{".
bool has_expressions(const ValueNode& node);

/// Every expression in the texts of `node`. Errors: kInvalidArgument, at the path below `node`.
Result<std::vector<Expression>> expressions_in(const ValueNode& node);

/// `node` with its expressions replaced. A text that is one expression and nothing else becomes its
/// value, of whatever kind; within a longer text the value has to be a scalar, and null is ''.
/// Nothing if it depends on what cannot be known yet. Errors: kInvalidArgument, as above, and if
/// the values put in come to more than 1 MiB.
Result<std::optional<ValueNode>> substitute(const ValueNode& node, const Lookup& lookup);

/// A tree that stands for itself: words without quotes become what they look like, and nothing
/// points into the text it was read from. Lines stay.
ValueNode settled(ValueNode node);

}  // namespace nexa::orchestration
