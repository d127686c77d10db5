// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace nexa::training {

/// Linear warm-up to the peak, then half a cosine down to `final_ratio` of it.
struct Schedule {
    double peak = 3e-4;
    double final_ratio = 0.1;
    std::int64_t warmup_steps = 0;
    std::int64_t total_steps = 1;
};

/// For the update numbered `step`, from 0. The peak is reached at step warmup_steps; the last
/// step's rate is just above final_ratio * peak.
double learning_rate_at(const Schedule& schedule, std::int64_t step);

}  // namespace nexa::training
