// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "accounts/key_store.h"
#include "billing/rate_card.h"
#include "core/clock.h"
#include "net/router.h"
#include "net/typed_route.h"
#include "orchestration/backend.h"
#include "protocol/system_views.h"

namespace nexa::api {

/// Health, version, the OpenAPI document and the billing summary.
class SystemEndpoints {
public:
    struct Collaborators {
        orchestration::Backend backend;
        const Clock& clock;
        const billing::RateCard& rate_card;
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
    net::Task<protocol::BillingSummary> billing_summary(net::Call call);

    Collaborators with_;
    std::string openapi_;
};

}  // namespace nexa::api
