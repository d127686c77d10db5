// SPDX-License-Identifier: Apache-2.0
#include "billing/rate_card.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <ranges>

#include <fmt/ranges.h>

namespace nexa::billing {

namespace {

constexpr std::int64_t kMicrosecondsPerSecond = 1'000'000;
constexpr std::int64_t kMicrosecondsPerHour = 3'600 * kMicrosecondsPerSecond;
constexpr double kSecondsPerMonth = 30 * 86'400;
constexpr double kBytesPerGb = 1e9;

constexpr MicroUsd usd(double dollars) {
    // NOLINTNEXTLINE(bugprone-incorrect-roundings): positive, and lround() is not constexpr
    return MicroUsd(static_cast<std::int64_t>(dollars * 1e6 + 0.5));
}

constexpr std::array kPlatformRates{
    Rate{"gpu_seconds", "", usd(2.50), kMicrosecondsPerHour},
    Rate{"input_tokens", "", usd(10.00), 1'000'000},
    Rate{"output_tokens", "", usd(30.00), 1'000'000},
};

constexpr std::array kNexaApiRates{
    Rate{"audited_rows", "audit", usd(0.20), 1'000},
    Rate{"output_tokens", "distill", usd(0.30), 1'000'000},
    Rate{"gpu_seconds", "train", usd(1.25), kMicrosecondsPerHour},
    Rate{"evaluated_samples", "evaluate", usd(0.10), 100},
};

constexpr std::array kCards{
    RateCard{"platform-1", kPlatformRates, usd(0.02), usd(0)},
    RateCard{"nexa-api-1", kNexaApiRates, usd(0), usd(2.00)},
};

std::int64_t whole(double quantity, std::int64_t units) {
    const double scaled = quantity * static_cast<double>(units);
    constexpr double kLargest = 9.0e18;
    if (!(scaled > 0)) {  // also a NaN
        return 0;
    }
    return scaled >= kLargest ? std::numeric_limits<std::int64_t>::max() : std::llround(scaled);
}

bool is_time(std::string_view meter) {
    return meter.ends_with("_seconds");
}

}  // namespace

std::vector<Metered> metered(const protocol::Usage& usage) {
    const auto count = [](std::int64_t quantity) { return std::max<std::int64_t>(quantity, 0); };
    return {
        {"gpu_seconds", whole(usage.gpu_seconds, kMicrosecondsPerSecond)},
        {"cpu_seconds", whole(usage.cpu_seconds, kMicrosecondsPerSecond)},
        {"input_tokens", count(usage.input_tokens)},
        {"output_tokens", count(usage.output_tokens)},
        {"trained_tokens", count(usage.trained_tokens)},
        {"audited_rows", count(usage.audited_rows)},
        {"evaluated_samples", count(usage.evaluated_samples)},
        {"stored_bytes", count(usage.stored_bytes)},
    };
}

std::int64_t units_per_shown(std::string_view meter) {
    return is_time(meter) ? kMicrosecondsPerSecond : 1;
}

const RateCard& default_rate_card() {
    return kCards[0];
}

Result<const RateCard*> find_rate_card(std::string_view name) {
    // Later cards of a name stand behind the earlier ones.
    const auto newest_first = kCards | std::views::reverse;
    const auto found = std::ranges::find_if(newest_first, [&](const RateCard& card) {
        return card.name == name || card.name.substr(0, card.name.rfind('-')) == name;
    });
    if (found == newest_first.end()) {
        std::vector<std::string_view> names;
        std::ranges::transform(kCards, std::back_inserter(names), &RateCard::name);
        return Error::not_found("there is no rate card '{}'", name)
            .hint(fmt::format("the cards are {}", fmt::join(names, ", ")));
    }
    return &*found;
}

MicroUsd cost_of(const RateCard& card, std::string_view job_type, const Metered& metered) {
    for (const Rate& rate : card.rates) {
        if (rate.meter != metered.meter || (!rate.job_type.empty() && rate.job_type != job_type)) {
            continue;
        }
        __extension__ using Wide = __int128;
        const Wide product = Wide{metered.quantity} * rate.price.value();
        const Wide cost = (product + rate.per / 2) / rate.per;
        return MicroUsd(static_cast<std::int64_t>(
            std::min<Wide>(cost, std::numeric_limits<std::int64_t>::max())
        ));
    }
    return MicroUsd(0);
}

MicroUsd accrued_cost(const RateCard& card, std::string_view meter, double unit_seconds) {
    const auto price = [&](MicroUsd per_month, double units) {
        const double months = unit_seconds / units / kSecondsPerMonth;
        return MicroUsd(whole(months * static_cast<double>(per_month.value()), 1));
    };
    if (meter == kStoredBytes) {
        return price(card.storage_per_gb_month, kBytesPerGb);
    }
    return meter == kDeployments ? price(card.deployment_per_month, 1) : MicroUsd(0);
}

}  // namespace nexa::billing
