// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/type_info.h"
#include "core/value_node.h"

namespace nexa {

enum class UnknownKeys : std::uint8_t {
    kRefuse,  ///< specs, settings, requests: a misspelled key must not be lost
    kIgnore,  ///< messages of a peer that may be newer
};

struct DecodeOptions {
    ParseLimits limits{};
    UnknownKeys unknown_keys = UnknownKeys::kRefuse;
    /// If given, gets every error (at most kErrorsMax), of which the first is returned too.
    std::vector<Error>* all_errors = nullptr;

    static constexpr std::size_t kErrorsMax = 11;
};

/// One thing wrong with a tree of values, and the value it is about (for a missing field, the
/// object that lacks it).
struct DecodeFault {
    Error error;  ///< kInvalidArgument, `param` is the path
    const ValueNode* node = nullptr;

    /// The error, at "`source`:3: epochs" if the value stands in a line.
    Error in(std::string_view source) const;
};

/// Fills `out`, an object of `type` that holds its defaults, from `node`. What the node does not
/// name keeps its value; vectors, maps and variants are replaced whole. Returns what is wrong, in
/// the order of the document and then of the fields; empty if all is well, else `out` is unusable.
/// No value of a secret field is in any message.
std::vector<DecodeFault> decode(
    const ValueNode& node, const TypeInfo& type, void* out, UnknownKeys unknown_keys
);

enum class SecretFields : std::uint8_t {
    kShow,
    kMask,  ///< "[secret]" in place of what is set, for logs and lists
};

/// `value`, an object of `type`, as JSON: keys in the order of the field list, no spaces. Empty
/// optionals and text forms that are not set are left out; NaN and infinity are null; what is no
/// UTF-8 in a string becomes U+FFFD.
std::string encode(
    const void* value, const TypeInfo& type, SecretFields secrets = SecretFields::kShow
);

/// A tree of values as JSON; `kPlain` words by what they look like.
std::string to_json(const ValueNode& node);

namespace internal {
Status decode_json(
    std::string_view text, const TypeInfo& type, void* out, const DecodeOptions& options
);
}  // namespace internal

/// Reads one T: a struct with NEXA_JSON_CODEC, or a vector of them. Thread-safe; does not block.
/// Errors: kMalformed ("line 3, column 7"), kInvalidArgument ("payload.rows[3].text").
template <class T>
Result<T> from_json(std::string_view text, const DecodeOptions& options = {}) {
    T value{};
    auto status = internal::decode_json(text, type_info<T>(), &value, options);
    if (!status) {
        return std::move(status).error();
    }
    return value;
}

template <class T>
std::string to_json(const T& value) {
    return encode(&value, type_info<T>());
}

/// JSON Schema 2020-12 of a struct, standing alone: nested structs are in its $defs. Indented, for
/// readers and for comparing with a checked-in file. Aliases are not in it: it says how to write.
std::string json_schema(const TypeInfo& type);

template <class T>
std::string json_schema() {
    return json_schema(type_info<T>());
}

/// The object that stands at `components.schemas` of an OpenAPI 3.1 document: these structs and
/// every struct in them, each once, sorted by name.
std::string openapi_schemas(std::span<const TypeInfo* const> types);

}  // namespace nexa
