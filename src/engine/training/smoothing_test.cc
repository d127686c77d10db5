// SPDX-License-Identifier: Apache-2.0
#include "engine/training/smoothing.h"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "fakes/proves.h"

namespace nexa::training {
namespace {

TEST(LossSmoother, EqualsTheClosedForm) {
    NEXA_PROVES("A-48");
    const double keep = 0.9;
    const std::vector<double> values{4.0, 3.0, 5.0, 1.0, 0.5, 2.0, 2.0};
    LossSmoother smoother(keep);
    for (std::size_t n = 1; n <= values.size(); ++n) {
        double sum = 0.0;
        for (std::size_t i = 0; i < n; ++i) {
            sum += std::pow(keep, static_cast<double>(n - 1 - i)) * values[i];
        }
        const double weights = (1.0 - std::pow(keep, static_cast<double>(n))) / (1.0 - keep);
        EXPECT_NEAR(smoother.add(values[n - 1]), sum / weights, 1e-12);
    }
}

TEST(LossSmoother, StartsAtTheFirstValueAndKeepsAConstant) {
    LossSmoother smoother(0.98);
    for (int i = 0; i < 50; ++i) {
        EXPECT_NEAR(smoother.add(3.5), 3.5, 1e-12);
    }
}

TEST(LossSmoother, WithNothingKeptIsTheRawSeries) {
    LossSmoother smoother(0.0);
    EXPECT_EQ(smoother.add(1.0), 1.0);
    EXPECT_EQ(smoother.add(7.0), 7.0);
}

TEST(LossSmoother, GoesOnFromItsState) {
    LossSmoother whole(0.9);
    whole.add(1.0);
    whole.add(2.0);
    LossSmoother resumed(0.9, whole.state());
    EXPECT_EQ(whole.add(5.0), resumed.add(5.0));
}

}  // namespace
}  // namespace nexa::training
