// SPDX-License-Identifier: Apache-2.0
#include "api/budget_refusal.h"

#include <chrono>

#include "billing/period.h"

namespace nexa::api {

net::Response refusal_of(const Error& error, Timestamp now) {
    constexpr int kPaymentRequired = 402;
    net::HttpError refusal{.error = error};
    if (error.code == ErrorCode::kResourceExhausted && error.param == "budget") {
        const auto left = billing::month_of(now).until - now;
        refusal.status = kPaymentRequired;
        refusal.retry_after = std::chrono::ceil<std::chrono::seconds>(left);
    }
    return net::Response::failure(std::move(refusal));
}

}  // namespace nexa::api
