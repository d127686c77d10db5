// SPDX-License-Identifier: Apache-2.0
#include "accounts/directory.h"

#include <algorithm>

#include "accounts/accounts_sql.h"
#include "accounts/scopes.h"
#include "core/sha256.h"
#include "crypto/base64.h"
#include "net/commit.h"

namespace nexa::accounts {

namespace {

constexpr std::size_t kTokenBytes = 32;
constexpr std::size_t kProjectNameMax = 64;

/// An administrator who reaches beyond the own project, with a key or session that may.
bool administers(const Principal& principal, std::string_view scope) {
    return principal.is_admin && allows(principal.scopes, scope);
}

Error no_project(const std::string& project_id) {
    return Error::not_found("there is no project {}", project_id).at("project_id");
}

/// Inside the transaction of what follows, so that the project is still there.
Status check_reach(
    db::Tx& tx, const Principal& principal, const std::string& project_id, std::string_view scope
) {
    if (!project_id.empty() && principal.project_id == project_id) {
        return {};
    }
    if (administers(principal, scope)) {
        TRY(const bool exists, people_store::has_project(tx, project_id));
        if (exists) {
            return {};
        }
    }
    return no_project(project_id);
}

people_store::Appointment appointment(
    const Principal& principal, const std::string& project_id, const std::string& user_id
) {
    return {
        .project_id = project_id,
        .user_id = user_id,
        .actor_id = principal.user_id,
        .by_admin = administers(principal, "users:write"),
    };
}

Result<std::string> checked_project_name(std::string name) {
    const bool fits = !name.empty() && name.size() <= kProjectNameMax && name.front() != ' ' &&
                      name.back() != ' ' && std::ranges::none_of(name, [](char c) {
                          return static_cast<unsigned char>(c) < ' ' || c == '\x7f';
                      });
    if (!fits) {
        return Error::invalid_argument(
                   "must be 1 to {} bytes of text without spaces around it", kProjectNameMax
        )
            .at("name");
    }
    return name;
}

}  // namespace

template <class F>
auto Directory::read(F f) {
    return net::run_on(with_.pool, [&database = with_.database, f = std::move(f)] {
        return database.read(f);
    });
}

std::string Directory::make_token() {
    std::string bytes(kTokenBytes, '\0');
    with_.random.fill(std::as_writable_bytes(std::span(bytes)));
    return crypto::to_base64(bytes, crypto::Base64Form::kUrl);
}

net::Task<ProjectRecord> Directory::create_project(std::string name, Principal principal) {
    CO_TRY(name, checked_project_name(std::move(name)));
    const std::string project_id = with_.ids.make<ProjectId>().text();
    auto apply = [project_id, name = std::move(name), by = std::move(principal)](db::Tx& tx
                 ) -> Result<ProjectRecord> {
        TRY(ProjectRecord project, people_store::add_project(tx, project_id, name, by.user_id));
        TRY_STATUS(audit_store::add(
            tx,
            by,
            {.action = "project.created",
             .target = project_id,
             .details = {{"name", name}},
             .project_id = project_id}
        ));
        return project;
    };
    co_return co_await net::commit(with_.writer, std::move(apply));
}

net::Task<std::vector<ProjectRecord>> Directory::projects(Principal principal) {
    auto look_up = [by = std::move(principal)](db::Tx& tx) {
        if (administers(by, "users:read")) {
            return people_store::all_projects(tx, by.user_id);
        }
        const auto only = by.is_session ? std::nullopt : std::optional(by.project_id);
        return people_store::projects_of(tx, by.user_id, only);
    };
    co_return co_await read(std::move(look_up));
}

net::Task<std::vector<MemberRecord>> Directory::members(
    std::string project_id, Principal principal
) {
    auto look_up = [project_id = std::move(project_id),
                    by = std::move(principal)](db::Tx& tx) -> Result<std::vector<MemberRecord>> {
        TRY_STATUS(check_reach(tx, by, project_id, "users:read"));
        return people_store::members_of(tx, project_id);
    };
    co_return co_await read(std::move(look_up));
}

net::Task<MemberRecord> Directory::add_member(
    std::string project_id, std::string user, Role role, Principal principal
) {
    auto apply = [project_id = std::move(project_id),
                  user = std::move(user),
                  role,
                  by = std::move(principal)](db::Tx& tx) -> Result<MemberRecord> {
        TRY_STATUS(check_reach(tx, by, project_id, "users:write"));
        TRY(const UserRecord found, people_store::find_user(tx, user));
        TRY(MemberRecord member,
            people_store::admit(tx, appointment(by, project_id, found.user_id), role));
        TRY_STATUS(key_store::raise_serial(tx));  // keys of an earlier membership are good again
        TRY_STATUS(audit_store::add(
            tx,
            by,
            {.action = "member.added",
             .target = member.user_id,
             .details = {{"role", std::string(to_string(role))}},
             .project_id = project_id}
        ));
        return member;
    };
    co_return co_await net::commit(with_.writer, std::move(apply));
}

net::Task<MemberRecord> Directory::change_member(
    std::string project_id, std::string user_id, Role role, Principal principal
) {
    auto apply = [project_id = std::move(project_id),
                  user_id = std::move(user_id),
                  role,
                  by = std::move(principal)](db::Tx& tx) -> Result<MemberRecord> {
        TRY_STATUS(check_reach(tx, by, project_id, "users:write"));
        TRY(MemberRecord member,
            people_store::change_role(tx, appointment(by, project_id, user_id), role));
        TRY_STATUS(audit_store::add(
            tx,
            by,
            {.action = "member.changed",
             .target = user_id,
             .details = {{"role", std::string(to_string(role))}},
             .project_id = project_id}
        ));
        TRY_STATUS(key_store::raise_serial(tx));
        return member;
    };
    CO_TRY(MemberRecord member, co_await net::commit(with_.writer, std::move(apply)));
    with_.keys.forget_all();
    co_return member;
}

net::Task<void> Directory::remove_member(
    std::string project_id, std::string user_id, Principal principal
) {
    auto apply = [project_id = std::move(project_id),
                  user_id = std::move(user_id),
                  by = std::move(principal)](db::Tx& tx) -> Status {
        TRY_STATUS(check_reach(tx, by, project_id, "users:write"));
        TRY_STATUS(people_store::remove(tx, appointment(by, project_id, user_id)));
        TRY_STATUS(key_store::raise_serial(tx));
        return audit_store::add(
            tx, by, {.action = "member.removed", .target = user_id, .project_id = project_id}
        );
    };
    CO_TRY_STATUS(co_await net::commit(with_.writer, std::move(apply)));
    with_.keys.forget_all();
    co_return Status{};
}

net::Task<std::vector<UserRecord>> Directory::users(std::string after, int limit) {
    co_return co_await read([after = std::move(after), limit](db::Tx& tx) {
        return people_store::list_users(tx, after, limit);
    });
}

net::Task<Invitation> Directory::invite(UserWish wish, Principal principal) {
    if (!options_.may_invite) {
        co_return Error::permission_denied("this installation takes no new users")
            .hint("set accounts.registration to invited");
    }
    NewUser user{
        .user_id = with_.ids.make<UserId>().text(),
        .is_admin = wish.is_admin,
        .is_invited = true,
    };
    CO_TRY(user.name, checked_name(std::move(wish.name)));
    if (wish.email) {
        CO_TRY(user.email, checked_email(*std::move(wish.email)));
    }
    const std::string token = make_token();
    auto apply = [user,
                  project_id = std::move(wish.project_id),
                  role = wish.role,
                  sha256 = nexa::sha256(token),
                  lifetime = options_.invitation_lifetime,
                  by = std::move(principal)](db::Tx& tx) -> Result<Invitation> {
        TRY(UserRecord added, people_store::add_user(tx, user));
        if (project_id) {
            TRY_STATUS(check_reach(tx, by, *project_id, "users:write"));
            TRY_STATUS(people_store::admit(tx, appointment(by, *project_id, user.user_id), role));
        }
        TRY(const auto ends, people_store::add_invitation(tx, user.user_id, sha256, lifetime));
        TRY_STATUS(audit_store::add(
            tx,
            by,
            {.action = "user.invited",
             .target = user.user_id,
             .details =
                 {{"name", user.name},
                  {"is_admin", user.is_admin ? "true" : "false"},
                  {"project_id", project_id.value_or("")},
                  {"role", project_id ? std::string(to_string(role)) : ""}},
             .project_id = ""}
        ));
        return Invitation{.user = std::move(added), .token = {}, .expires_at = ends};
    };
    CO_TRY(Invitation invitation, co_await net::commit(with_.writer, std::move(apply)));
    invitation.token = token;
    co_return invitation;
}

net::Task<Invitation> Directory::invite_again(std::string user_id, Principal principal) {
    const std::string token = make_token();
    auto apply = [user_id = std::move(user_id),
                  sha256 = nexa::sha256(token),
                  lifetime = options_.invitation_lifetime,
                  by = std::move(principal)](db::Tx& tx) -> Result<Invitation> {
        TRY(auto user, people_store::get_user(tx, user_id));
        if (!user) {
            return Error::not_found("there is no user {}", user_id).at("user_id");
        }
        if (user->status == "disabled") {
            return Error::conflict("{} is disabled", user->name);
        }
        TRY(const auto ends, people_store::add_invitation(tx, user_id, sha256, lifetime));
        TRY_STATUS(audit_store::add(
            tx, by, {.action = "user.invited_again", .target = user_id, .project_id = ""}
        ));
        return Invitation{.user = *std::move(user), .token = {}, .expires_at = ends};
    };
    CO_TRY(Invitation invitation, co_await net::commit(with_.writer, std::move(apply)));
    invitation.token = token;
    co_return invitation;
}

net::Task<UserRecord> Directory::set_status(
    std::string user_id, std::string status, Principal principal
) {
    auto apply = [user_id = std::move(user_id),
                  status = std::move(status),
                  by = std::move(principal)](db::Tx& tx) -> Result<UserRecord> {
        TRY_STATUS(people_store::set_status(tx, user_id, status));
        TRY(auto user, people_store::get_user(tx, user_id));
        if (!user) {
            return Error::not_found("there is no user {}", user_id).at("user_id");
        }
        if (status == "disabled") {
            TRY_STATUS(tx.execute(sql::kEndSessions, {{"user_id", user_id}, {"kept_id", ""}}));
            TRY_STATUS(tx.execute(sql::kEndInvitations, {{"user_id", user_id}}));
        }
        TRY_STATUS(key_store::raise_serial(tx));
        TRY_STATUS(audit_store::add(
            tx,
            by,
            {.action = "user.changed",
             .target = user_id,
             .details = {{"status", status}},
             .project_id = ""}
        ));
        return *std::move(user);
    };
    CO_TRY(UserRecord user, co_await net::commit(with_.writer, std::move(apply)));
    with_.keys.forget_all();
    co_return user;
}

net::Task<std::vector<AuditEntry>> Directory::audit_trail(AuditFilter filter, Principal principal) {
    if (!administers(principal, "users:read")) {
        if (principal.project_id.empty() ||
            (filter.project_id && *filter.project_id != principal.project_id)) {
            co_return no_project(filter.project_id.value_or(""));
        }
        filter.project_id = principal.project_id;
    }
    co_return co_await read([filter = std::move(filter)](db::Tx& tx) {
        return audit_store::list(tx, filter);
    });
}

}  // namespace nexa::accounts
