// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.h"

namespace nexa::net {

/// "a%2Fb" to "a/b". Errors: kMalformed for a broken escape, or an escape of a control character.
Result<std::string> percent_decode(std::string_view text);

/// Escapes all but letters, digits and "-._~": fit for one path segment or query value.
std::string percent_encode(std::string_view text);

/// A base URL as people write it, ready for a path that begins with '/'.
std::string_view without_end_slash(std::string_view url);

/// The decoded parameters behind "?", in their order. Names may repeat.
class Query {
public:
    Query() = default;
    explicit Query(std::vector<std::pair<std::string, std::string>> values)
        : values_(std::move(values)) {}

    /// The first value of `name`.
    std::optional<std::string_view> find(std::string_view name) const;
    bool empty() const { return values_.empty(); }
    auto begin() const { return values_.begin(); }
    auto end() const { return values_.end(); }

private:
    std::vector<std::pair<std::string, std::string>> values_;
};

/// Reads "a=1&b=x+y"; "+" is a space, a name without "=" has the value "". At most 256 parameters.
/// Errors: kMalformed.
Result<Query> parse_query(std::string_view text);

}  // namespace nexa::net
