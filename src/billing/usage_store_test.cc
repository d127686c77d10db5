// SPDX-License-Identifier: Apache-2.0
#include "billing/usage_store.h"

#include <memory>
#include <optional>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "billing/billing_sql.h"
#include "db/migrations.h"
#include "db/writer.h"
#include "fakes/databases.h"
#include "fakes/manual_clock.h"
#include "fakes/proves.h"

namespace nexa::billing {
namespace {

class UsageStoreTest : public fakes::OnBothDatabases {
protected:
    void SetUp() override {
        fakes::OnBothDatabases::SetUp();
        if (IsSkipped()) {
            return;
        }
        store.emplace(GetParam(), clock);
        database = store->open();
        ASSERT_TRUE(db::migrate(*database, {sql::migrations()}));
        writer = std::make_unique<db::Writer>(*database);
    }
    void record(
        const std::string& job_id, const std::string& job_type, const protocol::Usage& usage
    ) {
        ASSERT_TRUE(writer->run([&](db::Tx& tx) {
            return usage_store::record(
                tx,
                default_rate_card(),
                {
                    .job_id = job_id,
                    .job_type = job_type,
                    .tenant_id = "prj_a",
                    .user_id = "u",
                    .key_id = "k",
                    .usage = usage,
                }
            );
        }));
    }
    protocol::BillingSummary summary(const Period& period) {
        return database
            ->read([&](db::Tx& tx) {
                return usage_store::summarize(
                    tx, default_rate_card(), {.tenant_id = "prj_a"}, period
                );
            })
            .value();
    }
    Period everything() {
        return {
            .from = clock.now() - std::chrono::days{365},
            .until = clock.now() + std::chrono::seconds{1}
        };
    }

    fakes::ManualClock clock;
    std::optional<fakes::TestDatabase> store;
    std::unique_ptr<db::Database> database;
    std::unique_ptr<db::Writer> writer;
};

TEST_P(UsageStoreTest, TheTotalIsTheSumOfItsLines) {
    NEXA_PROVES("F-51");
    record("job_1", "train", {.gpu_seconds = 7200, .trained_tokens = 5});
    record("job_2", "distill", {.input_tokens = 500'000, .output_tokens = 100'000});
    const auto shown = summary(everything());
    EXPECT_EQ(shown.total_cost, "13.000000");
    EXPECT_EQ(shown.cost_by_type.at("gpu_seconds"), "5.000000");
    EXPECT_EQ(shown.cost_by_type.at("input_tokens"), "5.000000");
    EXPECT_EQ(shown.cost_by_type.at("output_tokens"), "3.000000");
    EXPECT_EQ(shown.cost_by_job_type.at("distill"), "8.000000");
    EXPECT_DOUBLE_EQ(shown.usage_by_type.at("gpu_seconds"), 7200);
    EXPECT_DOUBLE_EQ(shown.usage_by_type.at("trained_tokens"), 5);
}

TEST_P(UsageStoreTest, AJobIsChargedOnceWhateverIsReplayed) {
    NEXA_PROVES("T-111");
    record("job_1", "train", {.gpu_seconds = 3600});
    record("job_1", "train", {.gpu_seconds = 7200});
    EXPECT_EQ(summary(everything()).total_cost, "2.500000");
    const auto cost = database->read([](db::Tx& tx) { return usage_store::job_cost(tx, "job_1"); });
    EXPECT_EQ(cost.value(), MicroUsd(2'500'000));
}

TEST_P(UsageStoreTest, AnAnswerIsChargedOnceAtItsOwnTime) {
    const Timestamp asked = clock.now() - std::chrono::hours{2};
    protocol::GatewayUsageLine answer{
        .id = "chatcmpl-1",
        .at = to_rfc3339(asked),
        .key_id = "key_1",
        .project_id = "prj_a",
        .deployment_id = "dp_1",
        .prompt_tokens = 100'000,
        .completion_tokens = 10'000,
    };
    const auto add = [&] {
        return writer->run([&](db::Tx& tx) {
            return usage_store::record_inference(tx, default_rate_card(), answer);
        });
    };
    ASSERT_TRUE(add());
    ASSERT_TRUE(add());
    const auto shown = summary(everything());
    EXPECT_EQ(shown.cost_by_job_type.at("inference"), "1.300000");
    EXPECT_DOUBLE_EQ(shown.usage_by_type.at("input_tokens"), 100'000);
    EXPECT_DOUBLE_EQ(shown.usage_by_type.at("output_tokens"), 10'000);
    const auto after = summary({.from = asked + std::chrono::seconds{1}, .until = clock.now()});
    EXPECT_EQ(after.total_cost, "0.000000");

    answer.id = "chatcmpl-2";
    answer.project_id = "";
    ASSERT_TRUE(add());
    answer.project_id = "prj_a";
    answer.id = "job_1";
    EXPECT_EQ(add().error().code, ErrorCode::kInvalidArgument);
    answer.id = "chatcmpl-3";
    answer.at = "yesterday";
    EXPECT_FALSE(add());
    EXPECT_EQ(summary(everything()).total_cost, "1.300000");
}

TEST_P(UsageStoreTest, StorageCostsByTheTimeItIsKept) {
    record("job_1", "train", {.stored_bytes = 100'000'000'000});
    EXPECT_EQ(summary(everything()).total_cost, "0.000000");
    clock.advance(std::chrono::days{30});
    EXPECT_EQ(summary(everything()).cost_by_type.at("stored_bytes"), "2.000000");
    const Period last_half{.from = clock.now() - std::chrono::days{15}, .until = clock.now()};
    EXPECT_EQ(summary(last_half).cost_by_type.at("stored_bytes"), "1.000000");
}

TEST_P(UsageStoreTest, DeletedStorageCostsUpToItsEndHoweverOftenItIsEnded) {
    record("job_1", "train", {.stored_bytes = 100'000'000'000});
    clock.advance(std::chrono::days{15});
    const auto end = [](db::Tx& tx) { return usage_store::end_accrual(tx, "job_1", kStoredBytes); };
    ASSERT_TRUE(writer->run(end));
    const Timestamp ended = clock.now();
    clock.advance(std::chrono::days{15});
    ASSERT_TRUE(writer->run(end));
    EXPECT_EQ(summary(everything()).cost_by_type.at("stored_bytes"), "1.000000");
    EXPECT_EQ(
        summary({.from = ended - std::chrono::days{3}, .until = clock.now()})
            .cost_by_type.at("stored_bytes"),
        "0.200000"
    );
    EXPECT_EQ(summary({.from = ended, .until = clock.now()}).total_cost, "0.000000");
}

TEST_P(UsageStoreTest, ADeploymentCostsProRataUntilItIsStopped) {
    NEXA_PROVES("T-110");
    const RateCard& card = **find_rate_card("nexa-api");
    const auto deployed = [&](const std::string& job_id) {
        ASSERT_TRUE(writer->run([&](db::Tx& tx) {
            return usage_store::record(
                tx, card, {.job_id = job_id, .job_type = "deploy", .tenant_id = "prj_a"}
            );
        }));
    };
    const auto cost_so_far = [&] {
        return database
            ->read([&](db::Tx& tx) {
                return usage_store::summarize(tx, card, {.tenant_id = "prj_a"}, everything());
            })
            .value()
            .cost_by_type.at("deployments");
    };
    deployed("job_1");
    deployed("job_1");  // a replay
    clock.advance(std::chrono::days{15});
    EXPECT_EQ(cost_so_far(), "1.000000");
    clock.advance(std::chrono::days{15});
    EXPECT_EQ(cost_so_far(), "2.000000");
    ASSERT_TRUE(writer->run([](db::Tx& tx) {
        return usage_store::end_accrual(tx, "job_1", kDeployments);
    }));
    clock.advance(std::chrono::days{30});
    EXPECT_EQ(cost_so_far(), "2.000000");
}

TEST_P(UsageStoreTest, OtherProjectsAndOtherTimesDoNotCount) {
    record("job_1", "train", {.gpu_seconds = 3600});
    const auto stranger = database
                              ->read([&](db::Tx& tx) {
                                  return usage_store::summarize(
                                      tx, default_rate_card(), {.tenant_id = "prj_b"}, everything()
                                  );
                              })
                              .value();
    EXPECT_EQ(stranger.total_cost, "0.000000");
    const Timestamp now = clock.now();
    EXPECT_EQ(summary({.from = now - std::chrono::hours{1}, .until = now}).total_cost, "0.000000");
    EXPECT_EQ(
        summary({.from = now, .until = now + std::chrono::microseconds{1}}).total_cost, "2.500000"
    );
}

TEST(Period, MonthSoFarBeginsOnTheFirst) {
    const Timestamp now = parse_rfc3339("2026-02-28T23:59:59.5Z").value();
    EXPECT_EQ(to_rfc3339(month_so_far(now).from), "2026-02-01T00:00:00.000Z");
    EXPECT_EQ(month_so_far(now).until, now);
}

TEST_P(UsageStoreTest, TrendsAddUpToTheSummaryToTheMicroDollar) {
    clock.set_wall(parse_rfc3339("2026-03-01T05:30:00Z").value());
    const Timestamp begin = clock.now();
    // Odd quantities, so that rounding each part alone would drift from the sum.
    for (int i = 0; i < 7; ++i) {
        record(
            fmt::format("job_{}", i),
            i % 2 == 0 ? "train" : "audit",
            {.gpu_seconds = 1.234567 * (i + 1),
             .input_tokens = 1'333 * (i + 1),
             .stored_bytes = 777'777'777 * (i + 1)}
        );
        clock.advance(std::chrono::hours{31} + std::chrono::seconds{7});
    }
    const Period period{.from = begin + std::chrono::minutes{1}, .until = clock.now()};
    const auto sum = summary(period);
    for (const Interval interval : {Interval::kHour, Interval::kDay}) {
        const auto shown =
            database
                ->read([&](db::Tx& tx) {
                    return usage_store::trends(tx, {.tenant_id = "prj_a"}, period, interval);
                })
                .value();
        EXPECT_EQ(shown.total_cost, sum.total_cost);
        EXPECT_NE(shown.total_cost, "0.000000");
        EXPECT_EQ(shown.data.size(), interval == Interval::kHour ? 218U : 10U);
        EXPECT_EQ(shown.data.front().start, to_rfc3339(period.from));
        EXPECT_EQ(shown.data.back().end, to_rfc3339(period.until));
        double tokens = 0;
        for (const protocol::BillingPart& part : shown.data) {
            const auto found = part.usage_by_type.find("input_tokens");
            tokens += found == part.usage_by_type.end() ? 0 : found->second;
        }
        EXPECT_DOUBLE_EQ(tokens, sum.usage_by_type.at("input_tokens"));
    }
}

TEST_P(UsageStoreTest, AKeysUsageIsToldFromThatOfOthers) {
    record("job_1", "train", {.gpu_seconds = 3600, .stored_bytes = 1'000'000'000});
    clock.advance(std::chrono::days{1});
    const auto of_key = [&](const std::string& key_id) {
        return database
            ->read([&](db::Tx& tx) {
                return usage_store::summarize(
                    tx, default_rate_card(), {.tenant_id = "prj_a", .key_id = key_id}, everything()
                );
            })
            .value()
            .total_cost;
    };
    EXPECT_EQ(of_key("k"), summary(everything()).total_cost);
    EXPECT_EQ(of_key("another"), "0.000000");
}

TEST_P(UsageStoreTest, WhatAccruesGoesOnAtThePricesItBeganWith) {
    const RateCard& other = **find_rate_card("nexa-api");
    record("job_1", "train", {.stored_bytes = 100'000'000'000});
    clock.advance(std::chrono::days{30});
    const auto shown =
        database
            ->read([&](db::Tx& tx) {
                return usage_store::summarize(tx, other, {.tenant_id = "prj_a"}, everything());
            })
            .value();
    EXPECT_EQ(shown.cost_by_type.at("stored_bytes"), "2.000000");
    EXPECT_NEAR(shown.usage_over_time.at("stored_gb_hours"), 100.0 * 720, 1e-6);
}

TEST_P(UsageStoreTest, AJobsCostIsListedByMeterAndByPage) {
    for (int i = 0; i < 5; ++i) {
        record(fmt::format("job_{}", i), i == 0 ? "audit" : "train", {.gpu_seconds = 3600});
    }
    const auto page = [&](std::optional<std::string> after, std::optional<std::string> type) {
        return database
            ->read([&](db::Tx& tx) {
                return usage_store::list_job_costs(
                    tx,
                    {.whose = {.tenant_id = "prj_a"},
                     .period = everything(),
                     .job_type = std::move(type),
                     .after = std::move(after),
                     .limit = 2}
                );
            })
            .value();
    };
    ASSERT_EQ(page({}, {}).size(), 3U);  // one more than asked for: there is another page
    EXPECT_EQ(page({}, {}).front().job_id, "job_4");
    EXPECT_EQ(page({}, {}).front().cost, "2.500000");
    EXPECT_EQ(page("job_1", {}).size(), 1U);
    EXPECT_EQ(page({}, "audit").size(), 1U);
    const auto lines =
        database->read([](db::Tx& tx) { return usage_store::job_cost_lines(tx, "prj_a", "job_4"); }
        ).value();
    ASSERT_EQ(lines.size(), metered({}).size());
    EXPECT_TRUE(
        database->read([](db::Tx& tx) { return usage_store::job_cost_lines(tx, "prj_b", "job_4"); })
            .value()
            .empty()
    );
}

TEST(Period, MonthsAreReadByName) {
    const Period found = month_named("2026-12").value();
    EXPECT_EQ(to_rfc3339(found.from), "2026-12-01T00:00:00.000Z");
    EXPECT_EQ(to_rfc3339(found.until), "2027-01-01T00:00:00.000Z");
    EXPECT_EQ(month_name(found.until - std::chrono::microseconds{1}), "2026-12");
    for (const std::string_view bad :
         {"", "2026", "2026-13", "2026-00", "2026-1", "26-10", "2026/10", "2026-1x", "2026-10-01"
         }) {
        EXPECT_EQ(month_named(bad).error().param, "month") << bad;
    }
}

TEST(Period, APeriodOfTooManyPartsIsRefused) {
    const Timestamp now = parse_rfc3339("2026-02-28T23:59:59.5Z").value();
    const auto parts = [&](std::chrono::microseconds length, Interval interval) {
        return parts_of({.from = now - length, .until = now}, interval);
    };
    EXPECT_EQ(parts(std::chrono::hours{390}, Interval::kHour)->size(), 391U);
    EXPECT_EQ(parts(std::chrono::hours{500}, Interval::kHour).error().param, "interval");
    EXPECT_EQ(parts(std::chrono::hours{500}, Interval::kDay)->size(), 21U);
    EXPECT_TRUE(parts(std::chrono::hours{0}, Interval::kDay)->size() <= 1);
    EXPECT_FALSE(parts(-std::chrono::hours{1}, Interval::kDay));
}

NEXA_ON_BOTH_DATABASES(UsageStoreTest);

}  // namespace
}  // namespace nexa::billing
