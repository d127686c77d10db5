// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>

#include "core/result.h"

namespace nexa::training {

struct CheckpointOptions {
    std::filesystem::path folder;  ///< of the run; empty: no checkpoints
    std::int64_t every_steps = 0;  ///< 0: after the last step only
    std::int64_t keep = 2;         ///< newest ones that stay
    bool resume = true;            ///< go on from the newest one, if there is any
};

struct TrainerOptions {
    std::int64_t epochs = 1;
    std::int64_t steps_max = 0;         ///< 0: the epochs decide; the schedule ends here too
    std::int64_t batch_size = 32;       ///< examples an update
    std::int64_t micro_batch_size = 0;  ///< examples at a time in memory; 0: the whole batch

    double learning_rate = 3e-4;
    double final_learning_rate_ratio = 0.1;
    std::int64_t warmup_steps = 0;
    double beta1 = 0.9;
    double beta2 = 0.95;
    double epsilon = 1e-8;
    double weight_decay = 0.1;
    double clip_norm = 1.0;  ///< 0: never clip

    std::uint64_t seed = 0;
    int threads = 1;                  ///< of libtorch; the sum of a loss depends on it
    double loss_smoothing = 0.98;     ///< share of the old average a step leaves
    std::int64_t validate_every = 0;  ///< 0: after the last step only
    CheckpointOptions checkpoints;

    /// Errors: kInvalidArgument naming the field.
    Status validate() const;
};

}  // namespace nexa::training
