// SPDX-License-Identifier: Apache-2.0
#include "api/query.h"

#include <gtest/gtest.h>

namespace nexa::api {
namespace {

net::Query query(std::string_view text) {
    return net::parse_query(text).value();
}

TEST(Query, AnAbsentOrEmptyParameterIsTheFallback) {
    EXPECT_EQ(limit_parameter(query("")), 20);
    EXPECT_EQ(limit_parameter(query("limit=")), 20);
    EXPECT_FALSE(text_parameter(query("status="), "status"));
    EXPECT_EQ(text_parameter(query("status=failed"), "status"), "failed");
}

TEST(Query, LimitsHoldAtBothEnds) {
    EXPECT_EQ(limit_parameter(query("limit=1")), 1);
    EXPECT_EQ(limit_parameter(query("limit=100")), 100);
    EXPECT_EQ(limit_parameter(query("limit=0")).error().param, "limit");
    EXPECT_EQ(limit_parameter(query("limit=101")).error().code, ErrorCode::kInvalidArgument);
}

TEST(Query, WhatIsNoNumberIsRefusedWithItsName) {
    for (const char* text : {"limit=x", "limit=1x", "limit=1.5", "limit=99999999999999999999"}) {
        EXPECT_EQ(limit_parameter(query(text)).error().param, "limit") << text;
    }
}

}  // namespace
}  // namespace nexa::api
