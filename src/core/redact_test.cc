// SPDX-License-Identifier: Apache-2.0
#include "core/redact.h"

#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace nexa {
namespace {

// Registered values stay for the whole process: each test uses its own.

const std::string kBody43 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg";

TEST(Redact, TakesOutOurKeysOfEveryKind) {
    ASSERT_EQ(kBody43.size(), 43U);
    for (const char* prefix : {"nexa_", "nexa_rk_", "nexa_wk_"}) {
        const std::string key = prefix + kBody43 + "a1B2c3";
        EXPECT_EQ(redact(key), "[redacted]");
        EXPECT_EQ(redact("Bearer " + key + ", then"), "Bearer [redacted], then");
        EXPECT_EQ(redact(key + "|" + key), "[redacted]|[redacted]");
        EXPECT_EQ(redact("x" + key + "_tail"), "x[redacted]_tail");
    }
}

TEST(Redact, TakesOutAKeyWithoutItsChecksumButNotAShorterText) {
    EXPECT_EQ(redact("nexa_" + kBody43), "[redacted]");
    const std::string shorter = "nexa_" + kBody43.substr(1);
    EXPECT_EQ(redact(shorter), shorter);
    const std::string underscore = "nexa_" + kBody43.substr(0, 20) + "_" + kBody43.substr(20);
    EXPECT_EQ(redact(underscore), underscore);
    EXPECT_EQ(redact("nexa_jobs_finished_total"), "nexa_jobs_finished_total");
    EXPECT_EQ(redact("nexa_nexa_" + kBody43), "nexa_[redacted]");
    EXPECT_EQ(redact("nexa_rk_"), "nexa_rk_");
    EXPECT_EQ(redact(""), "");
}

TEST(Redact, TakesOutRegisteredValuesWhereverTheyStand) {
    ASSERT_TRUE(register_secret("hunter22"));
    EXPECT_EQ(redact("hunter22"), "[redacted]");
    EXPECT_EQ(
        redact("postgres://u:hunter22@db/hunter22x"), "postgres://u:[redacted]@db/[redacted]x"
    );
    EXPECT_EQ(redact("hunter2"), "hunter2");
    EXPECT_EQ(redact("HUNTER22"), "HUNTER22");
}

TEST(Redact, LeavesNothingOfOverlappingOrNestedValues) {
    ASSERT_TRUE(register_secret("alpha-beta"));
    ASSERT_TRUE(register_secret("beta-gamma"));
    ASSERT_TRUE(register_secret("alpha-beta-gamma-delta"));
    EXPECT_EQ(redact("<alpha-beta-gamma>"), "<[redacted]>");
    EXPECT_EQ(redact("<alpha-beta-gamma-delta>"), "<[redacted]>");
    ASSERT_TRUE(register_secret("zzzz"));
    EXPECT_EQ(redact("-zzzzzzz-"), "-[redacted]-");
}

TEST(Redact, TakesAnyBytesAsASecret) {
    const std::string secret("\x00\xff\"\n", 4);
    ASSERT_TRUE(register_secret(secret));
    EXPECT_EQ(redact("a" + secret + "b"), "a[redacted]b");
}

TEST(Redact, RefusesValuesThatStandEverywhere) {
    EXPECT_EQ(register_secret("").error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(register_secret("qqq").error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(redact("qqq"), "qqq");
    EXPECT_TRUE(register_secret("qqqw"));
    EXPECT_TRUE(register_secret("qqqw"));
}

TEST(Redact, WorksWhileOtherThreadsRegister) {
    const auto work = [](int which) {
        for (int i = 0; i < 50; ++i) {
            const std::string secret =
                "thread-" + std::to_string(which) + "-" + std::to_string(i) + ";";
            EXPECT_TRUE(register_secret(secret));
            EXPECT_EQ(redact("a " + secret + " b"), "a [redacted] b");
        }
    };
    std::vector<std::jthread> threads;
    for (int which = 0; which < 4; ++which) {
        threads.emplace_back(work, which);
    }
}

}  // namespace
}  // namespace nexa
