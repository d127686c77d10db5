// SPDX-License-Identifier: Apache-2.0
#include "billing/stripe_client.h"

#include <charconv>
#include <chrono>

#include <fmt/format.h>

#include "crypto/hex.h"
#include "crypto/hmac.h"
#include "net/url.h"

namespace nexa::billing {

namespace {

constexpr std::chrono::seconds kAnswerTimeMax{20};
constexpr std::chrono::minutes kSignatureAgeMax{5};

std::string text_of(const ValueNode& object, std::string_view name) {
    const ValueNode* const found = object.find(name);
    return found != nullptr && found->kind == ValueNode::Kind::kString ? found->text : "";
}

/// What went wrong, in Stripe's own words where it has any.
Error error_of(const net::HttpResponse& response, const std::string& path) {
    Error error = net::to_error(response);
    const auto body = parse_json(response.body);
    const ValueNode* const told = body ? body->find("error") : nullptr;
    if (told != nullptr && told->kind == ValueNode::Kind::kObject) {
        error.message =
            fmt::format("Stripe says {}: {}", response.status, text_of(*told, "message"));
        error.param = text_of(*told, "param");
    }
    return std::move(error).while_doing(fmt::format("POST {}", path));
}

struct SignatureParts {
    std::int64_t time = 0;
    std::vector<std::string_view> signatures;
};

SignatureParts parts_of(std::string_view header) {
    SignatureParts parts;
    while (!header.empty()) {
        const std::size_t comma = header.find(',');
        const std::string_view part = header.substr(0, comma);
        header.remove_prefix(comma == std::string_view::npos ? header.size() : comma + 1);
        if (part.starts_with("t=")) {
            std::from_chars(part.data() + 2, part.data() + part.size(), parts.time);
        } else if (part.starts_with("v1=")) {
            parts.signatures.push_back(part.substr(3));
        }
    }
    return parts;
}

}  // namespace

std::string encode_form(const StripeForm& form) {
    std::string text;
    for (const auto& [name, value] : form) {
        text += fmt::format(
            "{}{}={}",
            text.empty() ? "" : "&",
            net::percent_encode(name),
            net::percent_encode(value)
        );
    }
    return text;
}

StripeClient::StripeClient(
    net::HttpClient& http, std::string api_url, const std::string& secret_key
)
    : http_(http), api_url_(std::move(api_url)), secret_key_(secret_key) {
    while (api_url_.ends_with('/')) {
        api_url_.pop_back();
    }
}

net::Task<StripeObject> StripeClient::post(
    std::string path, StripeForm form, std::string idempotency_key
) {
    net::HttpRequest request{
        .method = net::Method::kPost,
        .url = api_url_ + path,
        .headers =
            {{"Authorization", fmt::format("Bearer {}", secret_key_.reveal())},
             {"Content-Type", "application/x-www-form-urlencoded"},
             {"Stripe-Version", std::string(kVersion)},
             {"Idempotency-Key", std::move(idempotency_key)}},
        .body = encode_form(form),
        .total_time_max = kAnswerTimeMax,
    };
    CO_TRY(const net::HttpResponse response, co_await http_.send(std::move(request)));
    if (!response.is_success()) {
        co_return error_of(response, path);
    }
    const auto body = parse_json(response.body);
    if (!body || body->kind != ValueNode::Kind::kObject) {
        co_return Error::unavailable("POST {}: the answer is no object", path);
    }
    co_return StripeObject{.id = text_of(*body, "id"), .url = text_of(*body, "hosted_invoice_url")};
}

Status check_stripe_signature(
    std::string_view header, std::string_view payload, std::string_view secret, Timestamp now
) {
    const SignatureParts parts = parts_of(header);
    // Far from the ends of the number's range, so that no difference overflows.
    constexpr std::int64_t kYear10000 = 253'402'300'800;
    if (parts.time <= 0 || parts.time > kYear10000) {
        return Error::unauthenticated("the event's signature has no time");
    }
    const Timestamp signed_at{std::chrono::seconds{parts.time}};
    if (std::chrono::abs(now - signed_at) > kSignatureAgeMax) {
        return Error::unauthenticated("the event's signature is too old, or a clock is wrong");
    }
    const std::string wanted =
        crypto::to_hex(crypto::hmac_sha256(secret, fmt::format("{}.{}", parts.time, payload)));
    for (const std::string_view signature : parts.signatures) {
        if (crypto::constant_time_equal(signature, wanted)) {
            return {};
        }
    }
    return Error::unauthenticated("the event's signature is not Stripe's");
}

}  // namespace nexa::billing
