// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "core/value_node.h"
#include "net/http_types.h"

namespace nexa::gateway {

/// OpenAI's refusal of a field: status 400, its code, the place.
net::HttpError refused_field(std::string code, Error error);

/// Takes the fields of one object, each once; null counts as absent. The first thing that is wrong
/// is kept, and nothing after it counts. Not thread-safe.
class BodyFields {
public:
    /// `object` outlives it. `place`: what stands before a field's name ("messages[0]"), or "".
    BodyFields(const ValueNode& object, std::string place);

    /// The value under `name`, or nullptr.
    const ValueNode* take(std::string_view name);
    const ValueNode* require(std::string_view name);
    std::optional<std::string> text(std::string_view name);
    std::optional<bool> flag(std::string_view name);
    std::optional<double> number(std::string_view name, double least, double greatest);
    std::optional<std::int64_t> whole(std::string_view name, std::int64_t least);

    /// "messages[0].role".
    std::string at(std::string_view name) const;
    void refuse(net::HttpError refusal);
    void refuse_type(std::string_view name, std::string_view wanted);
    /// Refuses what nobody took.
    void refuse_the_rest();
    const std::optional<net::HttpError>& refusal() const { return refusal_; }

private:
    const ValueNode& object_;
    std::string place_;
    std::set<std::string, std::less<>> taken_;
    std::optional<net::HttpError> refusal_;
};

}  // namespace nexa::gateway
