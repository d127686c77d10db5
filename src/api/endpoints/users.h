// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "accounts/directory.h"
#include "net/router.h"
#include "net/typed_route.h"
#include "protocol/account_views.h"

namespace nexa::api {

/// How a user is shown.
protocol::UserView to_view(const accounts::UserRecord& user);

/// /api/users, for administrators of the installation, and /api/audit-trail.
class UserEndpoints {
public:
    explicit UserEndpoints(accounts::Directory& directory) : directory_(directory) {}

    std::vector<net::Route> routes();

private:
    net::Task<net::Response> invite(net::Call call, protocol::UserCreate wish);
    net::Task<net::Response> invite_again(net::Call call);
    net::Task<protocol::UserList> list(net::Call call);
    net::Task<protocol::UserView> change(net::Call call, protocol::UserChange wish);
    net::Task<protocol::AuditPage> audit_trail(net::Call call);

    accounts::Directory& directory_;
};

}  // namespace nexa::api
