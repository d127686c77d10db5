// SPDX-License-Identifier: Apache-2.0
#include "protocol/submission.h"

#include <gtest/gtest.h>

namespace nexa::protocol {
namespace {

TEST(Submission, PlainParametersAreThePayload) {
    const auto read = read_submission(R"({"dataset_id":"ds_1"})");
    ASSERT_TRUE(read);
    EXPECT_FALSE(read->wrapped);
    EXPECT_EQ(read->payload.text, R"({"dataset_id":"ds_1"})");
    EXPECT_EQ(read->options.priority, 0);
}

TEST(Submission, TheWrappedFormCarriesOptions) {
    const auto read =
        read_submission(R"({"payload":{"dataset_id":"ds_1"},"priority":-2,"name":"n"})");
    ASSERT_TRUE(read) << read.error().to_string();
    EXPECT_TRUE(read->wrapped);
    EXPECT_EQ(read->payload.text, R"({"dataset_id":"ds_1"})");
    EXPECT_EQ(read->options.priority, -2);
    EXPECT_EQ(read->options.name, "n");
    EXPECT_FALSE(read->options.payload);
}

TEST(Submission, AnUnknownOptionBesideThePayloadIsRefused) {
    const auto read = read_submission(R"({"payload":{},"priorty":1})");
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, ErrorCode::kInvalidArgument);
}

TEST(Submission, AnEmptyBodyIsAnEmptyPayload) {
    const auto read = read_submission("");
    ASSERT_TRUE(read);
    EXPECT_EQ(read->payload.text, "{}");
}

TEST(Submission, WhatIsNoJsonIsMalformed) {
    EXPECT_EQ(read_submission("{").error().code, ErrorCode::kMalformed);
    EXPECT_FALSE(read_submission("[]"));
}

}  // namespace
}  // namespace nexa::protocol
