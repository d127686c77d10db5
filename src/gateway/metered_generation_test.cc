// SPDX-License-Identifier: Apache-2.0
#include "gateway/metered_generation.h"

#include <gtest/gtest.h>

#include "core/json.h"
#include "fakes/temp_folder.h"

namespace nexa::gateway {
namespace {

class MeteredGenerations : public testing::Test {
protected:
    std::unique_ptr<MeteredGeneration> begin() {
        generation = std::make_shared<Generation>();
        auto running = std::make_unique<RunningGeneration>(generation, [] {});
        return std::make_unique<MeteredGeneration>(
            std::move(running), *spool, UsageLine{.id = "a", .at = "t", .deployment_id = "dp_1"}
        );
    }
    std::string written() {
        spool->stop();
        return read_file(path, 4096).value();
    }

    fakes::TempFolder folder;
    const std::filesystem::path path = folder.path() / "usage.jsonl";
    std::unique_ptr<UsageSpool> spool = UsageSpool::open(path).value();
    std::shared_ptr<Generation> generation;
};

TEST_F(MeteredGenerations, WhatWasGeneratedCountsAlsoIfNobodyReadAnyOfIt) {
    auto metered = begin();
    generation->append({.id = "g1", .text = "x", .prompt_tokens = 3, .token_count = 1});
    generation->append({.id = "g1", .text = "y", .prompt_tokens = 3, .token_count = 2});
    metered.reset();
    const std::string text = written();
    const auto line = from_json<UsageLine>(text.substr(0, text.size() - 1)).value();
    EXPECT_EQ(line.id, "a");
    EXPECT_EQ(line.deployment_id, "dp_1");
    EXPECT_EQ(line.prompt_tokens, 3);
    EXPECT_EQ(line.completion_tokens, 2);
}

TEST_F(MeteredGenerations, OneThatBreaksOffCountsUpToThere) {
    auto metered = begin();
    generation->append({.id = "g1", .text = "x", .prompt_tokens = 3, .token_count = 1});
    generation->fail(Error::unavailable("the runner has gone"));
    metered.reset();
    EXPECT_NE(written().find(R"("completion_tokens":1)"), std::string::npos);
}

TEST_F(MeteredGenerations, OneThatNeverBeganIsNotWritten) {
    begin().reset();
    EXPECT_EQ(written(), "");
}

}  // namespace
}  // namespace nexa::gateway
