// SPDX-License-Identifier: Apache-2.0
#include "net/task.h"

#include <latch>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "net/task_group.h"

namespace nexa::net {
namespace {

using namespace std::chrono_literals;

constexpr auto kForever = 1h;

class TaskTest : public testing::TestWithParam<std::size_t> {
protected:
    template <class T>
    Result<T> run(Task<T> task) {
        return blocking::wait(io.serial_executor(), std::move(task));
    }

    IoPool io{{.threads = GetParam(), .on_error = nullptr}};
    WorkPool pool{{.name = "test", .threads = 2, .queue_max = 4}};
};

INSTANTIATE_TEST_SUITE_P(OneAndThreeIoThreads, TaskTest, testing::Values(1, 3));

Task<int> answer() {
    co_return 42;
}

Task<int> fail() {
    co_return Error::not_found("no job 7");
}

Task<int> raise() {
    const std::vector<int> empty;
    co_return empty.at(1);  // a library that throws
}

Task<int> sleep_then_answer(std::chrono::nanoseconds duration, bool* unwound) {
    struct Mark {
        bool* flag;
        ~Mark() { *flag = true; }
    };
    const Mark mark{unwound};
    CO_TRY_STATUS(co_await sleep_for(duration));
    co_return 42;
}

TEST_P(TaskTest, GuardedPassesValuesAndErrorsAndFencesExceptions) {
    EXPECT_EQ(run(guarded(answer())).value(), 42);
    EXPECT_EQ(run(guarded(fail())).error().code, ErrorCode::kNotFound);
    EXPECT_EQ(run(guarded(raise())).error().code, ErrorCode::kInternal);
}

TEST_P(TaskTest, RunOnComputesElsewhereAndComesBack) {
    const auto ran = run(run_on(pool, [] { return is_on_io_thread(); }));
    EXPECT_FALSE(ran.value());
    EXPECT_TRUE(run(run_on(pool, [] {})));
    const auto failed = run(run_on(pool, []() -> Result<int> { return Error::conflict("lost"); }));
    EXPECT_EQ(failed.error().code, ErrorCode::kConflict);
    const auto threw = run(run_on(pool, [] { return std::vector<int>{}.at(3); }));
    EXPECT_EQ(threw.error().code, ErrorCode::kInternal);
}

TEST_P(TaskTest, RunOnRefusesWhenTheQueueIsFull) {
    std::latch started(1);
    std::latch release(1);
    WorkPool small({.name = "small", .threads = 1, .queue_max = 1});
    ASSERT_TRUE(small.submit([&] {
        started.count_down();
        release.wait();
    }));
    started.wait();
    ASSERT_TRUE(small.submit([] {}));
    const auto refused = run(run_on(small, [] { return 1; }));
    EXPECT_EQ(refused.error().code, ErrorCode::kResourceExhausted);
    release.count_down();
}

TEST_P(TaskTest, AStoppedPoolCancelsWhatWaitsAndRefusesWhatComes) {
    std::latch started(1);
    std::latch release(1);
    WorkPool small({.name = "small", .threads = 1, .queue_max = 8});
    ASSERT_TRUE(small.submit([&] {
        started.count_down();
        release.wait();
    }));
    started.wait();
    TaskGroup group(io, nullptr);
    std::latch ended(1);
    std::atomic<bool> ran{false};
    std::atomic<ErrorCode> code{ErrorCode::kInternal};
    auto waits =
        [](WorkPool* target, std::atomic<bool>* flag, std::atomic<ErrorCode>* out, std::latch* end
        ) -> Task<void> {
        const Status status = co_await run_on(*target, [flag] { *flag = true; });
        *out = status.error().code;
        end->count_down();
        co_return ok();
    };
    ASSERT_TRUE(group.spawn("waits", waits(&small, &ran, &code, &ended)));
    while (small.queued() == 0) {
        std::this_thread::yield();
    }
    std::thread stopper([&] { small.stop(); });
    ended.wait();
    release.count_down();
    stopper.join();
    EXPECT_FALSE(ran);
    EXPECT_EQ(code, ErrorCode::kCancelled);
    EXPECT_EQ(run(run_on(small, [] {})).error().code, ErrorCode::kCancelled);
    blocking::stop(io, group);
}

TEST_P(TaskTest, AwaitCallbackTakesTheFirstResultFromAnyThread) {
    const auto at_once = run(await_callback<int>([](Done<int> done) {
        done(7);
        done(8);
    }));
    EXPECT_EQ(at_once.value(), 7);
    std::thread other;
    const auto later = run(await_callback<std::string>([&other](Done<std::string> done) {
        other = std::thread([done = std::move(done)] { done(std::string("late")); });
    }));
    other.join();
    EXPECT_EQ(later.value(), "late");
}

TEST_P(TaskTest, ADroppedCallbackIsCancelledNotAHang) {
    const auto dropped = run(await_callback<int>([](const Done<int>&) {}));
    EXPECT_EQ(dropped.error().code, ErrorCode::kCancelled);
}

TEST_P(TaskTest, WithDeadlinePassesWhatIsInTime) {
    EXPECT_EQ(run(with_deadline(answer(), kForever)).value(), 42);
    EXPECT_EQ(run(with_deadline(fail(), kForever)).error().code, ErrorCode::kNotFound);
}

TEST_P(TaskTest, WithDeadlineCancelsAndUnwindsWhatIsLate) {
    bool unwound = false;
    const auto late = run(with_deadline(sleep_then_answer(kForever, &unwound), 1ms));
    EXPECT_EQ(late.error().code, ErrorCode::kDeadlineExceeded);
    EXPECT_TRUE(unwound);
}

TEST_P(TaskTest, WithDeadlineLeavesACallbackThatNeverCalls) {
    std::optional<Done<int>> kept;
    const auto late = run(
        with_deadline(await_callback<int>([&kept](Done<int> done) { kept = std::move(done); }), 1ms)
    );
    EXPECT_EQ(late.error().code, ErrorCode::kDeadlineExceeded);
    (*kept)(5);  // too late: changes nothing
}

TEST_P(TaskTest, AnOuterCancelReachesThroughADeadline) {
    TaskGroup group(io, nullptr);
    bool unwound = false;
    auto outer = [](bool* flag) -> Task<void> {
        CO_TRY_STATUS(co_await with_deadline(sleep_then_answer(kForever, flag), kForever));
        co_return ok();
    };
    const auto handle = group.spawn("outer", outer(&unwound));
    ASSERT_TRUE(handle);
    handle->cancel();
    blocking::stop(io, group, kForever);
    EXPECT_TRUE(unwound);
}

TEST_P(TaskTest, AGroupReportsErrorsAndExceptionsOfItsTasks) {
    std::mutex mutex;
    std::vector<std::string> errors;
    TaskGroup group(io, [&](std::string_view task, const Error& error) {
        const std::lock_guard lock(mutex);
        errors.push_back(fmt::format("{}: {}", task, to_string(error.code)));
    });
    auto ends = [](Task<int> inner) -> Task<void> {
        CO_TRY_STATUS(co_await std::move(inner));
        co_return ok();
    };
    ASSERT_TRUE(group.spawn("good", ends(answer())));
    ASSERT_TRUE(group.spawn("bad", ends(fail())));
    ASSERT_TRUE(group.spawn("worse", ends(raise())));
    blocking::stop(io, group, kForever);
    std::ranges::sort(errors);
    EXPECT_EQ(errors, (std::vector<std::string>{"bad: not_found", "worse: internal"}));
}

TEST_P(TaskTest, AStoppedGroupHasUnwoundEverythingAndTakesNothingMore) {
    std::atomic<int> errors = 0;
    TaskGroup group(io, [&](std::string_view, const Error&) { ++errors; });
    std::vector<std::unique_ptr<bool>> flags;
    auto waits = [](bool* flag) -> Task<void> {
        CO_TRY_STATUS(co_await sleep_then_answer(kForever, flag));
        co_return ok();
    };
    for (int i = 0; i < 200; ++i) {
        flags.push_back(std::make_unique<bool>(false));
        ASSERT_TRUE(group.spawn("waits", waits(flags.back().get())));
    }
    blocking::stop(io, group);
    EXPECT_EQ(group.running(), 0U);
    EXPECT_EQ(errors, 0);
    for (const auto& flag : flags) {
        EXPECT_TRUE(*flag);
    }
    bool never = false;
    EXPECT_EQ(group.spawn("late", waits(&never)).error().code, ErrorCode::kCancelled);
    EXPECT_FALSE(never);
    blocking::stop(io, group);
}

TEST_P(TaskTest, StopGivesTasksTheirGrace) {
    TaskGroup group(io, nullptr);
    std::atomic<bool> finished{false};
    auto brief = [](std::atomic<bool>* flag) -> Task<void> {
        CO_TRY_STATUS(co_await sleep_for(5ms));
        *flag = true;
        co_return ok();
    };
    ASSERT_TRUE(group.spawn("brief", brief(&finished)));
    blocking::stop(io, group, kForever);
    EXPECT_TRUE(finished);
}

TEST_P(TaskTest, ACancelledTaskCannotStartAnotherWait) {
    TaskGroup group(io, nullptr);
    std::atomic<int> waits_ended = 0;
    auto stubborn = [](std::atomic<int>* count) -> Task<void> {
        for (;;) {
            const Status ignored = co_await sleep_for(kForever);
            static_cast<void>(ignored);
            ++*count;
        }
    };
    ASSERT_TRUE(group.spawn("stubborn", stubborn(&waits_ended)));
    blocking::stop(io, group);
    EXPECT_LE(waits_ended, 1);
}

TEST_P(TaskTest, CancelledWhileQueuedACallNeverRuns) {
    std::atomic<bool> ran{false};
    std::latch started(1);
    std::latch release(1);
    WorkPool small({.name = "small", .threads = 1, .queue_max = 8});
    ASSERT_TRUE(small.submit([&] {
        started.count_down();
        release.wait();
    }));
    started.wait();
    const auto late = run(with_deadline(run_on(small, [&ran] { ran = true; }), 1ms));
    EXPECT_EQ(late.error().code, ErrorCode::kDeadlineExceeded);
    release.count_down();
    EXPECT_TRUE(run(run_on(small, [] {})));
    EXPECT_FALSE(ran);
}

using PoolsDeathTest = testing::Test;

TEST(PoolsDeathTest, ABlockingCallOnAnIoThreadAborts) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_DEATH(
        {
            IoPool io;
            auto blocks = []() -> Task<void> {
                NEXA_CHECK_NOT_ON_IO();
                co_return ok();
            };
            static_cast<void>(blocking::wait(io.executor(), blocks()));
        },
        "check failed"
    );
    assert_may_block();  // fine here
}

TEST(PoolsTest, WorkPoolsRunEverythingThatTheyAccepted) {
    std::atomic<int> ran = 0;
    std::latch all(100);
    WorkPool pool({.name = "many", .threads = 4, .queue_max = 100});
    int accepted = 0;
    for (int i = 0; i < 100; ++i) {
        accepted += pool.submit([&] {
            ++ran;
            all.count_down();
        })
                        ? 1
                        : 0;
    }
    all.count_down(100 - accepted);
    all.wait();
    EXPECT_EQ(ran, accepted);
}

}  // namespace
}  // namespace nexa::net
