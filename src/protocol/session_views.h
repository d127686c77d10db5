// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "core/fields.h"
#include "protocol/account_views.h"

namespace nexa::protocol {

struct LogIn {
    static constexpr std::string_view kName = "LogIn";
    std::string user;
    std::string password;

    static constexpr auto fields() {
        return std::tuple{
            field("user", &LogIn::user, "Name or e-mail address").required().length(1, 254),
            field("password", &LogIn::password, "The user's").required().secret().length(1, 512),
        };
    }
};

struct SignUp {
    static constexpr std::string_view kName = "SignUp";
    std::string name;
    std::optional<std::string> email;
    std::string password;

    static constexpr auto fields() {
        return std::tuple{
            field("name", &SignUp::name, "To log in with: letters, digits, '.', '_', '-'")
                .required()
                .length(1, 64),
            field("email", &SignUp::email, "Also to log in with").length(3, 254),
            field("password", &SignUp::password, "10 to 512 bytes").required().secret(),
        };
    }
};

struct SetUp {
    static constexpr std::string_view kName = "SetUp";
    std::string setup_token;
    std::string password;

    static constexpr auto fields() {
        return std::tuple{
            field("setup_token", &SetUp::setup_token, "From the invitation")
                .required()
                .secret()
                .length(1, 64),
            field("password", &SetUp::password, "10 to 512 bytes").required().secret(),
        };
    }
};

struct PasswordChange {
    static constexpr std::string_view kName = "PasswordChange";
    std::string old_password;
    std::string new_password;

    static constexpr auto fields() {
        return std::tuple{
            field("old_password", &PasswordChange::old_password, "As it is now")
                .required()
                .secret()
                .length(1, 512),
            field("new_password", &PasswordChange::new_password, "10 to 512 bytes")
                .required()
                .secret(),
        };
    }
};

/// Who one is, and what every change that is asked for by cookie has to show.
struct SessionView {
    static constexpr std::string_view kName = "SessionView";
    UserView user;
    std::optional<std::string> project_id;
    std::optional<std::string> role;
    std::vector<std::string> scopes;
    std::optional<std::string> csrf_token;

    static constexpr auto fields() {
        return std::tuple{
            field("user", &SessionView::user, "Who is behind the session or key").required(),
            field("project_id", &SessionView::project_id, "Where it acts").null_when_empty(),
            field("role", &SessionView::role, "What the user is there").null_when_empty(),
            field("scopes", &SessionView::scopes, "What it may do there").required(),
            field(
                "csrf_token",
                &SessionView::csrf_token,
                "For the header X-Nexa-CSRF of every change; null for a key"
            )
                .null_when_empty(),
        };
    }
};

}  // namespace nexa::protocol
