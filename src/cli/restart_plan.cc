// SPDX-License-Identifier: Apache-2.0
#include "cli/restart_plan.h"

#include <algorithm>

namespace nexa::cli {

namespace {

constexpr int kUsageExit = 2;
constexpr int kAuthExit = 4;

}  // namespace

RestartPlan::RestartAt RestartPlan::after_pause(Time now) {
    const RestartAt decision{now + pause_};
    pause_ = std::min(pause_ * 2, options_.cap);
    return decision;
}

RestartPlan::Decision RestartPlan::ended(const ExitStatus& status, Time now) {
    if (status.exit_code == kUsageExit || status.exit_code == kAuthExit) {
        return GiveUp{*status.exit_code};
    }
    if (now - started_ >= options_.steady) {
        pause_ = options_.base;
    }
    return after_pause(now);
}

RestartPlan::RestartAt RestartPlan::failed_to_start(Time now) {
    return after_pause(now);
}

}  // namespace nexa::cli
