// SPDX-License-Identifier: Apache-2.0
#include "gateway/served_model.h"

#include <utility>

namespace nexa::gateway {

std::string_view to_string(ServingState state) {
    switch (state) {
        case ServingState::kLoading:
            return "loading";
        case ServingState::kReady:
            return "ready";
        case ServingState::kFailed:
            break;
    }
    return "failed";
}

ServingState ServedModel::state() const {
    const Lock lock(mutex_);
    return state_;
}

bool ServedModel::is_down() const {
    const Lock lock(mutex_);
    return state_ == ServingState::kFailed && (was_ready_ || spec_.files.empty());
}

std::string ServedModel::message() const {
    const Lock lock(mutex_);
    return message_;
}

Result<std::shared_ptr<RunnerLink>> ServedModel::runner() const {
    const Lock lock(mutex_);
    if (state_ == ServingState::kReady) {
        return runner_;
    }
    if (state_ == ServingState::kLoading) {
        return Error::unavailable("the model '{}' is being loaded", spec_.name);
    }
    return Error::unavailable("the model '{}' cannot be served now", spec_.name);
}

void ServedModel::set_loading(std::string message) {
    set(ServingState::kLoading, std::move(message), nullptr);
}

void ServedModel::set_ready(std::shared_ptr<RunnerLink> runner) {
    set(ServingState::kReady, {}, std::move(runner));
}

void ServedModel::set_failed(std::string message) {
    set(ServingState::kFailed, std::move(message), nullptr);
}

void ServedModel::set(ServingState state, std::string message, std::shared_ptr<RunnerLink> runner) {
    const Lock lock(mutex_);
    state_ = state;
    was_ready_ = was_ready_ || state == ServingState::kReady;
    message_ = std::move(message);
    runner_.swap(runner);  // what it was goes after the lock
}

}  // namespace nexa::gateway
