// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "accounts/key_gate.h"
#include "net/router.h"
#include "net/typed_route.h"
#include "protocol/key_views.h"

namespace nexa::api {

/// /api/auth/api-keys: make, list, roll, revoke. The key itself is in the answer that makes it and
/// nowhere else.
class KeyEndpoints {
public:
    explicit KeyEndpoints(accounts::KeyGate& gate) : gate_(gate) {}

    std::vector<net::Route> routes();

private:
    net::Task<net::Response> create(net::Call call, protocol::KeyCreate wish);
    net::Task<net::Response> roll(net::Call call, protocol::KeyRoll wish);
    net::Task<protocol::KeyList> list(net::Call call);
    net::Task<void> revoke(net::Call call);

    accounts::KeyGate& gate_;
};

}  // namespace nexa::api
