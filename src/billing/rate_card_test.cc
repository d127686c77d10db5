// SPDX-License-Identifier: Apache-2.0
#include "billing/rate_card.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "fakes/proves.h"

namespace nexa::billing {
namespace {

constexpr std::int64_t kHour = 3'600'000'000;  // microseconds

std::string cost(std::string_view card, std::string_view job_type, Metered metered) {
    return to_dollars(cost_of(**find_rate_card(card), job_type, metered));
}

TEST(RateCard, PlatformPricesAreTheDocumentedOnes) {
    NEXA_PROVES("F-64 F-65 F-66 F-67");
    EXPECT_EQ(default_rate_card().name, "platform-1");
    EXPECT_EQ(cost("platform-1", "train", {"gpu_seconds", 2 * kHour}), "5.000000");
    EXPECT_EQ(cost("platform-1", "distill", {"input_tokens", 500'000}), "5.000000");
    EXPECT_EQ(cost("platform-1", "distill", {"output_tokens", 100'000}), "3.000000");
    const double gb_month = 100e9 * 30 * 86'400;
    EXPECT_EQ(to_dollars(accrued_cost(default_rate_card(), kStoredBytes, gb_month)), "2.000000");
}

TEST(RateCard, PricesOfTheFiveOperationsAreTheDocumentedOnes) {
    NEXA_PROVES("T-106 T-107 T-108 T-109");
    EXPECT_EQ(cost("nexa-api", "audit", {"audited_rows", 5'000}), "1.000000");
    EXPECT_EQ(cost("nexa-api", "distill", {"output_tokens", 2'500'000}), "0.750000");
    EXPECT_EQ(cost("nexa-api", "train", {"gpu_seconds", 16 * kHour / 5}), "4.000000");
    EXPECT_EQ(cost("nexa-api", "evaluate", {"evaluated_samples", 1'000}), "1.000000");
    EXPECT_EQ(cost("nexa-api", "train", {"output_tokens", 1'000'000}), "0.000000");
}

TEST(RateCard, WithoutItsVersionANameIsTheNewestCard) {
    EXPECT_EQ((*find_rate_card("nexa-api"))->name, "nexa-api-1");
    EXPECT_EQ((*find_rate_card("platform"))->name, "platform-1");
    for (const char* name : {"", "nexa", "nexa-api-", "nexa-api-2", "-1"}) {
        EXPECT_FALSE(find_rate_card(name)) << name;
    }
}

TEST(RateCard, ADeploymentCostsByTheTimeItIsServed) {
    const RateCard& card = **find_rate_card("nexa-api");
    constexpr double kMonth = 30 * 86'400;
    EXPECT_EQ(to_dollars(accrued_cost(card, kDeployments, kMonth)), "2.000000");
    EXPECT_EQ(to_dollars(accrued_cost(card, kDeployments, kMonth / 2)), "1.000000");
    EXPECT_EQ(to_dollars(accrued_cost(default_rate_card(), kDeployments, kMonth)), "0.000000");
    EXPECT_EQ(to_dollars(accrued_cost(card, "gpu_seconds", kMonth)), "0.000000");
}

TEST(RateCard, CostsRoundHalvesUpOncePerRow) {
    EXPECT_EQ(cost("platform-1", "train", {"input_tokens", 1}), "0.000010");
    // 2.50 dollars an hour are 0.000694… micro-dollars a microsecond: 720 make exactly one half.
    EXPECT_EQ(cost("platform-1", "train", {"gpu_seconds", 719}), "0.000000");
    EXPECT_EQ(cost("platform-1", "train", {"gpu_seconds", 720}), "0.000001");
}

TEST(RateCard, HugeQuantitiesEndAtTheLargestAmount) {
    const auto most = std::numeric_limits<std::int64_t>::max();
    EXPECT_EQ(cost_of(default_rate_card(), "train", {"output_tokens", most}), MicroUsd(most));
}

TEST(RateCard, AnUnknownOneIsNotFoundAndTheOthersAreNamed) {
    const auto missing = find_rate_card("gold");
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
    EXPECT_EQ(missing.error().advice, "the cards are platform-1, nexa-api-1");
}

TEST(Metered, CountsTimeInMicrosecondsAndNonsenseAsZero) {
    protocol::Usage usage{
        .gpu_seconds = 1.5, .cpu_seconds = -1, .input_tokens = 7, .output_tokens = -3
    };
    usage.stored_bytes = 12;
    for (const Metered& entry : metered(usage)) {
        const std::int64_t expected = entry.meter == "gpu_seconds"    ? 1'500'000
                                      : entry.meter == "input_tokens" ? 7
                                      : entry.meter == "stored_bytes" ? 12
                                                                      : 0;
        EXPECT_EQ(entry.quantity, expected) << entry.meter;
    }
    usage.gpu_seconds = std::numeric_limits<double>::quiet_NaN();
    EXPECT_EQ(metered(usage).front().quantity, 0);
}

TEST(Money, ShowsAllSixDecimals) {
    EXPECT_EQ(to_dollars(MicroUsd(0)), "0.000000");
    EXPECT_EQ(to_dollars(MicroUsd(1)), "0.000001");
    EXPECT_EQ(to_dollars(MicroUsd(12'345'678)), "12.345678");
    EXPECT_EQ(to_dollars(MicroUsd(-1'500'000)), "-1.500000");
    EXPECT_EQ(
        to_dollars(MicroUsd(std::numeric_limits<std::int64_t>::min())), "-9223372036854.775808"
    );
}

}  // namespace
}  // namespace nexa::billing
