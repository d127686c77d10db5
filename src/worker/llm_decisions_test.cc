// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "core/file.h"
#include "core/json.h"
#include "fakes/manual_clock.h"
#include "fakes/temp_folder.h"
#include "worker/eviction.h"
#include "worker/llm_cache.h"
#include "worker/llm_cost.h"
#include "worker/llm_gate.h"
#include "worker/llm_settings.h"

namespace nexa::worker {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

LlmSettings two_teachers() {
    return {
        .teachers =
            {{.name = "openai", .base_url = "https://api.openai.com/v1", .models = {"a", "b/c"}},
             {.name = "local", .base_url = "http://127.0.0.1:9/v1/"}},
    };
}

TEST(LlmSettings, ProviderAndModelNameATarget) {
    const LlmSettings settings = two_teachers();
    EXPECT_EQ(*resolve_teacher(settings, "openai/a"), (LlmTarget{.teacher = 0, .model = "a"}));
    EXPECT_EQ(*resolve_teacher(settings, "openai/b/c"), (LlmTarget{.teacher = 0, .model = "b/c"}));
    EXPECT_EQ(*resolve_teacher(settings, "local/x"), (LlmTarget{.teacher = 1, .model = "x"}));
}

TEST(LlmSettings, BareModelIsTheDefaultTeachers) {
    LlmSettings settings = two_teachers();
    EXPECT_EQ(resolve_teacher(settings, "x").error().code, ErrorCode::kUnavailable);
    settings.default_teacher = "local";
    EXPECT_EQ(*resolve_teacher(settings, "x"), (LlmTarget{.teacher = 1, .model = "x"}));
    settings.default_teacher.clear();
    settings.teachers.pop_back();
    EXPECT_EQ(*resolve_teacher(settings, "a"), (LlmTarget{.teacher = 0, .model = "a"}));
}

TEST(LlmSettings, UrlIsAllowedOnlyIfTheOperatorNamedIt) {
    const LlmSettings settings = two_teachers();
    EXPECT_EQ(
        *resolve_teacher(settings, "http://127.0.0.1:9/v1#m"),
        (LlmTarget{.teacher = 1, .model = "m"})
    );
    const auto refused = resolve_teacher(settings, "http://169.254.169.254/v1#m");
    EXPECT_EQ(refused.error().code, ErrorCode::kPermissionDenied);
    EXPECT_EQ(
        resolve_teacher(settings, "http://127.0.0.1:9/v1").error().code, ErrorCode::kInvalidArgument
    );
}

TEST(LlmSettings, ModelThatIsNotAllowedIsRefused) {
    EXPECT_EQ(
        resolve_teacher(two_teachers(), "openai/z").error().code, ErrorCode::kPermissionDenied
    );
}

TEST(LlmSettings, UnknownTeacherIsUnavailableAndTheNearOneIsNamed) {
    const auto unknown = resolve_teacher(two_teachers(), "opena/a");
    EXPECT_EQ(unknown.error().code, ErrorCode::kUnavailable);
    EXPECT_EQ(unknown.error().advice, "did you mean 'openai'?");
    const auto none = resolve_teacher({}, "openai/a");
    EXPECT_EQ(none.error().code, ErrorCode::kUnavailable);
    EXPECT_NE(none.error().advice.find("teachers"), std::string::npos);
}

TEST(LlmSettings, WhatCannotBeIsRefusedWithItsPlace) {
    LlmSettings settings = two_teachers();
    EXPECT_TRUE(check_llm_settings(settings));
    settings.teachers[1].base_url = "ftp://x/v1";
    EXPECT_EQ(check_llm_settings(settings).error().param, "teachers[1].base_url");
    settings.teachers[1].base_url = "https://user:word@host/v1";
    const auto password = check_llm_settings(settings);
    EXPECT_EQ(password.error().param, "teachers[1].base_url");
    EXPECT_EQ(password.error().to_string().find("word@"), std::string::npos);
    settings = two_teachers();
    settings.teachers[1].name = "openai";
    EXPECT_EQ(check_llm_settings(settings).error().param, "teachers[1].name");
    settings.teachers[1].name = "a/b";
    EXPECT_FALSE(check_llm_settings(settings));
    settings = two_teachers();
    settings.default_teacher = "none";
    EXPECT_EQ(check_llm_settings(settings).error().param, "default_teacher");
}

TEST(LlmSettings, EndpointsAreWhatTheSpecNamesAndIsNoInput) {
    protocol::JobSpec spec{
        .job_type = "distill",
        .payload = JsonText{R"({"dataset_uri":"ds_1","teacher":"openai/a"})"},
    };
    EXPECT_EQ(endpoints_named_by(spec), std::vector<std::string>{"openai/a"});
    spec.inputs = {{.name = "dataset"}, {.name = "teacher"}};
    EXPECT_TRUE(endpoints_named_by(spec).empty());
    spec.job_type = "train";
    spec.payload = JsonText{R"({"dataset_uri":"ds_1","model_id":"nexa-small"})"};
    spec.inputs.clear();
    EXPECT_TRUE(endpoints_named_by(spec).empty());
    spec.payload = JsonText{R"({"unknown":1})"};
    EXPECT_TRUE(endpoints_named_by(spec).empty());
    spec.job_type = "of_tomorrow";
    EXPECT_TRUE(endpoints_named_by(spec).empty());
}

TEST(LlmCost, CountsBothKindsOfTokens) {
    const TeacherSettings teacher{.input_usd_per_million = 0.15, .output_usd_per_million = 0.6};
    const LlmPrices prices = prices_of(teacher);
    EXPECT_DOUBLE_EQ(to_usd(cost_of(prices, 1'000'000, 0)), 0.15);
    EXPECT_DOUBLE_EQ(to_usd(cost_of(prices, 0, 2'000'000)), 1.2);
    EXPECT_EQ(cost_of(prices, 1, 1), Picodollars(750'000));
    EXPECT_EQ(from_usd(0.75e-6), Picodollars(750'000));
    EXPECT_GT(cost_of({.input = INT64_MAX, .output = INT64_MAX}, INT64_MAX, 1), Picodollars(0));
}

TEST(LlmCost, WorstCostCoversEveryTokenThatCouldBe) {
    const LlmPrices prices{.input = 10, .output = 100};
    const protocol::LlmRequest request{
        .id = 1,
        .messages = {{.role = "user", .content = std::string(1000, 'x')}},
        .max_tokens = 50,
        .n = 3,
    };
    // A token of each byte, in three separate calls.
    EXPECT_GE(worst_cost(prices, request), cost_of(prices, 3 * 1000, 3 * 50));
    EXPECT_LT(worst_cost(prices, request), cost_of(prices, 3 * 1100, 3 * 50));
}

TEST(CostBudget, NeverAllowsMoreThanTheCap) {
    using Verdict = CostBudget::Verdict;
    CostBudget budget(Picodollars(100));
    EXPECT_EQ(budget.reserve(Picodollars(101)), Verdict::kRefused);
    EXPECT_EQ(budget.reserve(Picodollars(60)), Verdict::kReserved);
    EXPECT_EQ(budget.reserve(Picodollars(41)), Verdict::kWait);
    EXPECT_EQ(budget.reserve(Picodollars(40)), Verdict::kReserved);
    budget.settle(Picodollars(60), Picodollars(10));
    EXPECT_EQ(budget.spent(), Picodollars(10));
    EXPECT_EQ(budget.reserve(Picodollars(50)), Verdict::kReserved);
    budget.settle(Picodollars(50), Picodollars(50));
    budget.settle(Picodollars(40), Picodollars(39));
    EXPECT_EQ(budget.reserve(Picodollars(1)), Verdict::kReserved);
    EXPECT_EQ(budget.reserve(Picodollars(2)), Verdict::kRefused);
}

TEST(CostBudget, ZeroIsNoCapButIsCounted) {
    CostBudget budget{Picodollars{}};
    EXPECT_EQ(budget.reserve(from_usd(1e6)), CostBudget::Verdict::kReserved);
    budget.settle(from_usd(1e6), from_usd(2));
    EXPECT_DOUBLE_EQ(to_usd(budget.spent()), 2);
}

TEST(CostBudget, WhatWasPaidBeforeCountsToo) {
    CostBudget budget(Picodollars(100));
    budget.add_spent(Picodollars(95));
    EXPECT_EQ(budget.reserve(Picodollars(6)), CostBudget::Verdict::kRefused);
    EXPECT_EQ(budget.reserve(Picodollars(5)), CostBudget::Verdict::kReserved);
}

TEST(LlmGate, LetsSoManyInAtATime) {
    LlmGate gate(2, 0);
    const LlmGate::Time now{1h};
    EXPECT_EQ(gate.enter(now), 0ns);
    EXPECT_EQ(gate.enter(now), 0ns);
    EXPECT_GT(gate.enter(now), 0ns);
    gate.leave();
    EXPECT_EQ(gate.enter(now), 0ns);
}

TEST(LlmGate, LetsSoManyInPerMinute) {
    LlmGate gate(100, 2);
    const LlmGate::Time start{1h};
    EXPECT_EQ(gate.enter(start), 0ns);
    EXPECT_EQ(gate.enter(start + 10s), 0ns);
    EXPECT_EQ(gate.enter(start + 20s), 40s);
    EXPECT_EQ(gate.enter(start + 60s), 0ns);
    EXPECT_EQ(gate.enter(start + 60s), 10s);
}

TEST(LlmGate, StaysAwayAsLongAsTheEndpointAsks) {
    LlmGate gate(100, 0);
    const LlmGate::Time now{1h};
    gate.hold_off(now + 5s);
    gate.hold_off(now + 3s);
    EXPECT_EQ(gate.enter(now), 5s);
    EXPECT_EQ(gate.enter(now + 5s), 0ns);
}

TEST(Eviction, RemovesWhatNobodyHasUsedForLongest) {
    const auto at = [](int seconds) { return fs::file_time_type(std::chrono::seconds(seconds)); };
    const std::vector<CachedFile> files{
        {.path = "new", .bytes = 10, .used_at = at(30)},
        {.path = "old", .bytes = 10, .used_at = at(10)},
        {.path = "middle", .bytes = 10, .used_at = at(20)},
    };
    EXPECT_TRUE(choose_victims(files, 30, at(100)).empty());
    const auto victims = choose_victims(files, 15, at(100));
    ASSERT_EQ(victims.size(), 2U);
    EXPECT_EQ(victims[0].path, "old");
    EXPECT_EQ(victims[1].path, "middle");
    EXPECT_EQ(choose_victims(files, 0, at(20)).size(), 2U) << "what is in use stays";
}

class LlmCacheTest : public testing::Test {
protected:
    std::unique_ptr<LlmCache> open(std::int64_t bytes_max) {
        auto opened = LlmCache::open(folder.path() / "answers", bytes_max, clock);
        EXPECT_TRUE(opened);
        return std::move(*opened);
    }
    static protocol::LlmRequest request(std::string content) {
        return {.id = 1, .messages = {{.role = "user", .content = std::move(content)}}};
    }
    static Sha256Digest key(const std::string& content) {
        return cache_key("u", "m", request(content));
    }
    static LlmCacheEntry entry(std::string text) {
        return {
            .reply = {.id = 7, .choices = {{.text = std::move(text)}}, .prompt_tokens = 3},
            .cost_picodollars = 5,
            .job_id = "job_1",
            .fence = 2,
        };
    }

    fakes::TempFolder folder;
    fakes::ManualClock clock;
};

TEST_F(LlmCacheTest, WhatIsKeptIsFoundAgainAlsoAfterARestart) {
    EXPECT_TRUE(open(1 << 20)->keep(key("x"), entry("answer")));
    const auto found = open(1 << 20)->find(key("x"));
    ASSERT_TRUE(found);
    EXPECT_EQ(found->reply.choices[0].text, "answer");
    EXPECT_EQ(found->cost_picodollars, 5);
    EXPECT_EQ(found->job_id, "job_1");
    EXPECT_FALSE(open(1 << 20)->find(key("y")));
}

TEST_F(LlmCacheTest, KeyDependsOnAllThatTheAnswerDoes) {
    protocol::LlmRequest changed = request("x");
    changed.id = 99;
    EXPECT_EQ(cache_key("u", "m", changed), key("x"));
    changed.temperature = 0.5;
    EXPECT_NE(cache_key("u", "m", changed), key("x"));
    EXPECT_NE(cache_key("v", "m", request("x")), key("x"));
    EXPECT_NE(cache_key("u", "n", request("x")), key("x"));
}

TEST_F(LlmCacheTest, DamagedEntryCountsAsNone) {
    const auto cache = open(1 << 20);
    EXPECT_TRUE(cache->keep(key("x"), entry("answer")));
    for (const CachedFile& file : *list_cached(cache->folder())) {
        ASSERT_TRUE(write_file_atomically(file.path, "{\"reply\":"));
    }
    EXPECT_FALSE(cache->find(key("x")));
}

TEST_F(LlmCacheTest, StaysBelowItsLimitAndKeepsWhatIsAskedFor) {
    const std::string large(10'000, 'x');
    const auto cache = open(100'000);
    EXPECT_TRUE(cache->keep(key("loved"), entry(large)));
    for (int i = 0; i < 30; ++i) {
        clock.advance(1s);
        EXPECT_TRUE(cache->find(key("loved")));
        EXPECT_TRUE(cache->keep(key(std::to_string(i)), entry(large)));
    }
    std::int64_t bytes = 0;
    for (const CachedFile& file : *list_cached(cache->folder())) {
        bytes += file.bytes;
    }
    EXPECT_LE(bytes, 100'000);
    EXPECT_GT(bytes, 50'000);
    EXPECT_TRUE(cache->find(key("loved")));
    EXPECT_TRUE(cache->find(key("29")));
    EXPECT_FALSE(cache->find(key("0")));
}

TEST_F(LlmCacheTest, WithoutRoomNothingIsKept) {
    const auto cache = open(0);
    EXPECT_TRUE(cache->keep(key("x"), entry("answer")));
    EXPECT_FALSE(cache->find(key("x")));
}

}  // namespace
}  // namespace nexa::worker
