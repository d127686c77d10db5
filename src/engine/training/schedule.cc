// SPDX-License-Identifier: Apache-2.0
#include "engine/training/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace nexa::training {

double learning_rate_at(const Schedule& schedule, std::int64_t step) {
    if (step < schedule.warmup_steps) {
        const auto climbed = static_cast<double>(step + 1);
        return schedule.peak * climbed / static_cast<double>(schedule.warmup_steps + 1);
    }
    const auto left =
        static_cast<double>(std::max<std::int64_t>(1, schedule.total_steps - schedule.warmup_steps)
        );
    const double progress = std::min(1.0, static_cast<double>(step - schedule.warmup_steps) / left);
    const double cosine = 0.5 * (1.0 + std::cos(std::numbers::pi * progress));
    return schedule.peak * (schedule.final_ratio + (1.0 - schedule.final_ratio) * cosine);
}

}  // namespace nexa::training
