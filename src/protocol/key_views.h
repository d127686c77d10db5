// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "core/fields.h"

namespace nexa::protocol {

struct KeyCreate {
    static constexpr std::string_view kName = "KeyCreate";
    std::string name;
    std::vector<std::string> scopes;
    std::optional<std::int64_t> expires_in_days;
    std::optional<double> rate_limit_per_second;

    static constexpr auto fields() {
        return std::tuple{
            field("name", &KeyCreate::name, "For people").length(0, 128).example("laptop"),
            field(
                "scopes",
                &KeyCreate::scopes,
                "What it may do; default: all that the creating key may"
            ),
            field("expires_in_days", &KeyCreate::expires_in_days, "Default: never")
                .within(1, 3650)
                .unit("days"),
            field(
                "rate_limit_per_second",
                &KeyCreate::rate_limit_per_second,
                "Requests a second, so many at once; default: as many as its user may"
            )
                .within(0.001, 1'000'000),
        };
    }
};

struct KeyRoll {
    static constexpr std::string_view kName = "KeyRoll";
    std::int64_t grace_seconds = 0;

    static constexpr auto fields() {
        return std::tuple{
            field("grace_seconds", &KeyRoll::grace_seconds, "How long the old key is still good")
                .within(0, 604'800)
                .unit("s"),
        };
    }
};

struct KeyView {
    static constexpr std::string_view kName = "KeyView";
    std::string key_id;
    std::string name;
    std::string prefix;
    std::string last4;
    std::vector<std::string> scopes;
    std::string created_at;
    std::optional<std::string> last_used_at;
    std::optional<std::string> expires_at;
    std::optional<std::string> revoked_at;
    std::optional<double> rate_limit_per_second;

    static constexpr auto fields() {
        return std::tuple{
            field("key_id", &KeyView::key_id, "To revoke it by").required(),
            field("name", &KeyView::name, "For people").required(),
            field("prefix", &KeyView::prefix, "How the key begins").required(),
            field("last4", &KeyView::last4, "How it ends").required(),
            field("scopes", &KeyView::scopes, "What it may do").required(),
            field("created_at", &KeyView::created_at, "When").required(),
            field("last_used_at", &KeyView::last_used_at, "To the minute").null_when_empty(),
            field("expires_at", &KeyView::expires_at, "When it ends").null_when_empty(),
            field("revoked_at", &KeyView::revoked_at, "When it was revoked").null_when_empty(),
            field("rate_limit_per_second", &KeyView::rate_limit_per_second, "Requests a second")
                .null_when_empty(),
        };
    }
};

/// The only answer that ever holds the key itself.
struct KeyCreated {
    static constexpr std::string_view kName = "KeyCreated";
    std::string key_id;
    std::string name;
    std::string prefix;
    std::string raw_key;
    std::vector<std::string> scopes;
    std::string created_at;
    std::optional<std::string> expires_at;
    std::optional<double> rate_limit_per_second;

    static constexpr auto fields() {
        return std::tuple{
            field("key_id", &KeyCreated::key_id, "To revoke it by").required(),
            field("name", &KeyCreated::name, "For people").required(),
            field("prefix", &KeyCreated::prefix, "How the key begins").required(),
            field("raw_key", &KeyCreated::raw_key, "The key: shown here and never again")
                .required(),
            field("scopes", &KeyCreated::scopes, "What it may do").required(),
            field("created_at", &KeyCreated::created_at, "When").required(),
            field("expires_at", &KeyCreated::expires_at, "When it ends").null_when_empty(),
            field("rate_limit_per_second", &KeyCreated::rate_limit_per_second, "Requests a second")
                .null_when_empty(),
        };
    }
};

struct KeyList {
    static constexpr std::string_view kName = "KeyList";
    std::string object = "list";
    std::vector<KeyView> data;

    static constexpr auto fields() {
        return std::tuple{
            field("object", &KeyList::object, "list").required(),
            field("data", &KeyList::data, "Newest first").required(),
        };
    }
};

}  // namespace nexa::protocol
