// SPDX-License-Identifier: Apache-2.0
#include "orchestration/job_estimate.h"

#include <gtest/gtest.h>

#include "billing/usage_store.h"
#include "orchestration/database_test_internal.h"

namespace nexa::orchestration {
namespace {

const billing::RateCard& card() {
    return billing::default_rate_card();
}

PastJob generated(int rows, double seconds, std::string_view domain = "arithmetic") {
    return {
        .payload = {fmt::format(R"({{"domain":"{}","num_samples":{}}})", domain, rows)},
        .seconds = seconds,
        .usage = {{"output_tokens", 1'000'000}, {"cpu_seconds", 2'000'000}},
    };
}

PlannedJob to_generate(int rows, std::string_view domain = "arithmetic") {
    return {.job_type = "generate", .payload = generated(rows, 0, domain).payload};
}

TEST(JobEstimate, WithoutAFinishedJobItSaysSoAndGivesNoNumbers) {
    const Forecast known = forecast(to_generate(10), {}, card());
    EXPECT_FALSE(known.seconds);
    EXPECT_FALSE(known.cost_usd);
    EXPECT_TRUE(known.usage.empty());
    EXPECT_EQ(known.based_on, 0);
    EXPECT_EQ(known.basis, "no generate job of this project has completed yet");
}

TEST(JobEstimate, PastJobsCountByTheirWork) {
    const std::vector past{generated(100, 10)};
    const Forecast known = forecast(to_generate(200), past, card());
    EXPECT_EQ(known.seconds, (protocol::EstimateRange{20, 20, 20}));
    ASSERT_EQ(known.usage.size(), 2U);
    EXPECT_EQ(known.usage[0], (protocol::MeterEstimate{"cpu_seconds", 4, 4, 4}));
    EXPECT_EQ(known.usage[1], (protocol::MeterEstimate{"output_tokens", 2e6, 2e6, 2e6}));
    const billing::MicroUsd price =
        billing::cost_of(card(), "generate", {"output_tokens", 2'000'000});
    EXPECT_GT(price.value(), 0);
    EXPECT_EQ(known.cost_usd->median, billing::to_dollars(price));
    EXPECT_EQ(known.basis, "the newest 1 completed generate job with arithmetic, scaled by rows");
}

TEST(JobEstimate, TheRangeIsTheTenthToTheNinetiethPercentile) {
    std::vector<PastJob> past;
    for (int seconds = 0; seconds <= 10; ++seconds) {
        past.push_back(generated(100, seconds));
    }
    const Forecast known = forecast(to_generate(100), past, card());
    EXPECT_EQ(known.seconds, (protocol::EstimateRange{1, 5, 9}));
    EXPECT_EQ(known.based_on, 11);
    // Of two, both are shown.
    const Forecast few = forecast(to_generate(100), std::span(past).first(2), card());
    EXPECT_EQ(few.seconds, (protocol::EstimateRange{0, 0.5, 1}));
}

TEST(JobEstimate, JobsWithTheSameSubjectAloneCountIfThereAreAny) {
    const std::vector past{generated(100, 10), generated(100, 90, "documents")};
    EXPECT_EQ(forecast(to_generate(100), past, card()).seconds->median, 10);
    const Forecast other = forecast(to_generate(100, "code"), past, card());
    EXPECT_EQ(other.seconds->median, 50);
    EXPECT_EQ(other.basis, "the newest 2 completed generate jobs, none with code, scaled by rows");
}

TEST(JobEstimate, WorkOfAnotherKindIsNotCompared) {
    const auto job = [](std::string_view more) {
        return JsonText{fmt::format(R"({{"model_id":"m","epochs":2{}}})", more)};
    };
    const std::vector<PastJob> past{{.payload = job(""), .input_bytes = 500, .seconds = 5}};
    const PlannedJob by_bytes{.job_type = "train", .payload = job(""), .input_bytes = 1000};
    EXPECT_EQ(forecast(by_bytes, past, card()).seconds->median, 10);
    const PlannedJob by_steps{
        .job_type = "train", .payload = job(R"(,"max_steps":10)"), .input_bytes = 1000
    };
    EXPECT_EQ(
        forecast(by_steps, past, card()).basis,
        "no train job of this project was limited in the same way"
    );
}

TEST(JobEstimate, AModelIsAsLargeAsItIsHoweverLongItTrains) {
    const std::vector<PastJob> past{{
        .payload = {R"({"model_id":"m","epochs":1})"},
        .input_bytes = 10,
        .seconds = 1,
        .usage = {{"stored_bytes", 700}, {"trained_tokens", 50}},
    }};
    const PlannedJob longer{
        .job_type = "train", .payload = {R"({"model_id":"m","epochs":4})"}, .input_bytes = 10
    };
    const Forecast known = forecast(longer, past, card());
    EXPECT_EQ(known.usage[0], (protocol::MeterEstimate{"stored_bytes", 700, 700, 700}));
    EXPECT_EQ(known.usage[1], (protocol::MeterEstimate{"trained_tokens", 200, 200, 200}));
}

TEST(JobEstimate, PayloadsOfAnotherTimeAndExtremeNumbersDoNoHarm) {
    const std::vector<PastJob> past{
        {.payload = {"not JSON"}, .seconds = 1},
        {.payload = {R"({"num_samples":-5,"domain":7})"}, .seconds = 1},
        {.payload = {R"({"num_samples":1e999})"},
         .seconds = 1,
         .usage = {{"output_tokens", INT64_MAX}}},
    };
    const PlannedJob huge{
        .job_type = "generate", .payload = {R"({"num_samples":9e300,"domain":""})"}
    };
    const Forecast known = forecast(huge, past, card());
    EXPECT_EQ(known.based_on, 2);
    EXPECT_FALSE(known.cost_usd->high.starts_with("-"));
    EXPECT_FALSE(forecast({.job_type = "echo", .payload = {"{"}}, past, card()).seconds);
}

class PastJobs : public DatabaseTest {
protected:
    void run(const std::string& text) {
        const auto done = write([&](db::Tx& tx) { return tx.execute(statement(text)); });
        ASSERT_TRUE(done) << done.error().to_string();
    }
    void complete(const JobId& job_id, int from_s, int until_s) {
        run(fmt::format(
            "UPDATE job SET state = 'done', started_at = {}000000 WHERE id = '{}'",
            from_s,
            job_id.text()
        ));
        run(fmt::format(
            "UPDATE job_detail SET finished_at = {}000000 WHERE job_id = '{}'",
            until_s,
            job_id.text()
        ));
    }
    void reads(const JobId& job_id, std::string_view name, int bytes) {
        const std::string artifact_id = fmt::format("ds_{}{}", name, bytes);
        run(fmt::format(
            "INSERT INTO artifact (id, tenant_id, kind, name, root_digest, bytes, manifest, "
            "created_at) VALUES ('{}', 'prj_a', 'dataset', '', '', {}, '{{}}', 0)",
            artifact_id,
            bytes
        ));
        run(fmt::format(
            "INSERT INTO job_input (artifact_id, job_id, name) VALUES ('{}', '{}', '{}')",
            artifact_id,
            job_id.text(),
            name
        ));
    }
    std::vector<PastJob> past() {
        return database->read([](db::Tx& tx) { return read_past_jobs(tx, "prj_a", "echo"); }
        ).value();
    }
};
NEXA_ON_BOTH_DATABASES(PastJobs);

TEST_P(PastJobs, AreTheCompletedOnesNewestFirstWithTheBytesTheyRead) {
    const JobId first = add_job();
    clock.advance(std::chrono::seconds(1));
    const JobId second = add_job();
    add_job();  // not completed
    complete(add_job("prj_b"), 1, 2);
    complete(first, 10, 13);
    complete(second, 10, 15);
    reads(first, "model", 50);
    reads(first, "dataset", 700);
    reads(second, "model", 60);
    const billing::UsageEntry entry{
        .job_id = first.text(),
        .job_type = "echo",
        .tenant_id = "prj_a",
        .usage = {.input_tokens = 9}
    };
    ASSERT_TRUE(write([&](db::Tx& tx) { return billing::usage_store::record(tx, card(), entry); }));
    const auto jobs = past();
    ASSERT_EQ(jobs.size(), 2U);
    EXPECT_EQ(jobs[0].seconds, 5);
    EXPECT_EQ(jobs[0].input_bytes, 60);
    EXPECT_TRUE(jobs[0].usage.empty());
    EXPECT_EQ(jobs[1].seconds, 3);
    EXPECT_EQ(jobs[1].input_bytes, 700);
    EXPECT_EQ(jobs[1].usage.at("input_tokens"), 9);
}

}  // namespace
}  // namespace nexa::orchestration
