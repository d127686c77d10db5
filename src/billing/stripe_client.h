// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/secrets.h"
#include "core/value_node.h"
#include "net/http_client.h"
#include "net/task.h"

namespace nexa::billing {

/// The parameters of a request, in order: {"metadata[nexa_invoice_id]", "inv_1"}.
using StripeForm = std::vector<std::pair<std::string, std::string>>;

/// What is of interest in an object that Stripe answered with.
struct StripeObject {
    std::string id;
    std::string url;  ///< hosted_invoice_url, where an invoice has one
};

/// Speaks Stripe's protocol (docs.stripe.com/api): forms in, JSON out, and a key that makes sending
/// the same thing twice do it once. Thread-safe.
class StripeClient {
public:
    /// The version whose answers and events are understood here.
    static constexpr std::string_view kVersion = "2024-06-20";

    StripeClient(net::HttpClient& http, std::string api_url, const std::string& secret_key);

    /// Errors: kUnavailable, kDeadlineExceeded (no answer: what was asked may have been done),
    /// kResourceExhausted, kUnauthenticated, kInvalidArgument and others by the answer's status,
    /// with Stripe's own words.
    net::Task<StripeObject> post(std::string path, StripeForm form, std::string idempotency_key);

private:
    net::HttpClient& http_;
    std::string api_url_;
    Secret secret_key_;
};

/// "a%5Bb%5D=1&c=2".
std::string encode_form(const StripeForm& form);

/// Whether `header` (Stripe-Signature: "t=…,v1=…") signs `payload` with `secret`, not longer than
/// five minutes before or after `now`. Any of several v1 signatures may fit: a secret that is being
/// replaced. Errors: kUnauthenticated.
Status check_stripe_signature(
    std::string_view header, std::string_view payload, std::string_view secret, Timestamp now
);

}  // namespace nexa::billing
