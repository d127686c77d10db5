// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "billing/money.h"
#include "core/result.h"
#include "protocol/engine.h"

namespace nexa::billing {

/// A quantity of one meter in its whole unit: time meters count microseconds, the others single
/// things.
struct Metered {
    std::string_view meter;
    std::int64_t quantity = 0;
};

/// Every meter of a job's usage, also those that are zero or that no card prices. A negative or
/// infinite measurement counts as zero.
std::vector<Metered> metered(const protocol::Usage& usage);

/// How many whole units make one of what people see: a million microseconds a second, else 1.
std::int64_t units_per_shown(std::string_view meter);

/// A price: `price` for every `per` units of `meter`, in jobs of `job_type` (empty: of all types).
struct Rate {
    std::string_view meter;
    std::string_view job_type;
    MicroUsd price;
    std::int64_t per = 1;
};

/// Meters whose cost grows with time until what they count comes to its end: see accrued_cost().
inline constexpr std::string_view kStoredBytes = "stored_bytes";
inline constexpr std::string_view kDeployments = "deployments";

/// Prices with a name and version, kept on every charge.
struct RateCard {
    std::string_view name;
    std::span<const Rate> rates;
    MicroUsd storage_per_gb_month;
    MicroUsd deployment_per_month;
};

/// The default: GPU hours, input and output tokens, storage.
const RateCard& default_rate_card();
/// A name without its version gives the newest. Errors: kNotFound with the names of all cards.
Result<const RateCard*> find_rate_card(std::string_view name);

/// Rounded to the nearest micro-dollar, halves up; the largest amount where the product would not
/// fit.
MicroUsd cost_of(const RateCard& card, std::string_view job_type, const Metered& metered);

/// Cost of bytes that are kept, or deployments that are served, times seconds: a month is 30 days,
/// a GB 10^9 bytes. Zero for a meter that does not accrue.
MicroUsd accrued_cost(const RateCard& card, std::string_view meter, double unit_seconds);

}  // namespace nexa::billing
