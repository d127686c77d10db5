// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "core/clock.h"
#include "core/result.h"
#include "engine/training/callbacks.h"
#include "engine/training/trainer_options.h"

namespace nexa::training {

class Objective;

struct TrainSummary {
    std::int64_t steps = 0;       ///< of the whole run
    std::int64_t first_step = 0;  ///< above 0: resumed from there
    std::int64_t tokens = 0;      ///< of the whole run
    double loss = 0.0;            ///< of the last step
    double smoothed_loss = 0.0;
    std::optional<double> validation_loss;  ///< after the last step
};

/// Minimizes an objective: AdamW, warm-up and cosine, gradient clipping, accumulation over
/// micro-batches, validation, checkpoints.
///
/// Epoch e takes the examples in the order shuffled_index(seed, e, …); steps take the next
/// batch_size of that stream, also across the border of two epochs, and the last step takes what is
/// left. With equal options, data and threads, a CPU run gives equal bytes, resumed or not.
class Trainer {
public:
    /// All must outlive the object. `objective` holds the weights that are trained.
    Trainer(Objective& objective, TrainerOptions options, Callbacks& callbacks, const Clock& clock)
        : objective_(objective),
          options_(std::move(options)),
          callbacks_(callbacks),
          clock_(clock) {}

    /// Validates on this objective, which shares the trained weights.
    void validate_with(Objective& validation) { validation_ = &validation; }

    /// Trains to the end on the calling thread; sets libtorch's threads for the process. A run
    /// whose newest checkpoint is its end returns at once. Errors: kInvalidArgument (options by
    /// field; a loss or gradient that is not finite: the update is not applied, and the newest
    /// checkpoint is the last good one), kConflict (the checkpoint is another run's), those of
    /// checkpoints and callbacks, and guard()'s.
    Result<TrainSummary> run();

private:
    Objective& objective_;
    TrainerOptions options_;
    Callbacks& callbacks_;
    const Clock& clock_;
    Objective* validation_ = nullptr;
};

}  // namespace nexa::training
