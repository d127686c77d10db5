// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "net/router.h"
#include "net/typed_route.h"
#include "orchestration/backend.h"
#include "protocol/system_views.h"

namespace nexa::api {

/// Health, version and the OpenAPI document.
class SystemEndpoints {
public:
    struct Collaborators {
        orchestration::Backend backend;
        protocol::VersionView version;
    };
    explicit SystemEndpoints(Collaborators with) : with_(std::move(with)) {}

    /// The document answers with `openapi`, which is set once all rows are known.
    std::vector<net::Route> routes();
    void set_openapi(std::string document) { openapi_ = std::move(document); }

private:
    net::Task<protocol::HealthView> live(net::Call call);
    net::Task<net::Response> ready(net::Request request);
    net::Task<protocol::VersionView> version(net::Call call);
    net::Task<net::Response> openapi(net::Request request);

    Collaborators with_;
    std::string openapi_;
};

}  // namespace nexa::api
