// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "gateway/model_table.h"
#include "net/router.h"
#include "net/typed_route.h"
#include "protocol/system_views.h"

namespace nexa::gateway {

/// /livez, /health, /readyz, /version: for those who look after the gateway. Thread-safe.
class SystemEndpoints {
public:
    struct Collaborators {
        const ModelTable& models;
        /// Whether it is known which models are to be served.
        std::function<bool()> knows_models;
        protocol::VersionView version;
    };
    explicit SystemEndpoints(Collaborators with) : with_(std::move(with)) {}

    std::vector<net::Route> routes();

private:
    net::Task<protocol::HealthView> live(net::Call call);
    /// 200 if no model is being loaded or down, and so also if there is none.
    net::Task<net::Response> ready(net::Call call);
    net::Task<protocol::VersionView> version(net::Call call);

    Collaborators with_;
};

}  // namespace nexa::gateway
