// SPDX-License-Identifier: Apache-2.0
#include "accounts/people_store.h"

#include <algorithm>

#include "accounts/accounts_sql.h"
#include "core/check.h"
#include "core/ids.h"

namespace nexa::accounts {

namespace {

constexpr std::size_t kNameMax = 64;
constexpr std::size_t kEmailMax = 254;

bool is_letter_or_digit(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

UserRecord user_from(const db::Row& row) {
    return {
        .user_id = row.text("id"),
        .name = row.text("name"),
        .email = row.optional_text("email"),
        .status = row.text("status"),
        .is_admin = row.boolean("is_admin"),
        .created_at = row.timestamp("created_at"),
    };
}

Result<MemberRecord> member_from(const db::Row& row) {
    TRY(const Role role, role_from(row.text("role")));
    return MemberRecord{
        .user_id = row.text("user_id"),
        .name = row.text("name"),
        .email = row.optional_text("email"),
        .status = row.text("status"),
        .role = role,
    };
}

Result<std::vector<ProjectRecord>> projects_from(const std::vector<db::Row>& rows) {
    std::vector<ProjectRecord> projects;
    projects.reserve(rows.size());
    for (const db::Row& row : rows) {
        ProjectRecord project{
            .project_id = row.text("id"),
            .name = row.text("name"),
            .created_at = row.timestamp("created_at"),
            .role = std::nullopt,
        };
        if (const auto role = row.optional_text("role")) {
            TRY(project.role, role_from(*role));
        }
        projects.push_back(std::move(project));
    }
    return projects;
}

Result<std::optional<MemberRecord>> find_member(
    db::Tx& tx, const std::string& project_id, const std::string& user_id
) {
    TRY(const auto row,
        tx.query_one(sql::kGetMember, {{"project_id", project_id}, {"user_id", user_id}}));
    if (!row) {
        return std::nullopt;
    }
    TRY(MemberRecord member, member_from(*row));
    return std::optional(std::move(member));
}

Result<bool> may_appoint_owners(db::Tx& tx, const people_store::Appointment& what) {
    TRY(const auto actor, find_member(tx, what.project_id, what.actor_id));
    return what.by_admin || (actor && actor->role == Role::kOwner);
}

Error owners_only() {
    return Error::permission_denied("only an owner makes and unmakes owners").at("role");
}

/// Why a guarded statement about a member changed nothing: never a success.
Status why_unchanged(
    db::Tx& tx, const people_store::Appointment& what, std::optional<Role> wanted
) {
    TRY(const auto member, find_member(tx, what.project_id, what.user_id));
    if (!member) {
        return Error::not_found("there is no member {}", what.user_id).at("user_id");
    }
    TRY(const bool may, may_appoint_owners(tx, what));
    if (!may && (member->role == Role::kOwner || wanted == Role::kOwner)) {
        return owners_only();
    }
    return Error::conflict("a project keeps its last owner")
        .hint("make another member owner first");
}

}  // namespace

std::string lower_case(std::string text) {
    std::ranges::transform(text, text.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return text;
}

Result<std::string> checked_name(std::string name) {
    name = lower_case(std::move(name));
    const bool fits = !name.empty() && name.size() <= kNameMax && is_letter_or_digit(name[0]) &&
                      std::ranges::all_of(name, [](char c) {
                          return is_letter_or_digit(c) || c == '.' || c == '_' || c == '-';
                      });
    if (!fits || name.starts_with(UserId::kPrefix)) {
        return Error::invalid_argument(
                   "must be up to {} letters, digits, '.', '_' or '-', the first a letter or digit",
                   kNameMax
        )
            .at("name");
    }
    return name;
}

Result<std::string> checked_email(std::string email) {
    email = lower_case(std::move(email));
    const std::size_t at = email.find('@');
    const bool fits = email.size() <= kEmailMax && at != std::string::npos && at > 0 &&
                      at + 1 < email.size() && email.find('@', at + 1) == std::string::npos &&
                      std::ranges::none_of(email, [](char c) {
                          return static_cast<unsigned char>(c) <= ' ' || c == '\x7f';
                      });
    if (!fits) {
        return Error::invalid_argument("is no e-mail address").at("email");
    }
    return email;
}

namespace people_store {

Result<UserRecord> add_user(db::Tx& tx, const NewUser& user) {
    const char* const status = user.is_invited ? "invited" : "active";
    TRY(const auto row,
        tx.query_one(
            sql::kAddUser,
            {
                {"user_id", user.user_id},
                {"name", user.name},
                {"email", user.email},
                {"status", status},
                {"is_admin", user.is_admin},
            }
        ));
    if (!row) {
        return Error::conflict("the name '{}' or the e-mail address is taken", user.name)
            .at("name");
    }
    return UserRecord{
        .user_id = user.user_id,
        .name = user.name,
        .email = user.email,
        .status = status,
        .is_admin = user.is_admin,
        .created_at = row->timestamp("created_at"),
    };
}

Result<std::optional<UserRecord>> get_user(db::Tx& tx, const std::string& user_id) {
    TRY(const auto row, tx.query_one(sql::kGetUser, {{"user_id", user_id}}));
    return row ? std::optional(user_from(*row)) : std::nullopt;
}

Result<UserRecord> find_user(db::Tx& tx, const std::string& login) {
    TRY(const auto row, tx.query_one(sql::kFindUser, {{"login", lower_case(login)}}));
    if (!row) {
        return Error::not_found("there is no user {}", login).at("user");
    }
    return user_from(*row);
}

Result<std::vector<UserRecord>> list_users(db::Tx& tx, const std::string& after, int limit) {
    TRY(const auto rows, tx.query(sql::kListUsers, {{"after", after}, {"limit", limit}}));
    std::vector<UserRecord> users;
    users.reserve(rows.size());
    std::ranges::transform(rows, std::back_inserter(users), user_from);
    return users;
}

Status set_status(db::Tx& tx, const std::string& user_id, const std::string& status) {
    TRY(const auto changed,
        tx.query_one(sql::kChangeUser, {{"user_id", user_id}, {"status", status}}));
    if (changed) {
        return {};
    }
    TRY(const auto user, get_user(tx, user_id));
    if (!user) {
        return Error::not_found("there is no user {}", user_id).at("user_id");
    }
    if (user->status == "invited") {
        return Error::conflict("{} was invited and has not come yet", user->name);
    }
    return Error::conflict("an installation keeps its last administrator");
}

Result<ProjectRecord> add_project(
    db::Tx& tx, std::string project_id, std::string name, const std::string& owner_id
) {
    TRY(const auto row,
        tx.query_one(sql::kAddProject, {{"project_id", project_id}, {"name", name}}));
    if (!row) {
        return Error::conflict("the name '{}' is taken", name).at("name");
    }
    TRY_STATUS(tx.execute(
        sql::kAddMember, {{"project_id", project_id}, {"user_id", owner_id}, {"role", "owner"}}
    ));
    return ProjectRecord{
        .project_id = std::move(project_id),
        .name = std::move(name),
        .created_at = row->timestamp("created_at"),
        .role = Role::kOwner,
    };
}

Result<bool> has_project(db::Tx& tx, const std::string& project_id) {
    TRY(const auto row, tx.query_one(sql::kProjectExists, {{"project_id", project_id}}));
    return row.has_value();
}

Result<std::vector<ProjectRecord>> projects_of(
    db::Tx& tx, const std::string& user_id, const std::optional<std::string>& project_id
) {
    TRY(const auto rows,
        tx.query(sql::kListProjects, {{"user_id", user_id}, {"project_id", project_id}}));
    return projects_from(rows);
}

Result<std::vector<ProjectRecord>> all_projects(db::Tx& tx, const std::string& user_id) {
    TRY(const auto rows, tx.query(sql::kListAllProjects, {{"user_id", user_id}}));
    return projects_from(rows);
}

Result<std::vector<MemberRecord>> members_of(db::Tx& tx, const std::string& project_id) {
    TRY(const auto rows, tx.query(sql::kListMembers, {{"project_id", project_id}}));
    std::vector<MemberRecord> members;
    members.reserve(rows.size());
    for (const db::Row& row : rows) {
        TRY(MemberRecord member, member_from(row));
        members.push_back(std::move(member));
    }
    return members;
}

Result<MemberRecord> admit(db::Tx& tx, const Appointment& what, Role role) {
    TRY(const auto added,
        tx.execute(
            sql::kAdmitMember,
            {
                {"project_id", what.project_id},
                {"user_id", what.user_id},
                {"actor_id", what.actor_id},
                {"by_admin", what.by_admin},
                {"role", to_string(role)},
            }
        ));
    TRY(auto member, find_member(tx, what.project_id, what.user_id));
    if (added == 1 && member) {
        return *std::move(member);
    }
    if (member) {
        return Error::conflict("{} is a member already", member->name).at("user");
    }
    return owners_only();
}

Result<MemberRecord> change_role(db::Tx& tx, const Appointment& what, Role role) {
    TRY(const auto changed,
        tx.execute(
            sql::kChangeMember,
            {
                {"project_id", what.project_id},
                {"user_id", what.user_id},
                {"actor_id", what.actor_id},
                {"by_admin", what.by_admin},
                {"role", to_string(role)},
            }
        ));
    if (changed == 0) {
        return why_unchanged(tx, what, role).error();
    }
    TRY(auto member, find_member(tx, what.project_id, what.user_id));
    NEXA_CHECK(member.has_value());  // changed in this transaction
    return *std::move(member);
}

Status remove(db::Tx& tx, const Appointment& what) {
    TRY(const auto removed,
        tx.execute(
            sql::kRemoveMember,
            {
                {"project_id", what.project_id},
                {"user_id", what.user_id},
                {"actor_id", what.actor_id},
                {"by_admin", what.by_admin},
            }
        ));
    if (removed == 0) {
        return why_unchanged(tx, what, std::nullopt);
    }
    return {};
}

Result<Timestamp> add_invitation(
    db::Tx& tx,
    const std::string& user_id,
    const Sha256Digest& sha256,
    std::chrono::microseconds lifetime
) {
    TRY_STATUS(tx.execute(sql::kEndInvitations, {{"user_id", user_id}}));
    TRY(const auto row,
        tx.query_one(
            sql::kAddInvitation,
            {{"sha256", sha256}, {"user_id", user_id}, {"lifetime_us", lifetime}}
        ));
    NEXA_CHECK(row.has_value());
    return row->timestamp("expires_at");
}

Result<std::optional<std::string>> take_invitation(db::Tx& tx, const Sha256Digest& sha256) {
    TRY(const auto row, tx.query_one(sql::kTakeInvitation, {{"sha256", sha256}}));
    return row ? std::optional(row->text("user_id")) : std::nullopt;
}

}  // namespace people_store

}  // namespace nexa::accounts
