// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

#include "core/clock.h"
#include "core/secrets.h"
#include "net/router.h"
#include "orchestration/backend.h"

namespace nexa::api {

/// /api/billing/stripe: what Stripe tells us. Whoever signs an event is who may send it.
class StripeEndpoints {
public:
    struct Collaborators {
        orchestration::Backend backend;
        const Clock& clock;
    };
    /// Without a secret no event is taken.
    StripeEndpoints(Collaborators with, std::optional<Secret> webhook_secret)
        : with_(with), webhook_secret_(std::move(webhook_secret)) {}

    std::vector<net::Route> routes();

private:
    net::Task<net::Response> take_event(net::Request request);

    Collaborators with_;
    std::optional<Secret> webhook_secret_;
};

}  // namespace nexa::api
