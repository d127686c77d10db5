// SPDX-License-Identifier: Apache-2.0
#include "gateway/body_fields_internal.h"

#include <charconv>
#include <cmath>
#include <utility>
#include <vector>

#include "core/near_name.h"

namespace nexa::gateway {

namespace {

template <class Number>
std::optional<Number> read_number(const std::string& text) {
    Number value{};
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool whole = failed == std::errc() && end == text.data() + text.size();
    return whole ? std::optional(value) : std::nullopt;
}

/// 16.0 and 1e2 are whole numbers too.
std::optional<std::int64_t> read_whole(const std::string& text) {
    if (const auto whole = read_number<std::int64_t>(text)) {
        return whole;
    }
    const auto real = read_number<double>(text);
    constexpr double kExact = 9007199254740992.0;
    if (!real || std::trunc(*real) != *real || std::abs(*real) > kExact) {
        return std::nullopt;
    }
    return static_cast<std::int64_t>(*real);
}

}  // namespace

net::HttpError refused_field(std::string code, Error error) {
    return {.error = std::move(error), .status = 400, .openai_code = std::move(code)};
}

BodyFields::BodyFields(const ValueNode& object, std::string place)
    : object_(object), place_(std::move(place)) {}

std::string BodyFields::at(std::string_view name) const {
    return place_.empty() ? std::string(name) : fmt::format("{}.{}", place_, name);
}

void BodyFields::refuse(net::HttpError refusal) {
    if (!refusal_) {
        refusal_ = std::move(refusal);
    }
}

void BodyFields::refuse_type(std::string_view name, std::string_view wanted) {
    refuse(refused_field(
        "invalid_type", Error::invalid_argument("{} must be {}", at(name), wanted).at(at(name))
    ));
}

const ValueNode* BodyFields::take(std::string_view name) {
    taken_.emplace(name);
    const ValueNode* value = object_.find(name);
    return value != nullptr && value->kind != ValueNode::Kind::kNull ? value : nullptr;
}

const ValueNode* BodyFields::require(std::string_view name) {
    const ValueNode* value = take(name);
    if (value == nullptr) {
        refuse(refused_field(
            "missing_required_parameter",
            Error::invalid_argument("you must provide {}", at(name)).at(at(name))
        ));
    }
    return value;
}

std::optional<std::string> BodyFields::text(std::string_view name) {
    const ValueNode* value = take(name);
    if (value == nullptr) {
        return std::nullopt;
    }
    if (value->kind != ValueNode::Kind::kString) {
        refuse_type(name, "a string");
        return std::nullopt;
    }
    return value->text;
}

std::optional<bool> BodyFields::flag(std::string_view name) {
    const ValueNode* value = take(name);
    if (value == nullptr) {
        return std::nullopt;
    }
    if (value->kind != ValueNode::Kind::kBool) {
        refuse_type(name, "true or false");
        return std::nullopt;
    }
    return value->text == "true";
}

std::optional<double> BodyFields::number(std::string_view name, double least, double greatest) {
    const ValueNode* value = take(name);
    if (value == nullptr) {
        return std::nullopt;
    }
    const auto number =
        value->kind == ValueNode::Kind::kNumber ? read_number<double>(value->text) : std::nullopt;
    if (!number) {
        refuse_type(name, "a number");
        return std::nullopt;
    }
    if (!(*number >= least && *number <= greatest)) {
        refuse(refused_field(
            *number < least ? "decimal_below_min_value" : "decimal_above_max_value",
            Error::invalid_argument(
                "{} must be from {} to {}, is {}", at(name), least, greatest, value->text
            )
                .at(at(name))
        ));
        return std::nullopt;
    }
    return number;
}

std::optional<std::int64_t> BodyFields::whole(std::string_view name, std::int64_t least) {
    const ValueNode* value = take(name);
    if (value == nullptr) {
        return std::nullopt;
    }
    const auto number =
        value->kind == ValueNode::Kind::kNumber ? read_whole(value->text) : std::nullopt;
    if (!number) {
        refuse_type(name, "a whole number");
        return std::nullopt;
    }
    if (*number < least) {
        refuse(refused_field(
            "integer_below_min_value",
            Error::invalid_argument("{} must be at least {}, is {}", at(name), least, *number)
                .at(at(name))
        ));
        return std::nullopt;
    }
    return number;
}

void BodyFields::refuse_the_rest() {
    const std::vector<std::string_view> known(taken_.begin(), taken_.end());
    for (const std::string& name : object_.keys) {
        if (taken_.contains(name)) {
            continue;
        }
        Error error = Error::invalid_argument("there is no parameter {}", at(name)).at(at(name));
        if (const auto near = nearest(name, known)) {
            error = std::move(error).hint(fmt::format("did you mean {}?", *near));
        }
        refuse(refused_field("unknown_parameter", std::move(error)));
        return;
    }
}

}  // namespace nexa::gateway
