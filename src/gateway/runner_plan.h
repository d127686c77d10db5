// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>

#include "core/child_process.h"

namespace nexa::gateway {

struct RunnerPlanOptions {
    std::chrono::milliseconds base{500};    ///< before the first restart; doubles each time
    std::chrono::milliseconds cap{30'000};  ///< the longest pause
    /// A runner that served so long was well: the next pause is `base` again.
    std::chrono::seconds steady{60};
    int failures_max = 3;  ///< in a row, before the model counts as failed
};

/// What becomes of a model whose runner has ended: the decision alone, one plan for each model.
/// Does no I/O and looks at no clock. Not thread-safe.
class RunnerPlan {
public:
    using Time = std::chrono::steady_clock::time_point;

    struct Decision {
        /// Before it is started again; nothing: it would end the same way.
        std::optional<std::chrono::milliseconds> pause;
        /// Say that the model has failed, also if it is tried again.
        bool is_failed = false;

        friend bool operator==(const Decision&, const Decision&) = default;
    };

    explicit RunnerPlan(RunnerPlanOptions options = {}) : options_(options), pause_(options.base) {}

    /// It serves.
    void became_ready(Time now);
    /// It has ended, or could not be started (no status). That the model itself is to blame is
    /// known by the exit code of a runner that never served.
    Decision ended(const std::optional<ExitStatus>& status, Time now);

private:
    RunnerPlanOptions options_;
    std::chrono::milliseconds pause_;
    std::optional<Time> ready_since_;
    int failures_ = 0;
};

}  // namespace nexa::gateway
