// SPDX-License-Identifier: Apache-2.0
#include "orchestration/job_clone.h"

#include <gtest/gtest.h>

namespace nexa::orchestration {
namespace {

const protocol::JobTypeRow& train() {
    return *protocol::find_job_type("train").value();
}

Job trained() {
    return {
        .job_type = "train",
        .pool = "fast",
        .priority = -2,
        .gpus = 1,
        .memory_bytes = 1024,
        .max_failures = 5,
        .payload = {R"({"dataset_uri":"ds_1","model_id":"nexa-small","epochs":3})"},
        .name = "first",
    };
}

std::string payload_with(std::string_view changes) {
    const auto again = ask_again(train(), trained(), changes);
    return again ? again->payload.text : again.error().to_string();
}

TEST(JobClone, WithoutChangesItAsksForTheSame) {
    const auto again = ask_again(train(), trained(), "");
    ASSERT_TRUE(again);
    EXPECT_EQ(again->payload.text, trained().payload.text);
    EXPECT_EQ(again->options.pool, "fast");
    EXPECT_EQ(again->options.priority, -2);
    EXPECT_EQ(again->options.max_attempts, 5);
    EXPECT_EQ(again->options.gpus, 1);
    EXPECT_EQ(again->options.memory_bytes, 1024);
    EXPECT_EQ(again->options.name, "first");
    EXPECT_EQ(payload_with("{}"), trained().payload.text);
}

TEST(JobClone, AFieldReplacesWhatItsNameOrAnAliasHad) {
    EXPECT_EQ(
        payload_with(R"({"epochs":1})"),
        R"({"dataset_uri":"ds_1","model_id":"nexa-small","epochs":1})"
    );
    EXPECT_EQ(
        payload_with(R"({"payload":{"dataset_id":"ds_2","model":"ckpt_1"}})"),
        R"({"epochs":3,"dataset_id":"ds_2","model":"ckpt_1"})"
    );
}

TEST(JobClone, WhatIsAskedOfTheQueueChangesAloneOrWithTheSpec) {
    const auto again =
        ask_again(train(), trained(), R"({"payload":{},"priority":7,"name":"second"})");
    ASSERT_TRUE(again);
    EXPECT_EQ(again->options.priority, 7);
    EXPECT_EQ(again->options.name, "second");
    EXPECT_EQ(again->options.pool, "fast");
    EXPECT_EQ(again->payload.text, trained().payload.text);
}

TEST(JobClone, AFieldThatIsNoneStaysToBeRefusedWithItsName) {
    const auto again = ask_again(train(), trained(), R"({"epocs":1})");
    ASSERT_TRUE(again);
    const auto checked = train().canonical(again->payload.text);
    ASSERT_FALSE(checked);
    EXPECT_EQ(checked.error().param, "epocs");
    EXPECT_FALSE(ask_again(train(), trained(), R"({"payload":{},"prioritty":1})"));
}

TEST(JobClone, WhatIsNoObjectIsRefused) {
    for (const char* text : {"{", "[]", "7", R"({"payload":[]})", R"({"payload":null})"}) {
        EXPECT_FALSE(ask_again(train(), trained(), text)) << text;
    }
}

}  // namespace
}  // namespace nexa::orchestration
