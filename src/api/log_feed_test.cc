// SPDX-License-Identifier: Apache-2.0
#include "api/log_feed.h"

#include <gtest/gtest.h>

namespace nexa::api {
namespace {

TEST(LogPlace, IsAnAttemptAndAByte) {
    const auto place = parse_log_place("2:4711");
    ASSERT_TRUE(place);
    EXPECT_EQ(place->attempt, 2);
    EXPECT_EQ(place->offset, 4711);
}

TEST(LogPlace, AnythingElseIsRefused) {
    for (const char* text :
         {"", ":", "1", "1:", ":1", "0:1", "-1:1", "1:-1", "1:x", "1:1 ", "99999999999:1", "1:1:1"
         }) {
        EXPECT_FALSE(parse_log_place(text)) << text;
    }
}

}  // namespace
}  // namespace nexa::api
