// SPDX-License-Identifier: Apache-2.0
#include "api/endpoints/stripe.h"

#include "accounts/audit_store.h"
#include "api/rows.h"
#include "billing/stripe_client.h"
#include "billing/stripe_events.h"

namespace nexa::api {

namespace {
constexpr std::size_t kEventBytesMax = std::size_t{1} << 20;
}  // namespace

std::vector<net::Route> StripeEndpoints::routes() {
    return {{
        .method = net::Method::kPost,
        .path = "/api/billing/stripe/webhook",
        .operation_id = "stripe_webhook",
        .summary = "Takes Stripe's signed events in",
        .tag = "billing",
        .auth = net::Auth::kPublic,
        .body_bytes_max = kEventBytesMax,
        .request = {.name = "StripeEvent", .schema = {}},
        .handler = bound(*this, &StripeEndpoints::take_event),
    }};
}

net::Task<net::Response> StripeEndpoints::take_event(net::Request request) {
    if (!webhook_secret_) {
        co_return Error::not_found("this server takes no events of Stripe")
            .hint("its setting stripe.webhook_secret is empty");
    }
    CO_TRY_STATUS(billing::check_stripe_signature(
        request.head->headers.get("Stripe-Signature"),
        request.body,
        webhook_secret_->reveal(),
        with_.clock.now()
    ));
    auto apply = [payload = std::move(request.body),
                  address = request.head->peer_address](db::Tx& tx) -> Status {
        TRY(const auto taken, billing::take_stripe_event(tx, payload));
        if (!taken.is_new || taken.invoice_id.empty()) {
            return {};
        }
        return accounts::audit_store::add(
            tx,
            {.address = address},
            {.action = "stripe.event", .target = taken.invoice_id, .details = {{"type", taken.type}}
            }
        );
    };
    CO_TRY_STATUS(co_await with_.backend.write(std::move(apply)));
    co_return net::Response::json(R"({"received":true})");
}

}  // namespace nexa::api
