// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <optional>
#include <string_view>

namespace nexa::protocol {

/// What people and clients see of a job's state. The queue's own states are finer: blocked,
/// scheduled and ready are pending; leased is assigned until the engine's first event, then
/// running; done is completed; dead is failed.
enum class JobStatus { kPending, kAssigned, kRunning, kCompleted, kFailed, kCancelled };

inline constexpr std::array<std::string_view, 6> kJobStatusNames{
    "pending", "assigned", "running", "completed", "failed", "cancelled"
};

constexpr std::string_view to_string(JobStatus status) {
    return kJobStatusNames[static_cast<std::size_t>(status)];
}

constexpr std::optional<JobStatus> job_status_from(std::string_view name) {
    for (std::size_t i = 0; i < kJobStatusNames.size(); ++i) {
        if (kJobStatusNames[i] == name) {
            return static_cast<JobStatus>(i);
        }
    }
    return std::nullopt;
}

constexpr bool is_final(JobStatus status) {
    return status == JobStatus::kCompleted || status == JobStatus::kFailed ||
           status == JobStatus::kCancelled;
}

}  // namespace nexa::protocol
