// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "core/strong.h"
#include "protocol/llm_messages.h"
#include "worker/llm_settings.h"

namespace nexa::worker {

/// Millionths of a micro-dollar, so that the price of one token is whole.
using Picodollars = Strong<std::int64_t, struct PicodollarsTag>;

double to_usd(Picodollars amount);
Picodollars from_usd(double amount);

/// What an endpoint asks, in micro-dollars per million tokens: pico-dollars a token.
struct LlmPrices {
    std::int64_t input = 0;
    std::int64_t output = 0;
};
LlmPrices prices_of(const TeacherSettings& teacher);

/// More tokens than any endpoint counts stay below the largest amount.
Picodollars cost_of(
    const LlmPrices& prices, std::int64_t prompt_tokens, std::int64_t completion_tokens
);

/// The most that the request can cost: a token is a byte at least, and each message has a frame.
std::int64_t prompt_tokens_max(const protocol::LlmRequest& request);
Picodollars worst_cost(const LlmPrices& prices, const protocol::LlmRequest& request);

/// Decides which requests a job's cost cap allows: what was spent, and what is under way at its
/// worst, never exceed it. Plain; its owner guards it.
class CostBudget {
public:
    enum class Verdict : std::uint8_t {
        kReserved,  ///< settle() it
        kWait,      ///< until one that is under way has settled for less
        kRefused,   ///< for good
    };

    /// Zero is no cap.
    explicit CostBudget(Picodollars cap) : cap_(cap) {}

    Verdict reserve(Picodollars worst);
    /// A reserved request has ended and cost `actual`.
    void settle(Picodollars worst, Picodollars actual);
    /// What this job had paid before it was asked.
    void add_spent(Picodollars amount);

    Picodollars spent() const { return spent_; }
    Picodollars cap() const { return cap_; }

private:
    Picodollars cap_;
    Picodollars spent_;
    Picodollars reserved_;
};

}  // namespace nexa::worker
