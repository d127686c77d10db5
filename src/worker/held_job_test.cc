// SPDX-License-Identifier: Apache-2.0
#include "worker/held_job.h"

#include <gtest/gtest.h>

#include "fakes/temp_folder.h"
#include "worker/log_part.h"

namespace nexa::worker {
namespace {

using namespace std::chrono_literals;
using protocol::EngineEvent;

constexpr SteadyTime kStart{1h};

EngineEvent event(std::string type, std::string message) {
    return {.type = std::move(type), .message = std::move(message)};
}

class HeldJobTest : public testing::Test {
protected:
    net::Signal signal;
    std::shared_ptr<HeldJob> job =
        *HeldJob::make({.job_id = "job_1", .fence = 7}, LeaseWatch(60s, kStart), signal);
    protocol::JobReportReply answer(std::string action, std::int64_t log_bytes = 0) {
        return {.job_id = "job_1", .action = std::move(action), .log_bytes = log_bytes};
    }
};

TEST(EventQueue, BatchIsBoundedAndStaysUntilConfirmed) {
    EventQueue queue;
    for (int i = 0; i < 10; ++i) {
        queue.add(event("log", std::string(400, 'x')));
    }
    const EventQueue::Batch batch = queue.front(2000);
    EXPECT_EQ(batch.events.size(), 2U);
    EXPECT_EQ(queue.size(), 10U);
    queue.drop_through(batch.mark);
    EXPECT_EQ(queue.size(), 8U);
    EXPECT_EQ(queue.front(1).events.size(), 1U);
}

TEST(EventQueue, FullQueueLosesTheOldestProgressFirst) {
    EventQueue queue;
    queue.add(event("log", "first"));
    queue.add(event("progress", "old"));
    for (std::size_t i = 2; i <= EventQueue::kEventsMax; ++i) {
        queue.add(event("metric", ""));
    }
    EXPECT_EQ(queue.size(), EventQueue::kEventsMax);
    EXPECT_EQ(queue.dropped(), 1U);
    queue.add(event("log", "last"));  // no progress left: the oldest goes
    EXPECT_EQ(queue.size(), EventQueue::kEventsMax);
    const auto events = queue.front(1U << 30U).events;
    EXPECT_EQ(events.size(), EventQueue::kBatchMax);
    EXPECT_EQ(events.front().type, "metric");
}

TEST(EventQueue, NumbersRiseByOneWhateverIsDropped) {
    EventQueue queue;
    for (std::size_t i = 0; i < EventQueue::kEventsMax; ++i) {
        queue.add(event("progress", std::to_string(i)));
    }
    const auto first = queue.front(1);
    EXPECT_EQ(first.first, 1);
    EXPECT_EQ(first.mark, 1);
    queue.add(event("log", "one too many"));  // what was in a batch stays
    const auto again = queue.front(1'000);
    EXPECT_EQ(again.first, 1);
    EXPECT_EQ(again.events[0].message, "0");
    EXPECT_EQ(again.events[1].message, "2");
    queue.drop_through(again.mark);
    const auto next = queue.front(1);
    EXPECT_EQ(next.first, again.mark + 1);
    queue.drop_through(again.mark);  // a late confirmation
    EXPECT_EQ(queue.front(1).first, next.first);
}

TEST(EventQueue, WhatTheServerMayHaveStaysWhenTheQueueIsFull) {
    EventQueue queue;
    queue.add(event("progress", "a"));
    const auto mark = queue.front(1).mark;
    for (std::size_t i = 0; i < EventQueue::kEventsMax; ++i) {
        queue.add(event("log", "b"));
    }
    EXPECT_EQ(queue.size(), EventQueue::kEventsMax);
    EXPECT_EQ(queue.front(1).events[0].message, "a");
    queue.drop_through(mark);
    EXPECT_EQ(queue.size(), EventQueue::kEventsMax - 1);
    EXPECT_EQ(queue.front(1).first, mark + 1);
}

TEST_F(HeldJobTest, EventsAreNewsUntilTheServerHasThem) {
    EXPECT_FALSE(job->has_news());
    job->add_event(event("log", "hello"));
    EXPECT_TRUE(job->has_news());
    const auto pending = job->pending(1000);
    ASSERT_EQ(pending.report.events.size(), 1U);
    EXPECT_EQ(pending.report.fence, 7);
    EXPECT_EQ(pending.report.first_event, 1);
    EXPECT_TRUE(job->has_news());
    job->reported(pending, answer("go_on"), kStart + 5s);
    EXPECT_FALSE(job->has_news());
    EXPECT_EQ(job->fence_at(), kStart + 55s);
}

TEST_F(HeldJobTest, LogGoesOnWhereTheServerSays) {
    job->log_is_at("/log");
    job->log_has(100);
    auto pending = job->pending(1000);
    EXPECT_EQ(pending.log, "/log");
    EXPECT_EQ(pending.report.log_offset, 0);
    job->reported(pending, answer("go_on", 40), kStart);
    EXPECT_EQ(job->pending(1000).report.log_offset, 40);
    job->reported(job->pending(1000), answer("go_on", 10), kStart);  // it lost some
    EXPECT_EQ(job->pending(1000).report.log_offset, 10);
    job->reported(job->pending(1000), answer("go_on", 100), kStart);
    EXPECT_FALSE(job->has_news());
    EXPECT_TRUE(job->pending(1000).log.empty());
}

TEST_F(HeldJobTest, CutCharacterIsNoNewsBeforeTheEngineHasEnded) {
    job->log_is_at("/log");
    job->log_has(3);
    EXPECT_FALSE(job->has_news());
    job->engine_ended();
    EXPECT_TRUE(job->has_news());
    EXPECT_TRUE(job->pending(1).log_is_whole);
}

TEST_F(HeldJobTest, RefusedReportIsGivenUp) {
    job->add_event(event("log", "bad"));
    job->log_is_at("/log");
    job->log_has(100);
    job->discard(job->pending(1000));
    EXPECT_FALSE(job->has_news());
    job->log_has(200);
    EXPECT_FALSE(job->has_news());
}

TEST_F(HeldJobTest, ActionsOfTheServerStopIt) {
    EXPECT_FALSE(*wait_readable(job->stop_fd(), 0s));
    job->reported(job->pending(1), answer("cancel"), kStart);
    EXPECT_EQ(job->stop_reason(), StopReason::kCancelled);
    EXPECT_FALSE(job->is_lost());
    EXPECT_TRUE(job->token().cancelled());
    EXPECT_TRUE(*wait_readable(job->stop_fd(), 0s));
    job->reported(job->pending(1), answer("lost"), kStart + 30s);
    EXPECT_TRUE(job->is_lost());
    job->stop(StopReason::kDrained);  // overrules nothing
    EXPECT_EQ(job->stop_reason(), StopReason::kLost);
}

TEST_F(HeldJobTest, FencesItselfWhenNoRenewalCameThrough) {
    EXPECT_FALSE(job->fence_if_over(kStart + 50s - 1ms));
    job->reported(job->pending(1), answer("go_on"), kStart + 10s);
    EXPECT_FALSE(job->fence_if_over(kStart + 60s - 1ms));
    EXPECT_EQ(job->stop_reason(), StopReason::kNone);
    EXPECT_TRUE(job->fence_if_over(kStart + 60s));
    EXPECT_EQ(job->stop_reason(), StopReason::kFenced);
    EXPECT_TRUE(job->token().cancelled());
}

TEST(LogText, KeepsItsLengthWhateverTheBytes) {
    EXPECT_EQ(clean_log_text("gr\xC3\xBC\xC3\x9F", true), "gr\xC3\xBC\xC3\x9F");
    EXPECT_EQ(clean_log_text(std::string_view("a\0\xFF\xFE z", 6), true), "a??? z");
    EXPECT_EQ(clean_log_text("", true), "");
}

TEST(LogText, CutCharacterWaitsForItsRestUnlessItIsTheLast) {
    EXPECT_EQ(clean_log_text("ab\xE2\x82", false), "ab");
    EXPECT_EQ(clean_log_text("ab\xE2\x82", true), "ab??");
    EXPECT_EQ(clean_log_text("ab\xFF", false), "ab?");
}

TEST(LogPart, ReadsFromAnOffset) {
    const fakes::TempFolder folder;
    const auto path = folder.path() / "log";
    ASSERT_TRUE(write_file_atomically(path, "0123456789"));
    EXPECT_EQ(*read_log_part(path, 4, 3, true), "456");
    EXPECT_EQ(*read_log_part(path, 8, 100, true), "89");
    EXPECT_EQ(*read_log_part(path, 50, 100, true), "");
    EXPECT_EQ(
        read_log_part(folder.path() / "none", 0, 10, true).error().code, ErrorCode::kUnavailable
    );
}

}  // namespace
}  // namespace nexa::worker
