// SPDX-License-Identifier: Apache-2.0
#include "engine/training/trainer_options.h"

#include <array>
#include <cmath>
#include <limits>

namespace nexa::training {
namespace {

struct Range {
    std::string_view name;
    double value;
    double least;
    double most;
};

}  // namespace

Status TrainerOptions::validate() const {
    constexpr double kMany = 1e12;
    const auto number = [](std::int64_t value) { return static_cast<double>(value); };
    const double above_zero = std::numeric_limits<double>::min();
    const double below_one = std::nextafter(1.0, 0.0);
    const std::array ranges{
        Range{"epochs", number(epochs), 1, 1e6},
        Range{"steps_max", number(steps_max), 0, kMany},
        Range{"batch_size", number(batch_size), 1, 1e9},
        Range{"micro_batch_size", number(micro_batch_size), 0, 1e9},
        Range{"learning_rate", learning_rate, above_zero, 10},
        Range{"final_learning_rate_ratio", final_learning_rate_ratio, 0, 1},
        Range{"warmup_steps", number(warmup_steps), 0, kMany},
        Range{"beta1", beta1, 0, below_one},
        Range{"beta2", beta2, 0, below_one},
        Range{"epsilon", epsilon, above_zero, 1},
        Range{"weight_decay", weight_decay, 0, 10},
        Range{"clip_norm", clip_norm, 0, kMany},
        Range{"threads", number(threads), 1, 1024},
        Range{"loss_smoothing", loss_smoothing, 0, below_one},
        Range{"validate_every", number(validate_every), 0, kMany},
        Range{"checkpoints.every_steps", number(checkpoints.every_steps), 0, kMany},
        Range{"checkpoints.keep", number(checkpoints.keep), 1, 1e6},
    };
    for (const Range& range : ranges) {
        // Negated, so that what is not a number is refused too.
        if (!(range.value >= range.least && range.value <= range.most)) {
            return Error::invalid_argument(
                       "must lie in [{:.6g}, {:.6g}], is {}", range.least, range.most, range.value
            )
                .at(range.name);
        }
    }
    return ok();
}

}  // namespace nexa::training
