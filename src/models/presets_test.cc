// SPDX-License-Identifier: Apache-2.0
#include "models/presets.h"

#include <gmock/gmock.h>

namespace nexa::models {
namespace {

TEST(Presets, EachOneIsAModelOnceItHasAVocabulary) {
    for (const Preset& preset : presets()) {
        EXPECT_TRUE(preset.with_vocab(100).validate()) << preset.name;
        EXPECT_FALSE(preset.sizes.validate()) << preset.name;
    }
}

TEST(Presets, HaveTheSizesTheyPromise) {
    EXPECT_NEAR(
        static_cast<double>(find_preset("nexa-tiny")->with_vocab(16).parameter_count()),
        0.15e6,
        0.005e6
    );
    EXPECT_NEAR(
        static_cast<double>(find_preset("nexa-small")->with_vocab(16).parameter_count()),
        0.6e6,
        0.01e6
    );
    EXPECT_NEAR(
        static_cast<double>(find_preset("nexa-medium")->with_vocab(1).parameter_count()),
        10.6e6,
        0.1e6
    );
    EXPECT_NEAR(
        static_cast<double>(find_preset("nexa-base")->with_vocab(1).parameter_count()), 85e6, 0.5e6
    );
}

TEST(Presets, AMissNamesTheNearestOne) {
    const auto missed = find_preset("nexa-smal");
    ASSERT_FALSE(missed);
    EXPECT_EQ(missed.error().code, ErrorCode::kNotFound);
    EXPECT_THAT(missed.error().advice, testing::HasSubstr("nexa-small"));
}

TEST(Presets, AMissFarFromAllNamesThemAll) {
    const auto missed = find_preset(std::string(100'000, 'x'));
    ASSERT_FALSE(missed);
    EXPECT_THAT(missed.error().advice, testing::HasSubstr("nexa-tiny, nexa-small"));
    EXPECT_LT(missed.error().message.size(), 200U);
}

}  // namespace
}  // namespace nexa::models
