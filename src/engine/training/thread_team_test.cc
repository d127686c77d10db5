// SPDX-License-Identifier: Apache-2.0
#include "engine/training/thread_team_internal.h"

#include <array>
#include <atomic>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/allclose.h>
#include <gtest/gtest.h>

#include "core/mutex.h"
#include "engine/training/language_objective.h"
#include "engine/training/loss_team_internal.h"
#include "engine/training/testing_internal.h"

namespace nexa::training {
namespace {

TEST(ThreadTeam, CallsTheTaskOnceForEachMemberInEveryRound) {
    ThreadTeam team(4);
    EXPECT_EQ(team.size(), 4U);
    std::array<int, 4> calls{};
    for (int round = 0; round < 100; ++round) {
        team.run([&](std::size_t i) { ++calls.at(i); });
    }
    EXPECT_EQ(calls, (std::array<int, 4>{100, 100, 100, 100}));
}

TEST(ThreadTeam, WorksOnThreadsOfItsOwnAndOnTheCallers) {
    ThreadTeam team(3);
    Mutex mutex;
    std::set<std::thread::id> seen;
    std::thread::id first;
    team.run([&](std::size_t i) {
        const Lock lock(mutex);
        seen.insert(std::this_thread::get_id());
        if (i == 0) {
            first = std::this_thread::get_id();
        }
    });
    EXPECT_EQ(seen.size(), 3U);
    EXPECT_EQ(first, std::this_thread::get_id());
}

TEST(ThreadTeam, OfOneIsTheCallerAlone) {
    ThreadTeam team(1);
    int calls = 0;
    team.run([&](std::size_t) { ++calls; });
    EXPECT_EQ(calls, 1);
}

TEST(ThreadTeam, MayEndWithoutEverHavingRun) {
    const ThreadTeam team(3);
    EXPECT_EQ(team.size(), 3U);
}

/// Loss and gradients of the same examples with a team of `size`.
class LossTeamTest : public ::testing::Test {
protected:
    struct Worked {
        double loss = 0.0;
        std::vector<at::Tensor> gradients;
    };
    Worked work(std::size_t size, std::int64_t at_a_time = 0) {
        const nets::Decoder decoder = tiny_decoder(1);
        const auto objective = *LanguageObjective::create(decoder, examples);
        ThreadTeam team(size);
        LossTeam losses(*objective, team);
        Worked worked{.loss = *losses.backward(all, objective->weight(all), at_a_time)};
        for (const nets::Parameter& parameter : decoder.parameters()) {
            worked.gradients.push_back(parameter.value.grad().clone());
        }
        return worked;
    }

    ExampleSet examples = counting_examples(7);
    std::vector<std::size_t> all = [] {
        std::vector<std::size_t> indices(7);
        std::iota(indices.begin(), indices.end(), std::size_t{0});
        return indices;
    }();
};

TEST_F(LossTeamTest, GivesTheSameLossAndGradientsHoweverManyWork) {
    const Worked alone = work(1);
    for (const std::size_t size : {2U, 3U, 10U}) {
        const Worked shared = work(size, size == 3 ? 3 : 0);
        EXPECT_NEAR(shared.loss, alone.loss, 1e-5) << size;
        for (std::size_t i = 0; i < alone.gradients.size(); ++i) {
            EXPECT_TRUE(at::allclose(shared.gradients[i], alone.gradients[i], 1e-4, 1e-6))
                << size << " threads, parameter " << i;
        }
    }
}

TEST_F(LossTeamTest, GivesTheSameBitsEachTime) {
    const Worked first = work(3);
    for (int round = 0; round < 5; ++round) {
        const Worked again = work(3);
        EXPECT_EQ(again.loss, first.loss);
        for (std::size_t i = 0; i < first.gradients.size(); ++i) {
            EXPECT_TRUE(at::equal(again.gradients[i], first.gradients[i])) << i;
        }
    }
}

TEST_F(LossTeamTest, ForksSeeEveryChangeOfTheWeights) {
    const nets::Decoder decoder = tiny_decoder(1);
    const auto objective = *LanguageObjective::create(decoder, examples);
    ThreadTeam team(2);
    LossTeam losses(*objective, team);
    const double before = *losses.loss_sum(all, 0);
    {
        const at::NoGradGuard no_grad;
        at::Tensor embedding = decoder.parameters().front().value;
        embedding.mul_(3.0);
    }
    const double after = *losses.loss_sum(all, 0);
    EXPECT_NE(before, after);
    ThreadTeam one(1);
    EXPECT_NEAR(after, *LossTeam(*objective, one).loss_sum(all, 2), 1e-4);
}

TEST_F(LossTeamTest, ALossThatIsNotFiniteComesBackAsItIs) {
    const nets::Decoder decoder = tiny_decoder(1);
    const auto objective = *LanguageObjective::create(decoder, examples);
    {
        const at::NoGradGuard no_grad;
        at::Tensor embedding = decoder.parameters().front().value;
        embedding.fill_(std::numeric_limits<float>::quiet_NaN());
    }
    ThreadTeam team(2);
    EXPECT_TRUE(std::isnan(*LossTeam(*objective, team).backward(all, 1.0, 2)));
}

TEST_F(LossTeamTest, IsNoLargerThanTheBatchOrTheThreads) {
    const nets::Decoder decoder = tiny_decoder(1);
    const auto objective = *LanguageObjective::create(decoder, examples);
    EXPECT_EQ(team_size_for(*objective, 1, 32), 1U);
    EXPECT_EQ(team_size_for(*objective, 4, 32), 4U);
    EXPECT_EQ(team_size_for(*objective, 4, 3), 3U);
}

}  // namespace
}  // namespace nexa::training
