// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace nexa {

/// One value of outside data, parsed but not yet understood: what decode() turns into a struct.
/// JSON makes it here, YAML, environment and flags in config.
struct ValueNode {
    enum class Kind : std::uint8_t {
        kNull,
        kBool,    ///< `text` is "true" or "false"
        kNumber,  ///< `text` is the JSON number as written
        kString,
        kPlain,  ///< a word without quotes (YAML, environment): the field's type says what it is
        kArray,
        kObject,
    };

    Kind kind = Kind::kNull;
    std::uint16_t source = 0;         ///< which of several sources: the number is their reader's
    std::uint32_t line = 0;           ///< from 1; 0 if the source has none
    std::string text{};               ///< of scalars
    std::string_view raw{};           ///< JSON as written; empty if the source was none
    std::vector<std::string> keys{};  ///< of an object, beside `items`; unique
    std::vector<ValueNode> items{};

    /// The member of that name, or nullptr.
    const ValueNode* find(std::string_view key) const;
    /// The same value, wherever it stood; numbers as written, keys in the same order.
    bool same_value(const ValueNode& other) const;
};

struct ParseLimits {
    std::size_t bytes_max = std::size_t{16} << 20;
    std::size_t depth_max = 64;          ///< arrays and objects in one another
    std::size_t values_max = 1'000'000;  ///< bounds the memory: about 150 bytes a value
};

/// Parses one JSON value (RFC 8259, strictly; nothing but white space behind it). `raw` points into
/// `text`, which must outlive the result.
/// Errors: kMalformed with "line 3, column 7" for what is no JSON; kInvalidArgument with the path
/// for what is JSON and still refused: a key twice in one object, strings that are no Unicode, a
/// limit exceeded.
Result<ValueNode> parse_json(std::string_view text, const ParseLimits& limits = {});

}  // namespace nexa
