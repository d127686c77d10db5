// SPDX-License-Identifier: Apache-2.0
#include "gateway/served_model.h"

#include <gmock/gmock.h>

namespace nexa::gateway {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

ModelSpec spec(bool is_fetched) {
    ModelSpec spec{
        .deployment_id = "dep_1", .name = "m", .project_id = "", .fingerprint = "", .folder = "/m"
    };
    if (is_fetched) {
        spec.files.push_back({.path = "config.json", .digest = "", .size = 1});
    }
    return spec;
}

TEST(ServedModel, ItLoadsFirstAndRefusesUntilItIsReady) {
    ServedModel model(spec(true));
    EXPECT_EQ(model.state(), ServingState::kLoading);
    EXPECT_EQ(to_string(model.state()), "loading");
    ASSERT_FALSE(model.runner());
    EXPECT_EQ(model.runner().error().code, ErrorCode::kUnavailable);
    EXPECT_THAT(model.runner().error().message, HasSubstr("loaded"));
    model.set_ready(nullptr);
    EXPECT_EQ(to_string(model.state()), "ready");
    EXPECT_TRUE(model.runner());
}

TEST(ServedModel, WhyItFailedIsForItsOwnerAndNotForWhoAsks) {
    ServedModel model(spec(true));
    model.set_failed("/secret/path is broken");
    EXPECT_EQ(to_string(model.state()), "failed");
    EXPECT_EQ(model.message(), "/secret/path is broken");
    EXPECT_EQ(model.runner().error().code, ErrorCode::kUnavailable);
    EXPECT_THAT(model.runner().error().to_string(), Not(HasSubstr("secret")));
    model.set_ready(nullptr);
    EXPECT_EQ(model.message(), "");
}

TEST(ServedModel, ADeploymentIsDownOnlyIfItServedBefore) {
    ServedModel model(spec(true));
    model.set_failed("bad weights");
    EXPECT_FALSE(model.is_down());
    model.set_loading();
    model.set_ready(nullptr);
    EXPECT_FALSE(model.is_down());
    model.set_loading("again");
    EXPECT_FALSE(model.is_down());
    model.set_failed("out of memory");
    EXPECT_TRUE(model.is_down());
}

TEST(ServedModel, WhatTheOperatorNamedIsDownWheneverItFails) {
    ServedModel model(spec(false));
    EXPECT_FALSE(model.is_down());
    model.set_failed("no such folder");
    EXPECT_TRUE(model.is_down());
}

TEST(ServedModel, ItIsRetiredWithOrWithoutItsFiles) {
    ServedModel model(spec(true));
    EXPECT_FALSE(model.is_retired());
    model.retire(false);
    EXPECT_TRUE(model.is_retired());
    EXPECT_FALSE(model.is_undeployed());
    ServedModel undeployed(spec(true));
    undeployed.retire(true);
    EXPECT_TRUE(undeployed.is_retired());
    EXPECT_TRUE(undeployed.is_undeployed());
}

}  // namespace
}  // namespace nexa::gateway
