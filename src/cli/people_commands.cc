// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "cli/command_line.h"
#include "net/url.h"
#include "protocol/account_views.h"

namespace nexa::cli {

namespace {

constexpr std::string_view kGroup = "Access and cost";

/// A reply under --json, or what `show` prints of it.
template <class T, class Show>
Result<int> shown(Session& session, const std::string& body, Show show) {
    TRY(const T reply, read_reply<T>(body));
    if (session.json()) {
        session.print_json(body);
    } else {
        show(reply);
    }
    return 0;
}

std::string yes_or_no(bool value) {
    return value ? "yes" : "no";
}

Result<int> print_users(Session& session, const std::string& after) {
    TRY(ApiClient* const api, session.api());
    TRY(const std::string body,
        api->get(fmt::format("/users?limit=100&after={}", net::percent_encode(after))));
    return shown<protocol::UserList>(session, body, [&](const protocol::UserList& users) {
        Table table({"USER", "NAME", "EMAIL", "STATUS", "ADMIN", "CREATED"});
        for (const protocol::UserView& user : users.data) {
            table.add(
                {user.user_id,
                 user.name,
                 user.email.value_or("-"),
                 user.status,
                 yes_or_no(user.is_admin),
                 user.created_at}
            );
        }
        session.print_table(table, "no users");
        if (users.next_cursor) {
            session.note(fmt::format("more: --after {}", *users.next_cursor));
        }
    });
}

Result<int> show_invitation(Session& session, const std::string& body) {
    return shown<protocol::UserInvited>(session, body, [&](const protocol::UserInvited& invited) {
        session.print(invited.setup_token);
        session.note(fmt::format(
            "{} ({}) sets a password with it until {}; it is never shown again",
            invited.user.name,
            invited.user.user_id,
            invited.expires_at
        ));
    });
}

Result<int> invite_user(Session& session, const protocol::UserCreate& wish) {
    TRY(ApiClient* const api, session.api());
    TRY(const std::string body, api->post("/users", to_json(wish)));
    return show_invitation(session, body);
}

Result<int> invite_again(Session& session, const std::string& user_id) {
    TRY(ApiClient* const api, session.api());
    TRY(const std::string body,
        api->post(fmt::format("/users/{}/invitation", net::percent_encode(user_id)), "{}"));
    return show_invitation(session, body);
}

Result<int> set_status(Session& session, const std::string& user_id, const std::string& status) {
    TRY(ApiClient* const api, session.api());
    TRY(const auto reply,
        api->send({
            .method = net::Method::kPatch,
            .url = fmt::format("/users/{}", net::percent_encode(user_id)),
            .headers = {{"Content-Type", "application/json"}},
            .body = to_json(protocol::UserChange{.status = status}),
        }));
    return shown<protocol::UserView>(session, reply.body, [&](const protocol::UserView& user) {
        session.print(fmt::format("{}\t{}", user.user_id, user.status));
    });
}

void print_projects(Session& session, const std::vector<protocol::ProjectView>& projects) {
    Table table({"PROJECT", "NAME", "ROLE", "CREATED"});
    for (const protocol::ProjectView& project : projects) {
        table.add({project.project_id, project.name, project.role.value_or("-"), project.created_at}
        );
    }
    session.print_table(table, "no projects");
}

Result<int> list_projects(Session& session) {
    TRY(ApiClient* const api, session.api());
    TRY(const std::string body, api->get("/projects"));
    return shown<protocol::ProjectList>(session, body, [&](const protocol::ProjectList& list) {
        print_projects(session, list.data);
    });
}

Result<int> create_project(Session& session, const std::string& name) {
    TRY(ApiClient* const api, session.api());
    TRY(const std::string body,
        api->post("/projects", to_json(protocol::ProjectCreate{.name = name})));
    return shown<protocol::ProjectView>(session, body, [&](const protocol::ProjectView& project) {
        session.print(project.project_id);
    });
}

struct MemberWish {
    std::string project_id;
    std::string user;
    std::string role = "developer";

    std::string path() const {
        return fmt::format("/projects/{}/members", net::percent_encode(project_id));
    }
    std::string path_of_user() const {
        return fmt::format("{}/{}", path(), net::percent_encode(user));
    }
};

Result<int> list_members(Session& session, const MemberWish& wish) {
    TRY(ApiClient* const api, session.api());
    TRY(const std::string body, api->get(wish.path()));
    return shown<protocol::MemberList>(session, body, [&](const protocol::MemberList& list) {
        Table table({"USER", "NAME", "EMAIL", "STATUS", "ROLE"});
        for (const protocol::MemberView& member : list.data) {
            table.add(
                {member.user_id, member.name, member.email.value_or("-"), member.status, member.role
                }
            );
        }
        session.print_table(table, "no members");
    });
}

Result<int> show_member(Session& session, const std::string& body) {
    return shown<protocol::MemberView>(session, body, [&](const protocol::MemberView& member) {
        session.print(fmt::format("{}\t{}", member.user_id, member.role));
    });
}

Result<int> add_member(Session& session, const MemberWish& wish) {
    TRY(ApiClient* const api, session.api());
    const protocol::MemberCreate member{.user = wish.user, .role = wish.role};
    TRY(const std::string body, api->post(wish.path(), to_json(member)));
    return show_member(session, body);
}

Result<int> change_member(Session& session, const MemberWish& wish) {
    TRY(ApiClient* const api, session.api());
    TRY(const auto reply,
        api->send({
            .method = net::Method::kPatch,
            .url = wish.path_of_user(),
            .headers = {{"Content-Type", "application/json"}},
            .body = to_json(protocol::MemberChange{.role = wish.role}),
        }));
    return show_member(session, reply.body);
}

Result<int> remove_member(Session& session, const MemberWish& wish) {
    TRY(ApiClient* const api, session.api());
    TRY_STATUS(api->remove(wish.path_of_user()));
    session.json() ? session.print_json("{}")
                   : session.print(fmt::format("{}\tremoved", wish.user));
    return 0;
}

struct AuditWish {
    std::string project_id;
    std::string action;
    std::string after;
    int limit = 20;
};

Result<int> list_audit(Session& session, const AuditWish& wish) {
    TRY(ApiClient* const api, session.api());
    TRY(const std::string body,
        api->get(fmt::format(
            "/audit-trail?limit={}&project_id={}&action={}&after={}",
            wish.limit,
            net::percent_encode(wish.project_id),
            net::percent_encode(wish.action),
            net::percent_encode(wish.after)
        )));
    return shown<protocol::AuditPage>(session, body, [&](const protocol::AuditPage& page) {
        Table table({"NUMBER", "AT", "ACTION", "TARGET", "BY", "WITH", "FROM"});
        for (const protocol::AuditEntryView& entry : page.data) {
            table.add(
                {std::to_string(entry.sequence),
                 entry.at,
                 entry.action,
                 entry.target,
                 entry.user_id.value_or("-"),
                 entry.key_id.value_or("-"),
                 entry.address}
            );
        }
        session.print_table(table, "no entries");
        if (page.next_cursor) {
            session.note(fmt::format("more: --after {}", *page.next_cursor));
        }
    });
}

void add_users(CommandLine& line, Session& session) {
    CLI::App* group = line.root().add_subcommand("user", "Invite, list and disable users");
    group->group(std::string(kGroup));
    auto after = std::make_shared<std::string>();
    CLI::App* list = group->add_subcommand("ls", "List the installation's users");
    list->add_option("--after", *after, "Go on behind this user");
    line.on(list, [&session, after] { return print_users(session, *after); });

    auto wish = std::make_shared<protocol::UserCreate>();
    CLI::App* invite =
        group->add_subcommand("invite", "Invite a user; prints a set-up token, once");
    invite->add_option("NAME", wish->name, "To log in with")->required();
    invite->add_option("--email", wish->email, "Also to log in with");
    invite->add_flag("--admin", wish->is_admin, "Administers the installation");
    invite->add_option("--project", wish->project_id, "A project to be a member of from the start");
    invite->add_option("--role", wish->role, "In that project (default developer)");
    line.on(invite, [&session, wish] { return invite_user(session, *wish); });

    auto user_id = std::make_shared<std::string>();
    const auto on_user = [&](const char* name, const char* help, auto run) {
        CLI::App* command = group->add_subcommand(name, help);
        command->add_option("USER", *user_id, "The user's id")->required();
        line.on(command, [&session, user_id, run] { return run(session, *user_id); });
    };
    on_user("reset", "A new set-up token, for who lost it or forgot the password", invite_again);
    on_user("disable", "Refuse a user's keys and sessions", [](Session& of, const std::string& id) {
        return set_status(of, id, "disabled");
    });
    on_user("enable", "Let a disabled user in again", [](Session& of, const std::string& id) {
        return set_status(of, id, "active");
    });
}

void add_projects(CommandLine& line, Session& session) {
    CLI::App* group = line.root().add_subcommand("project", "Make and list projects");
    group->group(std::string(kGroup));
    line.on(group->add_subcommand("ls", "List the projects you reach"), [&session] {
        return list_projects(session);
    });
    auto name = std::make_shared<std::string>();
    CLI::App* create = group->add_subcommand("create", "Make a project; prints its id");
    create->add_option("NAME", *name, "One that no other project has")->required();
    line.on(create, [&session, name] { return create_project(session, *name); });
}

void add_members(CommandLine& line, Session& session) {
    CLI::App* group = line.root().add_subcommand("member", "Say who may what in a project");
    group->group(std::string(kGroup));
    auto wish = std::make_shared<MemberWish>();
    const auto command = [&](const char* name, const char* help, auto run) {
        CLI::App* added = group->add_subcommand(name, help);
        added->add_option("PROJECT", wish->project_id, "The project's id")->required();
        line.on(added, [&session, wish, run] { return run(session, *wish); });
        return added;
    };
    command("ls", "List a project's members", list_members);
    CLI::App* add = command("add", "Make a user a member", add_member);
    add->add_option("USER", wish->user, "Id, name or e-mail address")->required();
    add->add_option("--role", wish->role, "owner, admin, developer, viewer or billing");
    CLI::App* set = command("set", "Change a member's role", change_member);
    set->add_option("USER", wish->user, "The user's id")->required();
    set->add_option("ROLE", wish->role, "owner, admin, developer, viewer or billing")->required();
    CLI::App* remove = command("rm", "Remove a member and the member's keys", remove_member);
    remove->add_option("USER", wish->user, "The user's id")->required();
}

}  // namespace

void add_people_commands(CommandLine& line, Session& session) {
    add_users(line, session);
    add_projects(line, session);
    add_members(line, session);
    auto wish = std::make_shared<AuditWish>();
    CLI::App* audit = line.root().add_subcommand("audit-trail", "Who changed what, newest first");
    audit->group(std::string(kGroup));
    audit->add_option("--project", wish->project_id, "Only in this project");
    audit->add_option("--action", wish->action, "Only this: key.created");
    audit->add_option("--limit", wish->limit, "Entries, 1 to 100")->check(CLI::Range(1, 100));
    audit->add_option("--after", wish->after, "Go on behind this number");
    line.on(audit, [&session, wish] { return list_audit(session, *wish); });
}

}  // namespace nexa::cli
