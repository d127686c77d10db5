// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "accounts/directory.h"
#include "net/router.h"
#include "net/typed_route.h"
#include "protocol/account_views.h"

namespace nexa::api {

/// /api/projects and their members.
class ProjectEndpoints {
public:
    explicit ProjectEndpoints(accounts::Directory& directory) : directory_(directory) {}

    std::vector<net::Route> routes();

private:
    net::Task<protocol::ProjectView> create(net::Call call, protocol::ProjectCreate wish);
    net::Task<protocol::ProjectList> list(net::Call call);
    net::Task<protocol::MemberList> members(net::Call call);
    net::Task<protocol::MemberView> add_member(net::Call call, protocol::MemberCreate wish);
    net::Task<protocol::MemberView> change_member(net::Call call, protocol::MemberChange wish);
    net::Task<void> remove_member(net::Call call);

    accounts::Directory& directory_;
};

}  // namespace nexa::api
