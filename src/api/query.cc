// SPDX-License-Identifier: Apache-2.0
#include "api/query.h"

#include <charconv>

namespace nexa::api {

namespace {
constexpr std::size_t kIdempotencyKeyMax = 255;
}  // namespace

std::optional<std::string> text_parameter(const net::Query& query, std::string_view name) {
    const auto value = query.find(name);
    return value && !value->empty() ? std::optional(std::string(*value)) : std::nullopt;
}

Result<std::int64_t> integer_parameter(
    const net::Query& query, std::string_view name, const IntegerRange& range
) {
    const auto text = text_parameter(query, name);
    if (!text) {
        return range.fallback;
    }
    std::int64_t value = 0;
    const auto [end, failed] = std::from_chars(text->data(), text->data() + text->size(), value);
    if (failed != std::errc{} || end != text->data() + text->size()) {
        return Error::invalid_argument("'{}' is no whole number", *text).at(name);
    }
    if (value < range.least || value > range.greatest) {
        return Error::invalid_argument(
                   "must be {} to {}, is {}", range.least, range.greatest, value
        )
            .at(name);
    }
    return value;
}

Result<std::optional<std::string>> idempotency_key_of(const net::RequestHead& head) {
    const std::string* key = head.headers.find("Idempotency-Key");
    if (key == nullptr) {
        return std::nullopt;
    }
    if (key->empty() || key->size() > kIdempotencyKeyMax) {
        return Error::invalid_argument("must have 1 to {} characters", kIdempotencyKeyMax)
            .at("Idempotency-Key");
    }
    return *key;
}

Result<int> limit_parameter(const net::Query& query) {
    TRY(const auto limit,
        integer_parameter(query, "limit", {.least = 1, .greatest = 100, .fallback = 20}));
    return static_cast<int>(limit);
}

}  // namespace nexa::api
