// SPDX-License-Identifier: Apache-2.0
#include "gateway/runner_plan.h"

#include <algorithm>
#include <utility>

#include "core/error_code.h"

namespace nexa::gateway {

namespace {

/// What an engine says with such a code will not change: a bad file, one that is missing.
bool blames_the_model(const ExitStatus& status) {
    return std::ranges::any_of(kErrorCodes, [&](const ErrorCodeRow& row) {
        return status.exit_code == row.exit_code && row.consequence == JobConsequence::kFails;
    });
}

}  // namespace

void RunnerPlan::became_ready(Time now) {
    ready_since_ = now;
}

RunnerPlan::Decision RunnerPlan::ended(const std::optional<ExitStatus>& status, Time now) {
    const auto since = std::exchange(ready_since_, std::nullopt);
    if (!since && status && blames_the_model(*status)) {
        return {.pause = std::nullopt, .is_failed = true};
    }
    if (since && now - *since >= options_.steady) {
        pause_ = options_.base;
        failures_ = 0;
    }
    ++failures_;
    const Decision decision{.pause = pause_, .is_failed = failures_ >= options_.failures_max};
    pause_ = std::min(pause_ * 2, options_.cap);
    return decision;
}

}  // namespace nexa::gateway
