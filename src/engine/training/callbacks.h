// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>

#include "core/result.h"

namespace nexa::training {

struct RunPlan {
    std::int64_t first_step = 0;  ///< above 0: resumed
    std::int64_t total_steps = 0;
    std::int64_t parameter_count = 0;
    std::uint64_t examples = 0;
};

/// One update. Loss is the mean over the step's targets, in nats, before the update.
struct StepMetrics {
    std::int64_t step = 0;   ///< from 1
    std::int64_t epoch = 0;  ///< from 0: that of the step's first example
    double loss = 0.0;
    double smoothed_loss = 0.0;
    double learning_rate = 0.0;
    double gradient_norm = 0.0;  ///< before clipping
    std::int64_t tokens = 0;     ///< read in this step
    double tokens_per_second = 0.0;
};

struct ValidationMetrics {
    std::int64_t step = 0;
    double loss = 0.0;
};

/// What happens in a run, in this order: start; then for each step the epochs that begin with it,
/// the step, its validation, its checkpoint; at last the end. Called on the training thread, which
/// waits. An error ends the run with that error; on kCancelled a checkpoint of the last step is
/// written first.
class Callbacks {
public:
    virtual ~Callbacks() = default;

    virtual Status on_start(const RunPlan& /*plan*/) { return ok(); }
    virtual Status on_epoch(std::int64_t /*epoch*/) { return ok(); }
    virtual Status on_step(const StepMetrics& /*metrics*/) { return ok(); }
    virtual Status on_validation(const ValidationMetrics& /*metrics*/) { return ok(); }
    /// `folder` is whole and on disk.
    virtual Status on_checkpoint(std::int64_t /*step*/, const std::filesystem::path& /*folder*/) {
        return ok();
    }
    /// Once, whatever happened, if on_start was called.
    virtual void on_end(const Status& /*outcome*/) {}
};

}  // namespace nexa::training
