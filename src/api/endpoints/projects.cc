// SPDX-License-Identifier: Apache-2.0
#include "api/endpoints/projects.h"

#include "api/authenticator.h"
#include "api/rows.h"

namespace nexa::api {

namespace {

using net::Method;

constexpr Noun kProjects{
    .tag = "projects", .read_scope = "projects:read", .write_scope = "projects:write"
};
constexpr Noun kMembers{
    .tag = "projects", .read_scope = "members:read", .write_scope = "members:write"
};

protocol::ProjectView to_view(const accounts::ProjectRecord& project) {
    protocol::ProjectView view{
        .project_id = project.project_id,
        .name = project.name,
        .created_at = to_rfc3339(project.created_at),
        .role = std::nullopt,
    };
    if (project.role) {
        view.role = std::string(accounts::to_string(*project.role));
    }
    return view;
}

protocol::MemberView to_view(const accounts::MemberRecord& member) {
    return {
        .user_id = member.user_id,
        .name = member.name,
        .email = member.email,
        .status = member.status,
        .role = std::string(accounts::to_string(member.role)),
    };
}

net::Route created(net::Route route) {
    route.success_status = 201;
    return route;
}

}  // namespace

std::vector<net::Route> ProjectEndpoints::routes() {
    const std::string all = "/api/projects";
    const std::string members = "/api/projects/{project_id}/members";
    const std::string member = "/api/projects/{project_id}/members/{user_id}";
    return {
        net::typed(
            created(row(kProjects, {Method::kPost, all, "projects_create", "Make a project"})),
            *this,
            &ProjectEndpoints::create
        ),
        net::typed(
            row(kProjects, {Method::kGet, all, "projects_list", "List the projects you reach"}),
            *this,
            &ProjectEndpoints::list
        ),
        net::typed(
            row(kMembers, {Method::kGet, members, "members_list", "List a project's members"}),
            *this,
            &ProjectEndpoints::members
        ),
        net::typed(
            created(row(kMembers, {Method::kPost, members, "members_add", "Make a user a member"})),
            *this,
            &ProjectEndpoints::add_member
        ),
        net::typed(
            row(kMembers, {Method::kPatch, member, "members_change", "Change a member's role"}),
            *this,
            &ProjectEndpoints::change_member
        ),
        net::typed(
            row(kMembers,
                {Method::kDelete,
                 member,
                 "members_remove",
                 "Remove a member; the member's keys of the project are refused from then on"}),
            *this,
            &ProjectEndpoints::remove_member
        ),
    };
}

net::Task<protocol::ProjectView> ProjectEndpoints::create(
    net::Call call, protocol::ProjectCreate wish
) {
    CO_TRY(
        const auto project,
        co_await directory_.create_project(std::move(wish.name), principal_of(call.principal))
    );
    co_return to_view(project);
}

net::Task<protocol::ProjectList> ProjectEndpoints::list(net::Call call) {
    CO_TRY(const auto projects, co_await directory_.projects(principal_of(call.principal)));
    protocol::ProjectList list;
    for (const accounts::ProjectRecord& project : projects) {
        list.data.push_back(to_view(project));
    }
    co_return list;
}

net::Task<protocol::MemberList> ProjectEndpoints::members(net::Call call) {
    CO_TRY(
        const auto members,
        co_await directory_.members(call.parameter("project_id"), principal_of(call.principal))
    );
    protocol::MemberList list;
    for (const accounts::MemberRecord& member : members) {
        list.data.push_back(to_view(member));
    }
    co_return list;
}

net::Task<protocol::MemberView> ProjectEndpoints::add_member(
    net::Call call, protocol::MemberCreate wish
) {
    CO_TRY(const accounts::Role role, accounts::role_from(wish.role));
    CO_TRY(
        const auto member,
        co_await directory_.add_member(
            call.parameter("project_id"), std::move(wish.user), role, principal_of(call.principal)
        )
    );
    co_return to_view(member);
}

net::Task<protocol::MemberView> ProjectEndpoints::change_member(
    net::Call call, protocol::MemberChange wish
) {
    CO_TRY(const accounts::Role role, accounts::role_from(wish.role));
    CO_TRY(
        const auto member,
        co_await directory_.change_member(
            call.parameter("project_id"),
            call.parameter("user_id"),
            role,
            principal_of(call.principal)
        )
    );
    co_return to_view(member);
}

net::Task<void> ProjectEndpoints::remove_member(net::Call call) {
    co_return co_await directory_.remove_member(
        call.parameter("project_id"), call.parameter("user_id"), principal_of(call.principal)
    );
}

}  // namespace nexa::api
