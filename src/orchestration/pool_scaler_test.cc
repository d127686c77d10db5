// SPDX-License-Identifier: Apache-2.0
#include "orchestration/pool_scaler.h"

#include <gtest/gtest.h>

#include "fakes/seeded_random.h"

namespace nexa::orchestration {
namespace {

using namespace std::chrono_literals;

class PoolScalerTest : public ::testing::Test {
protected:
    static ScalingPoolSettings settings(int min_workers, int max_workers, int slots = 1) {
        return {
            .min_workers = min_workers,
            .max_workers = max_workers,
            .slots = slots,
            .idle_seconds = 60,
            .start_seconds = 100,
        };
    }
    void add(const std::string& worker_id, std::int64_t jobs = 0) {
        facts.workers.push_back({.worker_id = worker_id, .jobs = jobs, .takes_jobs = true});
    }
    static std::vector<std::string> ids(const std::vector<PoolWorker>& workers) {
        std::vector<std::string> ids;
        std::ranges::transform(workers, std::back_inserter(ids), &PoolWorker::worker_id);
        return ids;
    }

    SteadyTime now{};
    PoolFacts facts;
};

TEST_F(PoolScalerTest, AQueueStartsAsManyWorkersAsItNeedsAndNoMoreThanTheLimit) {
    PoolScaler scaler(settings(0, 3));
    EXPECT_EQ(scaler.decide(facts, now).start, 0);
    facts.waiting_jobs = 2;
    EXPECT_EQ(scaler.decide(facts, now).start, 2);
    facts.waiting_jobs = 5'000'000'000;
    EXPECT_EQ(scaler.decide(facts, now).wanted, 3);
    EXPECT_EQ(scaler.decide(facts, now).start, 3);
}

TEST_F(PoolScalerTest, WorkersWithSeveralSlotsAreFewer) {
    PoolScaler scaler(settings(0, 10, 4));
    facts.waiting_jobs = 5;
    EXPECT_EQ(scaler.decide(facts, now).start, 2);
    add("w1", 4);
    EXPECT_EQ(scaler.decide(facts, now).wanted, 3);
    EXPECT_EQ(scaler.decide(facts, now).start, 2);
}

TEST_F(PoolScalerTest, WhatWasAskedForIsNotAskedForAgainUntilItIsThereOrOverdue) {
    PoolScaler scaler(settings(0, 5));
    facts.waiting_jobs = 3;
    scaler.asked(scaler.decide(facts, now).start, now);
    EXPECT_EQ(scaler.decide(facts, now).start, 0);
    EXPECT_EQ(scaler.decide(facts, now).starting, 3);
    add("w1");
    EXPECT_EQ(scaler.decide(facts, now).starting, 2);
    now += 100s;
    EXPECT_EQ(scaler.decide(facts, now).starting, 0);
    EXPECT_EQ(scaler.decide(facts, now).start, 2);
}

TEST_F(PoolScalerTest, WhatIsNotNeededIsDrainedWhenItWasIdleLongEnoughLongestFirst) {
    PoolScaler scaler(settings(1, 5));
    add("w1", 1);
    add("w2");
    scaler.decide(facts, now);
    now += 1s;
    facts.workers[0].jobs = 0;
    add("w3", 1);
    EXPECT_TRUE(scaler.decide(facts, now).drain.empty());
    now += 59s;
    EXPECT_EQ(ids(scaler.decide(facts, now).drain), std::vector<std::string>{"w2"});
    now += 1s;
    EXPECT_EQ(ids(scaler.decide(facts, now).drain), (std::vector<std::string>{"w2", "w1"}));
    facts.workers[2].jobs = 0;
    EXPECT_EQ(scaler.decide(facts, now).drain.size(), 2U) << "one is kept";
    facts.waiting_jobs = 3;
    EXPECT_TRUE(scaler.decide(facts, now).drain.empty());
}

TEST_F(PoolScalerTest, AWorkerThatIsBusyInBetweenIsIdleAnew) {
    PoolScaler scaler(settings(0, 5));
    add("w1");
    scaler.decide(facts, now);
    now += 59s;
    facts.workers[0].jobs = 1;
    scaler.decide(facts, now);
    facts.workers[0].jobs = 0;
    now += 59s;
    EXPECT_TRUE(scaler.decide(facts, now).drain.empty());
    now += 60s;
    EXPECT_EQ(scaler.decide(facts, now).drain.size(), 1U);
}

TEST_F(PoolScalerTest, AWorkerThatCannotWorkIsReplacedButCounts) {
    PoolScaler scaler(settings(0, 2));
    facts.waiting_jobs = 2;
    add("sick");
    facts.workers[0].takes_jobs = false;
    EXPECT_EQ(scaler.decide(facts, now).start, 1) << "a second would be over the limit";
    facts.workers[0].draining = true;
    EXPECT_EQ(scaler.decide(facts, now).start, 2) << "it is as good as gone";
    facts.workers[0].jobs = 1;
    EXPECT_EQ(scaler.decide(facts, now).start, 1) << "it is still at work";
}

TEST_F(PoolScalerTest, RandomHistoriesNeverPassTheLimitAndEndWhereTheyShould) {
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        SCOPED_TRACE(seed);
        fakes::SeededRandom random(seed);
        const int least = static_cast<int>(random.uniform(3));
        const int most = least + static_cast<int>(random.uniform(6));
        ScalingPoolSettings wish = settings(least, most);
        wish.start_seconds = 1'000'000;
        PoolScaler scaler(wish);
        facts = {};
        int next = 0;
        int starting = 0;
        const auto step = [&](bool quiet) {
            now += std::chrono::seconds(1 + static_cast<int>(random.uniform(40)));
            for (int i = static_cast<int>(random.uniform(2)) + (quiet ? 9 : 0);
                 starting > 0 && i > 0;
                 --i, --starting) {
                add(fmt::format("w{}", next++));
            }
            for (PoolWorker& worker : facts.workers) {
                if (worker.jobs == 0 && facts.waiting_jobs > 0 && !worker.draining) {
                    --facts.waiting_jobs;
                    worker.jobs = 1;
                } else if (quiet || random.uniform(3) == 0) {
                    worker.jobs = 0;
                }
            }
            std::erase_if(facts.workers, [](const PoolWorker& worker) {
                return worker.draining && worker.jobs == 0;
            });
            const ScalingDecision decision = scaler.decide(facts, now);
            ASSERT_LE(std::ssize(facts.workers) + starting + decision.start, most);
            if (random.uniform(4) != 0) {  // else whoever starts them failed
                scaler.asked(decision.start, now);
                starting += decision.start;
            }
            for (const PoolWorker& idle : decision.drain) {
                const auto found =
                    std::ranges::find(facts.workers, idle.worker_id, &PoolWorker::worker_id);
                ASSERT_EQ(found->jobs, 0);
                found->draining = true;
            }
        };
        for (int i = 0; i < 50; ++i) {
            facts.waiting_jobs += static_cast<std::int64_t>(random.uniform(4));
            step(false);
        }
        for (int i = 0; i < 400; ++i) {
            step(true);
        }
        EXPECT_EQ(facts.waiting_jobs, most == 0 ? facts.waiting_jobs : 0);
        EXPECT_EQ(std::ssize(facts.workers), least) << "the queue is empty";
    }
}

}  // namespace
}  // namespace nexa::orchestration
