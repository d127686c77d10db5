// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "core/fields.h"

namespace nexa::protocol {

struct UserView {
    static constexpr std::string_view kName = "UserView";
    std::string user_id;
    std::string name;
    std::optional<std::string> email;
    std::string status;
    bool is_admin = false;
    std::string created_at;

    static constexpr auto fields() {
        return std::tuple{
            field("user_id", &UserView::user_id, "To name the user by").required(),
            field("name", &UserView::name, "To log in with").required(),
            field("email", &UserView::email, "Also to log in with").null_when_empty(),
            field("status", &UserView::status, "invited, active or disabled").required(),
            field("is_admin", &UserView::is_admin, "Administers the installation").required(),
            field("created_at", &UserView::created_at, "When").required(),
        };
    }
};

struct UserList {
    static constexpr std::string_view kName = "UserList";
    std::string object = "list";
    std::vector<UserView> data;
    bool has_more = false;
    std::optional<std::string> next_cursor;

    static constexpr auto fields() {
        return std::tuple{
            field("object", &UserList::object, "list").required(),
            field("data", &UserList::data, "Oldest first").required(),
            field("has_more", &UserList::has_more, "Whether there is another page").required(),
            field("next_cursor", &UserList::next_cursor, "after= of the next page")
                .null_when_empty(),
        };
    }
};

/// An invitation.
struct UserCreate {
    static constexpr std::string_view kName = "UserCreate";
    std::string name;
    std::optional<std::string> email;
    bool is_admin = false;
    std::optional<std::string> project_id;
    std::string role = "developer";

    static constexpr auto fields() {
        return std::tuple{
            field("name", &UserCreate::name, "To log in with: letters, digits, '.', '_', '-'")
                .required()
                .length(1, 64)
                .example("ada"),
            field("email", &UserCreate::email, "Also to log in with").length(3, 254),
            field("is_admin", &UserCreate::is_admin, "Administers the installation"),
            field("project_id", &UserCreate::project_id, "To be a member of from the start"),
            field("role", &UserCreate::role, "In that project")
                .one_of({"owner", "admin", "developer", "viewer", "billing"}),
        };
    }
};

struct UserChange {
    static constexpr std::string_view kName = "UserChange";
    std::string status;

    static constexpr auto fields() {
        return std::tuple{
            field("status", &UserChange::status, "A disabled user's keys and sessions are refused")
                .required()
                .one_of({"active", "disabled"}),
        };
    }
};

/// The only answer that ever holds the token.
struct UserInvited {
    static constexpr std::string_view kName = "UserInvited";
    UserView user;
    std::string setup_token;
    std::string expires_at;

    static constexpr auto fields() {
        return std::tuple{
            field("user", &UserInvited::user, "Who was invited").required(),
            field(
                "setup_token",
                &UserInvited::setup_token,
                "For POST /api/auth/set-up, once; shown here and never again"
            )
                .required(),
            field("expires_at", &UserInvited::expires_at, "When it ends").required(),
        };
    }
};

struct ProjectCreate {
    static constexpr std::string_view kName = "ProjectCreate";
    std::string name;

    static constexpr auto fields() {
        return std::tuple{
            field("name", &ProjectCreate::name, "One that no other project has")
                .required()
                .length(1, 64)
                .example("vision"),
        };
    }
};

struct ProjectView {
    static constexpr std::string_view kName = "ProjectView";
    std::string project_id;
    std::string name;
    std::string created_at;
    std::optional<std::string> role;

    static constexpr auto fields() {
        return std::tuple{
            field("project_id", &ProjectView::project_id, "To name the project by").required(),
            field("name", &ProjectView::name, "For people").required(),
            field("created_at", &ProjectView::created_at, "When").required(),
            field("role", &ProjectView::role, "What you are in it").null_when_empty(),
        };
    }
};

struct ProjectList {
    static constexpr std::string_view kName = "ProjectList";
    std::string object = "list";
    std::vector<ProjectView> data;

    static constexpr auto fields() {
        return std::tuple{
            field("object", &ProjectList::object, "list").required(),
            field("data", &ProjectList::data, "Oldest first").required(),
        };
    }
};

struct MemberCreate {
    static constexpr std::string_view kName = "MemberCreate";
    std::string user;
    std::string role = "developer";

    static constexpr auto fields() {
        return std::tuple{
            field("user", &MemberCreate::user, "Id, name or e-mail address")
                .required()
                .length(1, 254)
                .example("ada"),
            field("role", &MemberCreate::role, "What the member may do")
                .one_of({"owner", "admin", "developer", "viewer", "billing"}),
        };
    }
};

struct MemberChange {
    static constexpr std::string_view kName = "MemberChange";
    std::string role;

    static constexpr auto fields() {
        return std::tuple{
            field("role", &MemberChange::role, "What the member may do")
                .required()
                .one_of({"owner", "admin", "developer", "viewer", "billing"}),
        };
    }
};

struct MemberView {
    static constexpr std::string_view kName = "MemberView";
    std::string user_id;
    std::string name;
    std::optional<std::string> email;
    std::string status;
    std::string role;

    static constexpr auto fields() {
        return std::tuple{
            field("user_id", &MemberView::user_id, "To name the user by").required(),
            field("name", &MemberView::name, "The user's").required(),
            field("email", &MemberView::email, "The user's").null_when_empty(),
            field("status", &MemberView::status, "invited, active or disabled").required(),
            field("role", &MemberView::role, "What the member may do").required(),
        };
    }
};

struct MemberList {
    static constexpr std::string_view kName = "MemberList";
    std::string object = "list";
    std::vector<MemberView> data;

    static constexpr auto fields() {
        return std::tuple{
            field("object", &MemberList::object, "list").required(),
            field("data", &MemberList::data, "In the order in which they became users").required(),
        };
    }
};

/// One change: who did what, when, from where.
struct AuditEntryView {
    static constexpr std::string_view kName = "AuditEntry";
    std::int64_t sequence = 0;
    std::string at;
    std::string action;
    std::string target;
    std::optional<std::string> user_id;
    std::optional<std::string> key_id;
    std::optional<std::string> project_id;
    std::string address;
    std::map<std::string, std::string> details;

    static constexpr auto fields() {
        return std::tuple{
            field("sequence", &AuditEntryView::sequence, "Rises with every change").required(),
            field("at", &AuditEntryView::at, "When").required(),
            field("action", &AuditEntryView::action, "What happened: key.created").required(),
            field("target", &AuditEntryView::target, "To what: an id").required(),
            field("user_id", &AuditEntryView::user_id, "Who did it").null_when_empty(),
            field("key_id", &AuditEntryView::key_id, "With which key or session").null_when_empty(),
            field("project_id", &AuditEntryView::project_id, "Where; null: the installation")
                .null_when_empty(),
            field("address", &AuditEntryView::address, "From which network address").required(),
            field("details", &AuditEntryView::details, "What else is known").required(),
        };
    }
};

struct AuditPage {
    static constexpr std::string_view kName = "AuditPage";
    std::string object = "list";
    std::vector<AuditEntryView> data;
    bool has_more = false;
    std::optional<std::int64_t> next_cursor;

    static constexpr auto fields() {
        return std::tuple{
            field("object", &AuditPage::object, "list").required(),
            field("data", &AuditPage::data, "Newest first").required(),
            field("has_more", &AuditPage::has_more, "Whether there is another page").required(),
            field("next_cursor", &AuditPage::next_cursor, "after= of the next page")
                .null_when_empty(),
        };
    }
};

}  // namespace nexa::protocol
