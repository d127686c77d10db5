// SPDX-License-Identifier: Apache-2.0
#include "core/bounded_queue.h"

#include <algorithm>
#include <atomic>
#include <latch>
#include <memory>
#include <numeric>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace nexa {
namespace {

using namespace std::chrono_literals;
using Deadline = std::chrono::steady_clock::time_point;

// What waits in these tests is woken by the other side, so the real clock only bounds a hang.
Deadline far() {
    return std::chrono::steady_clock::now() + 60s;
}
constexpr Deadline kPast{};

TEST(BoundedQueue, HandsOutInOrder) {
    BoundedQueue<int> queue(3);
    for (const int n : {1, 2, 3}) {
        EXPECT_TRUE(queue.try_push(int{n}));
    }
    EXPECT_EQ(queue.size(), 3U);
    EXPECT_EQ(queue.capacity(), 3U);
    for (const int n : {1, 2, 3}) {
        EXPECT_EQ(queue.pop(kPast).value(), n);
    }
    EXPECT_EQ(queue.size(), 0U);
}

TEST(BoundedQueue, SaysWhenItIsFullAndLeavesTheValueWithTheCaller) {
    BoundedQueue<std::unique_ptr<int>> queue(1);
    EXPECT_TRUE(queue.try_push(std::make_unique<int>(1)));
    auto value = std::make_unique<int>(2);
    EXPECT_EQ(queue.try_push(std::move(value)).error().code, ErrorCode::kResourceExhausted);
    ASSERT_NE(value, nullptr);  // NOLINT(bugprone-use-after-move): a refused value is not moved
    EXPECT_EQ(queue.push(std::move(value), kPast).error().code, ErrorCode::kDeadlineExceeded);
    ASSERT_NE(value, nullptr);  // NOLINT(bugprone-use-after-move): nor is one that comes too late
    EXPECT_EQ(*queue.pop(kPast).value(), 1);
    EXPECT_TRUE(queue.push(std::move(value), kPast));
    EXPECT_EQ(*queue.pop(kPast).value(), 2);
}

TEST(BoundedQueue, SaysWhenNothingCame) {
    BoundedQueue<int> queue(1);
    EXPECT_EQ(queue.pop(kPast).error().code, ErrorCode::kDeadlineExceeded);
    EXPECT_EQ(
        queue.pop(std::chrono::steady_clock::now() + 1ms).error().code, ErrorCode::kDeadlineExceeded
    );
}

TEST(BoundedQueue, DrainsAfterCloseAndThenEnds) {
    BoundedQueue<int> queue(2);
    EXPECT_TRUE(queue.try_push(1));
    EXPECT_TRUE(queue.try_push(2));
    EXPECT_FALSE(queue.closed());
    queue.close();
    queue.close();
    EXPECT_TRUE(queue.closed());
    EXPECT_EQ(queue.try_push(3).error().code, ErrorCode::kCancelled);
    EXPECT_EQ(queue.push(3, far()).error().code, ErrorCode::kCancelled);
    EXPECT_EQ(queue.pop(far()).value(), 1);
    EXPECT_EQ(queue.pop(kPast).value(), 2);
    EXPECT_EQ(queue.pop(far()).error().code, ErrorCode::kCancelled);
}

TEST(BoundedQueue, ClosingWakesAllWhoWait) {
    BoundedQueue<int> empty(1);
    BoundedQueue<int> full(1);
    EXPECT_TRUE(full.try_push(0));
    std::atomic<int> cancelled = 0;
    std::latch started(4);
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < 2; ++i) {
            threads.emplace_back([&] {
                started.count_down();
                cancelled += empty.pop(far()).error().code == ErrorCode::kCancelled ? 1 : 0;
            });
            threads.emplace_back([&] {
                started.count_down();
                cancelled += full.push(1, far()).error().code == ErrorCode::kCancelled ? 1 : 0;
            });
        }
        started.wait();
        empty.close();
        full.close();
    }
    EXPECT_EQ(cancelled, 4);
}

TEST(BoundedQueue, RoomWakesAProducerAndAValueWakesAConsumer) {
    BoundedQueue<int> queue(1);
    std::jthread producer([&queue] {
        for (int i = 0; i < 100; ++i) {
            EXPECT_TRUE(queue.push(int{i}, far()));
        }
    });
    for (int i = 0; i < 100; ++i) {
        EXPECT_EQ(queue.pop(far()).value(), i);
    }
}

TEST(BoundedQueue, LosesAndDoublesNothingBetweenManyThreads) {
    constexpr int kThreads = 4;
    constexpr int kEach = 2'000;
    BoundedQueue<int> queue(8);
    std::array<std::vector<int>, kThreads> taken;
    {
        std::vector<std::jthread> consumers;
        for (auto& mine : taken) {
            consumers.emplace_back([&mine, &queue] {
                for (auto value = queue.pop(far()); value; value = queue.pop(far())) {
                    mine.push_back(*value);
                }
            });
        }
        {
            std::vector<std::jthread> producers;
            for (int which = 0; which < kThreads; ++which) {
                producers.emplace_back([which, &queue] {
                    for (int i = 0; i < kEach; ++i) {
                        EXPECT_TRUE(queue.push(which * kEach + i, far()));
                    }
                });
            }
        }
        queue.close();
    }
    std::vector<int> all;
    for (const auto& mine : taken) {
        all.insert(all.end(), mine.begin(), mine.end());
    }
    std::ranges::sort(all);
    std::vector<int> expected(kThreads * kEach);
    std::iota(expected.begin(), expected.end(), 0);
    EXPECT_EQ(all, expected);
}

TEST(BoundedQueueDeathTest, WithoutRoomIsABug) {
    EXPECT_DEATH(BoundedQueue<int>(0), "capacity > 0");
}

TEST(CondVar, TellsATimeoutFromAWakeUp) {
    Mutex mutex;
    CondVar changed;
    const Lock lock(mutex);
    EXPECT_FALSE(changed.wait_until(mutex, kPast));
}

TEST(Mutex, IsHeldByOneAtATime) {
    Mutex mutex;
    int count = 0;
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < 4; ++i) {
            threads.emplace_back([&] {
                for (int n = 0; n < 10'000; ++n) {
                    const Lock lock(mutex);
                    ++count;
                }
            });
        }
    }
    EXPECT_EQ(count, 40'000);
    const Lock lock(mutex);
    std::jthread([&mutex] {
        const bool taken = mutex.try_lock();
        EXPECT_FALSE(taken);
        if (taken) {
            mutex.unlock();
        }
    });
}

}  // namespace
}  // namespace nexa
