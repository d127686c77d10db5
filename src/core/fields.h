// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <vector>

#include "core/check.h"
#include "core/decimal.h"
#include "core/strong.h"

/// The one description of a border struct: its JSON codec, JSON Schema, OpenAPI component, setting,
/// flag and reference page all come from this list. A member's initial value is its default.
///
///     struct TrainSpec {
///         std::string model_id;
///         int epochs = 3;
///
///         static constexpr auto fields() {
///             return std::tuple{
///                 field("model_id", &TrainSpec::model_id, "Model to start from").required(),
///                 field("epochs", &TrainSpec::epochs, "Passes over the data").within(1, 1000),
///             };
///         }
///     };
///
/// and `NEXA_JSON_CODEC(TrainSpec)` (core/json_codec.h) in the .cc that owns it; users include
/// core/json.h. A struct may also have:
///   `static constexpr std::string_view kName`: its public name, if not the type's own;
///   `static constexpr std::string_view kType`: it is written with a first key "type" of that
///   value,
///       which makes it fit for a std::variant;
///   `Status validate() const`: what one field alone cannot say; called after a faultless decode.
///
/// Members may be bool, integers, float, double, std::string, Strong<>, std::chrono durations,
/// enums with names (core/enum_names.h), whatever has a text form (core/text_form.h: ids,
/// timestamps), JsonText, structs with fields, and std::optional, std::vector,
/// std::map<std::string, …> of them, and std::variant of structs with kType.
namespace nexa {

/// A limit or an example, as it is written in the list. Durations are held in nanoseconds.
struct RuleValue {
    enum class Kind : std::uint8_t { kNone, kBool, kWhole, kReal, kDuration, kText };
    Kind kind = Kind::kNone;
    WideInt whole = 0;
    double real = 0;
    std::string_view text;

    constexpr RuleValue() = default;
    template <class V>
    constexpr RuleValue(const V& value) {  // NOLINT(google-explicit-constructor): within(1, 5)
        if constexpr (std::same_as<V, bool>) {
            kind = Kind::kBool;
            whole = value;
        } else if constexpr (std::integral<V>) {
            kind = Kind::kWhole;
            whole = value;
            real = static_cast<double>(value);
        } else if constexpr (std::floating_point<V>) {
            kind = Kind::kReal;
            real = value;
        } else if constexpr (std::convertible_to<V, std::string_view>) {
            kind = Kind::kText;
            text = value;
        } else {
            kind = Kind::kDuration;
            whole = std::chrono::duration_cast<std::chrono::nanoseconds>(value).count();
        }
    }
    constexpr bool given() const { return kind != Kind::kNone; }
};

/// A short list of words, held by value because the field list is a constant.
template <std::size_t N>
struct WordList {
    std::array<std::string_view, N> words{};
    std::size_t count = 0;

    constexpr void add(std::string_view word) {
        NEXA_CHECK(count < N);  // at compile time: one word too many for the list
        words[count++] = word;
    }
    constexpr const std::string_view* begin() const { return words.data(); }
    constexpr const std::string_view* end() const { return words.data() + count; }
    constexpr bool empty() const { return count == 0; }
};

/// What a field says about itself, whatever its type.
struct FieldRules {
    std::string_view name;
    std::string_view help;  ///< no full stop
    std::string_view unit;  ///< "s", "tokens"; for durations also what the number counts
    RuleValue least;        ///< of the number, or of each in a vector or map
    RuleValue greatest;
    RuleValue example;
    std::size_t length_min = 0;  ///< code points of a string, entries of a vector or map
    std::size_t length_max = SIZE_MAX;
    WordList<24> choices;  ///< of a string, or of each in a vector or map; empty: any
    WordList<4> aliases;
    bool is_required = false;
    bool is_secret = false;
    bool is_null_when_empty = false;
};

namespace internal {

/// What is left of a member's type without optional, vector and map: limits are about that.
template <class M>
struct Leaf {
    using Type = M;
};
template <class M>
struct Leaf<std::optional<M>> : Leaf<M> {};
template <class M>
struct Leaf<std::vector<M>> : Leaf<M> {};
template <class M>
struct Leaf<std::map<std::string, M>> : Leaf<M> {};
template <class V, class Tag>
struct Leaf<Strong<V, Tag>> : Leaf<V> {};

template <class M>
inline constexpr bool kIsOptional = false;
template <class M>
inline constexpr bool kIsOptional<std::optional<M>> = true;
template <class M>
inline constexpr bool kIsDuration = false;
template <class Rep, class Period>
inline constexpr bool kIsDuration<std::chrono::duration<Rep, Period>> = true;

constexpr bool is_time_unit(std::string_view unit) {
    for (const std::string_view known : {"ns", "us", "ms", "s", "min", "h", "d"}) {
        if (unit == known) {
            return true;
        }
    }
    return false;
}

}  // namespace internal

/// One member of `T` and its rules. Every call gives a changed copy; what does not fit the member's
/// type does not compile.
template <class T, class M>
class Field {
    using Leaf = typename internal::Leaf<M>::Type;
    static constexpr bool kDuration = internal::kIsDuration<Leaf>;

public:
    using Owner = T;
    using Member = M;

    constexpr Field(std::string_view name, M T::* member, std::string_view help) : member_(member) {
        NEXA_CHECK(!name.empty() && !help.empty());
        rules_.name = name;
        rules_.help = help;
    }

    /// Must be there in the input. Everything else has a default: the member's initial value.
    constexpr Field required() const {
        return changed([](FieldRules& rules) { rules.is_required = true; });
    }
    /// Both ends are allowed. Of a duration, durations: `.within(1s, 24h)`.
    template <class Low, class High>
    constexpr Field within(Low low, High high) const {
        if constexpr (kDuration) {
            static_assert(internal::kIsDuration<Low> && internal::kIsDuration<High>);
        } else if constexpr (std::integral<Leaf>) {
            static_assert(std::integral<Low> && std::integral<High> && !std::same_as<Leaf, bool>);
        } else {
            static_assert(std::floating_point<Leaf> && std::is_arithmetic_v<Low>);
            static_assert(std::is_arithmetic_v<High>);
        }
        return changed([&](FieldRules& rules) {
            rules.least = low;
            rules.greatest = high;
        });
    }
    /// What the number counts. A duration is written as a number of this unit ("ns" to "d");
    /// without it, of its own type's.
    constexpr Field unit(std::string_view name) const {
        NEXA_CHECK(!kDuration || internal::is_time_unit(name));
        return changed([&](FieldRules& rules) { rules.unit = name; });
    }
    /// A value for the documents; must itself be valid. Strings, ids, enums: the text.
    template <class V>
    constexpr Field example(const V& value) const {
        return changed([&](FieldRules& rules) { rules.example = RuleValue(value); });
    }
    constexpr Field example(const char* text) const { return example(std::string_view(text)); }
    /// Never in a message, a log or a list of settings; settings take it from files and the
    /// environment only.
    constexpr Field secret() const {
        return changed([](FieldRules& rules) { rules.is_secret = true; });
    }
    /// Another name taken on input. Both given with different values is an error.
    constexpr Field alias(std::string_view name) const {
        return changed([&](FieldRules& rules) { rules.aliases.add(name); });
    }
    template <std::size_t N>
    constexpr Field one_of(const std::string_view (&words)[N]) const {
        static_assert(std::same_as<Leaf, std::string>);
        return changed([&](FieldRules& rules) {
            for (const std::string_view word : words) {
                rules.choices.add(word);
            }
        });
    }
    /// Code points of a string, entries of a vector or map. Both ends are allowed.
    constexpr Field length(std::size_t least, std::size_t greatest) const {
        static_assert(requires(const M& member) { member.size(); } || internal::kIsOptional<M>);
        NEXA_CHECK(least <= greatest);
        return changed([&](FieldRules& rules) {
            rules.length_min = least;
            rules.length_max = greatest;
        });
    }
    /// An empty optional is written as null instead of being left out.
    constexpr Field null_when_empty() const {
        static_assert(internal::kIsOptional<M>);
        return changed([](FieldRules& rules) { rules.is_null_when_empty = true; });
    }

    constexpr const FieldRules& rules() const { return rules_; }
    constexpr M T::* member() const { return member_; }

private:
    template <class Change>
    constexpr Field changed(const Change& change) const {
        Field copy = *this;
        change(copy.rules_);
        return copy;
    }

    M T::* member_;
    FieldRules rules_;
};

template <class T, class M>
constexpr Field<T, M> field(std::string_view name, M T::* member, std::string_view help) {
    return Field<T, M>(name, member, help);
}

template <class T>
concept HasFields =
    std::is_class_v<T> && requires { std::tuple_size<decltype(T::fields())>::value; };

}  // namespace nexa
