// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "core/json.h"
#include "core/near_name.h"
#include "core/utf8.h"

namespace nexa {

namespace {

using Kind = ValueNode::Kind;

std::string_view kind_text(Kind kind) {
    switch (kind) {
        case Kind::kNull:
            return "null";
        case Kind::kBool:
            return "true or false";
        case Kind::kNumber:
            return "a number";
        case Kind::kString:
            return "a string";
        case Kind::kPlain:
            return "a word";
        case Kind::kArray:
            return "an array";
        case Kind::kObject:
            return "an object";
    }
    return "something else";
}

std::string join(std::span<const std::string_view> words) {
    return fmt::format("{}", fmt::join(words, ", "));
}

std::string did_you_mean(std::string_view name, std::span<const std::string_view> candidates) {
    const auto near = nearest(name, candidates);
    return near ? fmt::format("did you mean '{}'?", *near) : std::string();
}

std::string number_text(const RuleValue& value, WideInt unit_ns) {
    if (value.kind == RuleValue::Kind::kWhole) {
        return fmt::format("{}", value.whole);
    }
    const bool is_time = value.kind == RuleValue::Kind::kDuration;
    return fmt::format(
        "{}", is_time ? static_cast<double>(value.whole) / static_cast<double>(unit_ns) : value.real
    );
}

class Decoder {
public:
    explicit Decoder(UnknownKeys unknown_keys) : unknown_keys_(unknown_keys) {}

    void value(const ValueNode& node, const TypeInfo& type, void* out, const FieldRules& rules) {
        switch (type.kind) {
            case TypeKind::kBool:
                return boolean(node, type, out, rules);
            case TypeKind::kInteger:
                return integer(node, type, out, rules);
            case TypeKind::kReal:
                return real(node, type, out, rules);
            case TypeKind::kDuration:
                return duration(node, type, out, rules);
            case TypeKind::kString:
                return string(node, type, out, rules);
            case TypeKind::kText:
                return text_form(node, type, out, rules);
            case TypeKind::kEnum:
                return enumerator(node, type, out, rules);
            case TypeKind::kJson:
                return json_text(node, type, out);
            case TypeKind::kOptional:
                return optional(node, type, out, rules);
            case TypeKind::kArray:
                return array(node, type, out, rules);
            case TypeKind::kMap:
                return map(node, type, out, rules);
            case TypeKind::kStruct:
                return structure(node, *type.structure(), out);
            case TypeKind::kVariant:
                return variant(node, type, out);
        }
    }

    std::vector<DecodeFault> take_faults() { return std::move(faults_); }

private:
    bool full() const { return faults_.size() >= DecodeOptions::kErrorsMax; }

    void fault(const ValueNode& node, Error error) {
        if (full()) {
            return;
        }
        if (!path_.empty()) {
            error = std::move(error).at(path_);
        }
        faults_.push_back({std::move(error), &node});
    }

    /// "must be a number, is 'x'": the value itself stays out of the message where it is a secret.
    void must_be(
        std::string_view what,
        const ValueNode& node,
        const FieldRules& rules,
        std::string_view advice = {}
    ) {
        std::string is(kind_text(node.kind));
        if (rules.is_secret) {
            return fault(node, Error::invalid_argument("must be {}", what).hint(advice));
        }
        if (node.kind == Kind::kString || node.kind == Kind::kPlain) {
            is = fmt::format("'{}'", quotable(node.text));
        } else if (node.kind == Kind::kNumber || node.kind == Kind::kBool) {
            is = quotable(node.text);
        }
        fault(node, Error::invalid_argument("must be {}, is {}", what, is).hint(advice));
    }

    static bool is_number(const ValueNode& node) {
        return node.kind == Kind::kNumber || node.kind == Kind::kPlain;
    }
    static bool is_word(const ValueNode& node) {
        return node.kind == Kind::kString || node.kind == Kind::kPlain;
    }

    void boolean(const ValueNode& node, const TypeInfo& type, void* out, const FieldRules& rules) {
        const bool scalar = node.kind == Kind::kBool || node.kind == Kind::kPlain;
        if (!scalar || (node.text != "true" && node.text != "false")) {
            return must_be("true or false", node, rules);
        }
        type.set_whole(out, node.text == "true" ? 1 : 0);
    }

    void integer(const ValueNode& node, const TypeInfo& type, void* out, const FieldRules& rules) {
        const auto number = is_number(node) ? parse_decimal(node.text) : std::nullopt;
        const bool has_bounds = rules.least.given();
        const WideInt least = has_bounds ? std::max(type.least, rules.least.whole) : type.least;
        const WideInt greatest =
            has_bounds ? std::min(type.greatest, rules.greatest.whole) : type.greatest;
        const auto whole = number ? whole_multiple(*number) : std::nullopt;
        if (whole && *whole >= least && *whole <= greatest) {
            return type.set_whole(out, *whole);
        }
        const bool is_too_big = whole || (number && number->exponent >= 0);
        if (is_too_big) {
            return must_be(fmt::format("from {} to {}", least, greatest), node, rules);
        }
        must_be("a whole number", node, rules);
    }

    void real(const ValueNode& node, const TypeInfo& type, void* out, const FieldRules& rules) {
        const char* const end = node.text.data() + node.text.size();
        double number = 0;
        float narrow = 0;
        std::from_chars_result read{nullptr, std::errc::invalid_argument};
        if (is_number(node) && !node.text.empty()) {
            read = type.is_float ? std::from_chars(node.text.data(), end, narrow)
                                 : std::from_chars(node.text.data(), end, number);
        }
        number = type.is_float ? static_cast<double>(narrow) : number;
        // A number too small to tell from 0 is 0; one too big is refused.
        if (read.ec == std::errc::result_out_of_range && node.kind == Kind::kNumber) {
            const auto decimal = parse_decimal(node.text);
            if (!decimal || decimal->exponent >= 0) {
                return must_be("a number that a double can hold", node, rules);
            }
            number = 0;
        } else if (read.ec != std::errc() || read.ptr != end || !std::isfinite(number)) {
            return must_be("a number", node, rules);
        }
        if (rules.least.given() && (number < rules.least.real || number > rules.greatest.real)) {
            return must_be(
                fmt::format(
                    "from {} to {}", number_text(rules.least, 1), number_text(rules.greatest, 1)
                ),
                node,
                rules
            );
        }
        type.set_real(out, number);
    }

    void duration(const ValueNode& node, const TypeInfo& type, void* out, const FieldRules& rules) {
        const std::string_view unit = duration_unit(rules, type);
        const WideInt unit_ns = unit_nanoseconds(unit);
        const auto number = is_number(node) ? parse_decimal(node.text) : std::nullopt;
        if (!number) {
            return must_be(fmt::format("a number of {}", unit), node, rules);
        }
        const auto ns = whole_multiple(*number, unit_ns);
        if (rules.least.given() && ns && (*ns < rules.least.whole || *ns > rules.greatest.whole)) {
            const std::string least = number_text(rules.least, unit_ns);
            const std::string greatest = number_text(rules.greatest, unit_ns);
            return must_be(fmt::format("from {} to {} {}", least, greatest, unit), node, rules);
        }
        const bool fits = ns && *ns % type.tick_ns == 0 && *ns / type.tick_ns >= type.least &&
                          *ns / type.tick_ns <= type.greatest;
        if (!fits) {
            const bool too_fine = !ns ? number->exponent < 0 : *ns % type.tick_ns != 0;
            const std::string_view tick = duration_unit({}, type);
            return must_be(
                too_fine ? fmt::format("a number of {} without parts finer than 1 {}", unit, tick)
                         : fmt::format("a smaller number of {}", unit),
                node,
                rules
            );
        }
        type.set_whole(out, *ns / type.tick_ns);
    }

    void string(const ValueNode& node, const TypeInfo& type, void* out, const FieldRules& rules) {
        if (!is_word(node)) {
            return must_be("a string", node, rules);
        }
        const std::span choices(rules.choices.begin(), rules.choices.end());
        if (!choices.empty() && std::ranges::find(choices, node.text) == choices.end()) {
            return must_be(
                fmt::format("one of {}", join(choices)),
                node,
                rules,
                rules.is_secret ? std::string() : did_you_mean(node.text, choices)
            );
        }
        if (!within_length(node, utf8_length(node.text), "characters", rules)) {
            return;
        }
        set_text(node, type, out, rules);
    }

    void text_form(
        const ValueNode& node, const TypeInfo& type, void* out, const FieldRules& rules
    ) {
        if (!is_word(node)) {
            return must_be("a string", node, rules);
        }
        set_text(node, type, out, rules);
    }

    void set_text(const ValueNode& node, const TypeInfo& type, void* out, const FieldRules& rules) {
        auto status = type.set_text(out, node.text);
        if (status) {
            return;
        }
        if (rules.is_secret) {
            return must_be("of the right form", node, rules);
        }
        Error error = std::move(status).error();
        error.code = ErrorCode::kInvalidArgument;
        error.message = quotable(error.message, 300);
        fault(node, std::move(error));
    }

    void enumerator(
        const ValueNode& node, const TypeInfo& type, void* out, const FieldRules& rules
    ) {
        std::vector<std::string_view> names;
        for (const NamedValue& row : type.names) {
            if (is_word(node) && row.name == node.text) {
                return type.set_whole(out, row.value);
            }
            names.push_back(row.name);
        }
        must_be(fmt::format("one of {}", join(names)), node, rules, did_you_mean(node.text, names));
    }

    static void json_text(const ValueNode& node, const TypeInfo& type, void* out) {
        // It never refuses.
        static_cast<void>(
            type.set_text(out, node.raw.empty() ? to_json(node) : std::string(node.raw))
        );
    }

    void optional(const ValueNode& node, const TypeInfo& type, void* out, const FieldRules& rules) {
        type.clear(out);
        if (node.kind != Kind::kNull) {
            value(node, *type.element(), type.add(out, {}), rules);
        }
    }

    bool within_length(
        const ValueNode& node, std::size_t length, std::string_view of_what, const FieldRules& rules
    ) {
        if (length >= rules.length_min && length <= rules.length_max) {
            return true;
        }
        const std::string range = rules.length_max == SIZE_MAX
                                      ? fmt::format("at least {}", rules.length_min)
                                      : fmt::format("{} to {}", rules.length_min, rules.length_max);
        fault(node, Error::invalid_argument("must have {} {}, has {}", range, of_what, length));
        return false;
    }

    /// What holds for a vector's elements: its own length was checked, theirs is free.
    static FieldRules element_rules(const FieldRules& rules) {
        FieldRules inner = rules;
        inner.length_min = 0;
        inner.length_max = SIZE_MAX;
        return inner;
    }

    void array(const ValueNode& node, const TypeInfo& type, void* out, const FieldRules& rules) {
        if (node.kind != Kind::kArray) {
            return must_be("an array", node, rules);
        }
        if (!within_length(node, node.items.size(), "entries", rules)) {
            return;
        }
        type.clear(out);
        const FieldRules inner = element_rules(rules);
        const std::size_t length = path_.size();
        for (std::size_t i = 0; i < node.items.size() && !full(); ++i) {
            path_ += fmt::format("[{}]", i);
            value(node.items[i], *type.element(), type.add(out, {}), inner);
            path_.resize(length);
        }
    }

    void map(const ValueNode& node, const TypeInfo& type, void* out, const FieldRules& rules) {
        if (node.kind != Kind::kObject) {
            return must_be("an object", node, rules);
        }
        if (!within_length(node, node.items.size(), "entries", rules)) {
            return;
        }
        type.clear(out);
        const FieldRules inner = element_rules(rules);
        for (std::size_t i = 0; i < node.items.size() && !full(); ++i) {
            const std::size_t length = enter(node.keys[i]);
            value(node.items[i], *type.element(), type.add(out, node.keys[i]), inner);
            path_.resize(length);
        }
    }

    std::size_t enter(std::string_view key) {
        const std::size_t length = path_.size();
        path_ += path_.empty() ? "" : ".";
        path_ += quotable(key);
        return length;
    }

    void structure(const ValueNode& node, const StructInfo& info, void* out) {
        if (node.kind != Kind::kObject) {
            return must_be("an object", node, {});
        }
        const std::size_t faults_before = faults_.size();
        std::vector<const ValueNode*> given(info.fields.size(), nullptr);
        for (std::size_t i = 0; i < node.items.size() && !full(); ++i) {
            const std::size_t length = enter(node.keys[i]);
            member(node.keys[i], node.items[i], info, out, given);
            path_.resize(length);
        }
        for (std::size_t i = 0; i < info.fields.size(); ++i) {
            if (given[i] == nullptr && info.fields[i].rules.is_required) {
                const std::size_t length = enter(info.fields[i].rules.name);
                fault(node, Error::invalid_argument("is missing"));
                path_.resize(length);
            }
        }
        check_type_tag(node, info);
        if (faults_.size() == faults_before && !full()) {
            if (auto status = info.validate(out); !status) {
                fault(node, std::move(status).error());
            }
        }
    }

    void member(
        std::string_view key,
        const ValueNode& node,
        const StructInfo& info,
        void* out,
        std::vector<const ValueNode*>& given
    ) {
        const FieldInfo* field = info.find(key);
        if (field == nullptr) {
            if (key == "type" && !info.type_tag.empty()) {
                return;
            }
            return unknown_key(key, node, info);
        }
        const ValueNode*& before = given[static_cast<std::size_t>(field - info.fields.data())];
        if (before != nullptr) {
            if (!before->same_value(node)) {
                fault(
                    node,
                    Error::invalid_argument("is given twice, by name and alias, and differs")
                        .hint(fmt::format("give only '{}'", field->rules.name))
                );
            }
            return;
        }
        before = &node;
        value(node, *field->type(), field->member(out), field->rules);
    }

    void unknown_key(std::string_view key, const ValueNode& node, const StructInfo& info) {
        if (unknown_keys_ == UnknownKeys::kIgnore) {
            return;
        }
        std::vector<std::string_view> names;
        for (const FieldInfo& field : info.fields) {
            names.push_back(field.rules.name);
            names.insert(names.end(), field.rules.aliases.begin(), field.rules.aliases.end());
        }
        fault(
            node,
            Error::invalid_argument("no such field in {}", info.name).hint(did_you_mean(key, names))
        );
    }

    void check_type_tag(const ValueNode& node, const StructInfo& info) {
        if (info.type_tag.empty() || is_tag(node.find("type"), info.type_tag)) {
            return;
        }
        const std::size_t length = enter("type");
        fault(node, Error::invalid_argument("must be '{}'", info.type_tag));
        path_.resize(length);
    }

    static bool is_tag(const ValueNode* node, std::string_view tag) {
        return node != nullptr && is_word(*node) && node->text == tag;
    }

    void variant(const ValueNode& node, const TypeInfo& type, void* out) {
        if (node.kind != Kind::kObject) {
            return must_be("an object", node, {});
        }
        const ValueNode* const tag = node.find("type");
        std::vector<std::string_view> tags;
        for (std::size_t i = 0; i < type.alternatives.size(); ++i) {
            const StructInfo& alternative = *type.alternatives[i]();
            if (is_tag(tag, alternative.type_tag)) {
                return structure(node, alternative, type.emplace(out, i));
            }
            tags.push_back(alternative.type_tag);
        }
        const std::size_t length = enter("type");
        if (tag == nullptr) {
            fault(
                node,
                Error::invalid_argument("is missing").hint(fmt::format("one of {}", join(tags)))
            );
        } else {
            must_be(fmt::format("one of {}", join(tags)), *tag, {}, did_you_mean(tag->text, tags));
        }
        path_.resize(length);
    }

    UnknownKeys unknown_keys_;
    std::string path_;
    std::vector<DecodeFault> faults_;
};

}  // namespace

Error DecodeFault::in(std::string_view source) const {
    Error located = error;
    if (!source.empty() && node != nullptr && node->line > 0) {
        const std::string_view colon = error.param.empty() ? "" : ": ";
        located.param = fmt::format("{}:{}{}{}", source, node->line, colon, error.param);
    }
    return located;
}

std::vector<DecodeFault> decode(
    const ValueNode& node, const TypeInfo& type, void* out, UnknownKeys unknown_keys
) {
    Decoder decoder(unknown_keys);
    decoder.value(node, type, out, {});
    return decoder.take_faults();
}

namespace internal {

Status decode_json(
    std::string_view text, const TypeInfo& type, void* out, const DecodeOptions& options
) {
    std::vector<Error> errors;
    auto node = parse_json(text, options.limits);
    if (!node) {
        errors.push_back(std::move(node).error());
    } else {
        for (DecodeFault& fault : decode(*node, type, out, options.unknown_keys)) {
            errors.push_back(std::move(fault.error));
        }
    }
    if (errors.empty()) {
        return {};
    }
    Error first = errors.front();
    if (options.all_errors != nullptr) {
        *options.all_errors = std::move(errors);
    }
    return first;
}

}  // namespace internal

}  // namespace nexa
