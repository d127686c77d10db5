// SPDX-License-Identifier: Apache-2.0
#include <string>

#include "accounts/people_store.h"
#include "orchestration/deploy_test_internal.h"
#include "orchestration/schedule_service.h"
#include "orchestration/schedule_times.h"
#include "orchestration/workflow_service.h"

namespace nexa::orchestration {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

constexpr std::string_view kEcho =
    R"({"steps":{"say":{"job_type":"echo","spec":{"message":"x"}}}})";

TEST(DueTimes, OfPastTimesOneOrEachOrNoneStartsAWorkflow) {
    const Cron hourly = Cron::parse("@hourly").value();
    const TimeZone zone = TimeZone::find("UTC").value();
    const Timestamp due = parse_rfc3339("2026-11-20T00:00:00Z").value();
    const Timestamp later = due + hours(3) + minutes(10);  // 00:00, 01:00, 02:00, 03:00 are past

    const DueTimes once = due_times(hourly, zone, "once", due, later);
    EXPECT_EQ(once.run, due + hours(3));
    EXPECT_EQ(once.next, due + hours(4));
    EXPECT_EQ(once.left_out, 3);

    const DueTimes all = due_times(hourly, zone, "all", due, later);
    EXPECT_EQ(all.run, due);
    EXPECT_EQ(all.next, due + hours(1));
    EXPECT_EQ(all.left_out, 0);

    const DueTimes skip = due_times(hourly, zone, "skip", due, later);
    EXPECT_EQ(skip.run, std::nullopt);
    EXPECT_EQ(skip.next, due + hours(4));
    EXPECT_EQ(skip.left_out, 4);
    EXPECT_EQ(due_times(hourly, zone, "skip", due, due + minutes(4)).run, due);

    const DueTimes on_time = due_times(hourly, zone, "once", due, due);
    EXPECT_EQ(on_time.run, due);
    EXPECT_EQ(on_time.left_out, 0);
}

TEST(DueTimes, ALongTimeAwayIsCaughtUpWithInBounds) {
    const Cron every_minute = Cron::parse("* * * * *").value();
    const TimeZone zone = TimeZone::find("UTC").value();
    const Timestamp due = parse_rfc3339("2026-01-01T00:00:00Z").value();
    const DueTimes all = due_times(every_minute, zone, "all", due, due + minutes(199));
    EXPECT_EQ(all.run, due + minutes(100));
    EXPECT_EQ(all.left_out, 100);
    const DueTimes years = due_times(every_minute, zone, "once", due, due + hours(24 * 400));
    EXPECT_EQ(years.next, due + hours(24 * 400) + minutes(1));
}

class ScheduleTest : public DeployTest {
protected:
    void SetUp() override {
        DeployTest::SetUp();
        if (!IsSkipped()) {
            clock.advance(parse_rfc3339("2026-11-20T00:30:00Z").value() - clock.now());
        }
    }
    ScheduleId add(const std::string& cron, ScheduleRecord wish = {}) {
        wish.schedule_id = ids.make<ScheduleId>();
        wish.tenant_id = "prj_a";
        wish.user_id = wish.user_id.empty() ? "usr_1" : wish.user_id;
        wish.key_id = "key_1";
        wish.cron = cron;
        wish.time_zone = "UTC";
        wish.definition = {std::string(kEcho)};
        wish.missed = wish.missed.empty() ? "once" : wish.missed;
        wish.overlap = wish.overlap.empty() ? "allow" : wish.overlap;
        wish.next_at =
            next_after(Cron::parse(cron).value(), TimeZone::find("UTC").value(), clock.now());
        const auto added =
            write([&](db::Tx& tx) { return schedule_store::add(tx, wish, std::nullopt); });
        EXPECT_TRUE(added) << added.error().to_string();
        return wish.schedule_id;
    }
    /// As the service does once a second.
    void look() {
        const auto due =
            database->read([](db::Tx& tx) { return schedule_store::due(tx, 100); }).value();
        for (const ScheduleId& id : due) {
            const auto news = write([&](db::Tx& tx) {
                return run_due_schedule(tx, driver, id, ids.make<WorkflowId>());
            });
            if (!news) {
                ASSERT_TRUE(write([&](db::Tx& tx) { return note_failed_run(tx, id, news.error()); })
                );
            }
        }
    }
    ScheduleRecord stored(const ScheduleId& id) {
        return database->read([&](db::Tx& tx) { return schedule_store::get(tx, id, "prj_a"); }
        ).value();
    }
    std::size_t workflows_of(const ScheduleId& id) {
        return database
            ->read([&](db::Tx& tx) {
                return workflow_store::list(
                    tx, {.tenant_id = "prj_a", .schedule_id = id.text(), .limit = 100}
                );
            })
            .value()
            .size();
    }

    net::Signal signal;
    MetricRegistry registry;
    const JobCounters counters{registry};
    const WorkflowDriver driver{{ids, signal, signal, counters}, {"local"}};
};
NEXA_ON_BOTH_DATABASES(ScheduleTest);

TEST_P(ScheduleTest, AWorkflowStartsAtEachTimeAndNotBefore) {
    const ScheduleId id = add("0 * * * *");
    look();
    EXPECT_EQ(workflows_of(id), 0U);
    clock.advance(minutes(30));
    look();
    look();
    EXPECT_EQ(workflows_of(id), 1U);
    clock.advance(minutes(59));
    look();
    EXPECT_EQ(workflows_of(id), 1U);
    clock.advance(minutes(1));
    look();
    EXPECT_EQ(workflows_of(id), 2U);
    const ScheduleRecord after = stored(id);
    EXPECT_EQ(after.runs, 2);
    EXPECT_EQ(to_rfc3339(*after.last_at).substr(0, 16), "2026-11-20T02:00");
    EXPECT_EQ(to_rfc3339(*after.next_at).substr(0, 16), "2026-11-20T03:00");
}

TEST_P(ScheduleTest, TimesWithoutAServerAreCaughtUpWithAsTheScheduleSays) {
    const ScheduleId once = add("0 * * * *");
    const ScheduleId all = add("0 * * * *", {.missed = "all"});
    const ScheduleId skip = add("0 * * * *", {.missed = "skip"});
    clock.advance(hours(5));  // 01:00 to 05:00 have gone by
    for (int i = 0; i < 7; ++i) {
        look();
    }
    EXPECT_EQ(workflows_of(once), 1U);
    EXPECT_EQ(workflows_of(all), 5U);
    EXPECT_EQ(workflows_of(skip), 0U);
    EXPECT_NE(stored(once).last_note.find("4 earlier times"), std::string::npos);
    clock.advance(minutes(30));
    look();
    EXPECT_EQ(workflows_of(skip), 1U);
}

TEST_P(ScheduleTest, WhatStillRunsIsNotStartedASecondTimeIfItSaysSo) {
    const ScheduleId id = add("0 * * * *", {.overlap = "skip"});
    clock.advance(minutes(30));
    look();
    clock.advance(hours(1));
    look();
    EXPECT_EQ(workflows_of(id), 1U);
    EXPECT_NE(stored(id).last_note.find("still runs"), std::string::npos);
    EXPECT_EQ(stored(id).runs, 1);
}

TEST_P(ScheduleTest, NothingStartsInTheNameOfWhoIsDisabledOrNoMember) {
    ASSERT_TRUE(write([](db::Tx& tx) {
        return accounts::people_store::add_user(tx, {.user_id = "usr_bob", .name = "bob"});
    }));
    const ScheduleId id = add("0 * * * *", {.user_id = "usr_bob"});
    clock.advance(minutes(30));
    look();
    EXPECT_EQ(workflows_of(id), 0U);
    EXPECT_NE(stored(id).last_note.find("no member"), std::string::npos);
    ASSERT_TRUE(write([](db::Tx& tx) {
        return accounts::people_store::set_status(tx, "usr_bob", "disabled");
    }));
    clock.advance(hours(1));
    look();
    EXPECT_NE(stored(id).last_note.find("disabled"), std::string::npos);
}

TEST_P(ScheduleTest, WhatCannotStartSaysWhyAndTheNextTimeIsTriedAgain) {
    ScheduleRecord wish;
    const ScheduleId id = add("0 * * * *");
    ScheduleRecord broken = stored(id);
    broken.definition = {R"({"steps":{"a":{"job_type":"audit","spec":{"dataset_uri":"ds_gone"}}}})"
    };
    ASSERT_TRUE(write([&](db::Tx& tx) { return schedule_store::put(tx, broken); }));
    clock.advance(minutes(30));
    look();
    EXPECT_EQ(workflows_of(id), 0U);
    EXPECT_NE(stored(id).last_note.find("ds_gone"), std::string::npos);
    EXPECT_EQ(to_rfc3339(*stored(id).next_at).substr(0, 16), "2026-11-20T02:00");
}

TEST_P(ScheduleTest, TheSameIdempotencyKeyIsTheSameSchedule) {
    ScheduleRecord wish = stored(add("@daily"));
    wish.schedule_id = ids.make<ScheduleId>();
    const auto put = [&] {
        return write([&](db::Tx& tx) { return schedule_store::add(tx, wish, "once"); }).value();
    };
    const ScheduleId first = put();
    wish.schedule_id = ids.make<ScheduleId>();
    EXPECT_EQ(put(), first);
}

}  // namespace
}  // namespace nexa::orchestration
