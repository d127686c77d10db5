// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <fstream>
#include <optional>

#include "core/cancel.h"
#include "engine/pipelines/event_sink.h"
#include "engine/training/callbacks.h"

namespace nexa::pipelines {

/// Tells what a training does: as events, and as a line a step in a file that goes on where a
/// resumed run does. Ends the run when the job is cancelled.
class TrainingLog final : public training::Callbacks {
public:
    struct Collaborators {
        EventSink& events;
        const CancelToken& cancel;
    };
    TrainingLog(std::filesystem::path path, Collaborators with)
        : path_(std::move(path)), with_(with) {}

    /// Keeps the lines up to the plan's first step. Errors: kUnavailable.
    Status on_start(const training::RunPlan& plan) override;
    /// Errors: kCancelled, kUnavailable (disk full).
    Status on_step(const training::StepMetrics& metrics) override;
    Status on_validation(const training::ValidationMetrics& metrics) override;

    /// Over the steps of this process.
    double tokens_per_second() const;

private:
    Status write(const std::string& line);

    std::filesystem::path path_;
    Collaborators with_;
    std::ofstream file_;
    std::int64_t total_steps_ = 0;
    double tokens_ = 0;
    double seconds_ = 0;
};

}  // namespace nexa::pipelines
