// SPDX-License-Identifier: Apache-2.0
#include "core/near_name.h"

#include <array>
#include <string>

#include <gtest/gtest.h>

namespace nexa {
namespace {

constexpr std::array<std::string_view, 5> kNames{"epochs", "epsilon", "batch_size", "lr", "seed"};

TEST(NearName, CountsEachKindOfSlipOnce) {
    EXPECT_EQ(name_distance("epochs", "epochs"), 0u);
    EXPECT_EQ(name_distance("epoch", "epochs"), 1u);    // left out
    EXPECT_EQ(name_distance("eepochs", "epochs"), 1u);  // added
    EXPECT_EQ(name_distance("epacks", "epocks"), 1u);   // changed
    EXPECT_EQ(name_distance("epcohs", "epochs"), 1u);   // swapped
    EXPECT_EQ(name_distance("", "abc"), 3u);
    EXPECT_EQ(name_distance("ca", "abc"), 3u);  // restricted: no letter moves twice
}

TEST(NearName, CaseAndDashesDoNotCount) {
    EXPECT_EQ(name_distance("Batch-Size", "batch_size"), 0u);
    EXPECT_EQ(nearest("Batch-Size", kNames), "batch_size");
}

TEST(NearName, ProposesTheNearestAndNothingFar) {
    EXPECT_EQ(nearest("epoch", kNames), "epochs");
    EXPECT_EQ(nearest("epsilno", kNames), "epsilon");
    EXPECT_EQ(nearest("batchsize", kNames), "batch_size");
    EXPECT_EQ(nearest("optimizer", kNames), std::nullopt);
    EXPECT_EQ(nearest("", kNames), std::nullopt);
    EXPECT_EQ(nearest("x", kNames), std::nullopt);
    EXPECT_EQ(nearest("epoch", {}), std::nullopt);
}

TEST(NearName, LongNamesAreNobodysSlip) {
    EXPECT_EQ(nearest(std::string(100'000, 'e'), kNames), std::nullopt);
    EXPECT_EQ(name_distance(std::string(65, 'a'), "a"), 65u);
    EXPECT_EQ(name_distance(std::string(64, 'a'), std::string(64, 'b')), 64u);
}

}  // namespace
}  // namespace nexa
