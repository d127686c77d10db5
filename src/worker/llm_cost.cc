// SPDX-License-Identifier: Apache-2.0
#include "worker/llm_cost.h"

#include <algorithm>
#include <cmath>

#include "core/check.h"

namespace nexa::worker {

namespace {

constexpr double kPerUsd = 1e12;
constexpr std::int64_t kMost = std::int64_t{1} << 61;

/// Amounts beyond two million dollars are all the same.
Picodollars capped(__int128 amount) {
    return Picodollars(static_cast<std::int64_t>(std::clamp<__int128>(amount, 0, kMost)));
}

Picodollars sum(Picodollars a, Picodollars b) {
    return capped(static_cast<__int128>(a.value()) + b.value());
}

}  // namespace

double to_usd(Picodollars amount) {
    return static_cast<double>(amount.value()) / kPerUsd;
}

Picodollars from_usd(double amount) {
    constexpr double kUsdMax = 2e6;
    return Picodollars(
        static_cast<std::int64_t>(std::llround(std::clamp(amount, 0.0, kUsdMax) * kPerUsd))
    );
}

LlmPrices prices_of(const TeacherSettings& teacher) {
    constexpr double kMicros = 1e6;
    return {
        .input = std::llround(teacher.input_usd_per_million * kMicros),
        .output = std::llround(teacher.output_usd_per_million * kMicros),
    };
}

Picodollars cost_of(
    const LlmPrices& prices, std::int64_t prompt_tokens, std::int64_t completion_tokens
) {
    return capped(
        static_cast<__int128>(prices.input) * std::max<std::int64_t>(prompt_tokens, 0) +
        static_cast<__int128>(prices.output) * std::max<std::int64_t>(completion_tokens, 0)
    );
}

std::int64_t prompt_tokens_max(const protocol::LlmRequest& request) {
    constexpr std::int64_t kFrame = 16;
    std::int64_t tokens = kFrame;
    for (const protocol::LlmMessage& message : request.messages) {
        tokens += kFrame + static_cast<std::int64_t>(message.role.size() + message.content.size());
    }
    return tokens;
}

Picodollars worst_cost(const LlmPrices& prices, const protocol::LlmRequest& request) {
    const std::int64_t answers = std::int64_t{request.max_tokens} * request.n;
    // An endpoint that gives one answer at a time is sent the prompt for each.
    return cost_of(prices, prompt_tokens_max(request) * request.n, answers);
}

CostBudget::Verdict CostBudget::reserve(Picodollars worst) {
    if (cap_ != Picodollars{}) {
        if (sum(spent_, worst) > cap_) {
            return Verdict::kRefused;
        }
        if (sum(sum(spent_, reserved_), worst) > cap_) {
            return Verdict::kWait;
        }
    }
    reserved_ = sum(reserved_, worst);
    return Verdict::kReserved;
}

void CostBudget::settle(Picodollars worst, Picodollars actual) {
    reserved_ = capped(static_cast<__int128>(reserved_.value()) - worst.value());
    spent_ = sum(spent_, actual);
}

void CostBudget::add_spent(Picodollars amount) {
    spent_ = sum(spent_, amount);
}

}  // namespace nexa::worker
