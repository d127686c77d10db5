// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <variant>

#include "core/child_process.h"

namespace nexa::cli {

struct RestartOptions {
    std::chrono::milliseconds base{500};    ///< before the first restart; doubles each time
    std::chrono::milliseconds cap{10'000};  ///< the longest pause
    /// A child that ran so long was well: the next pause is `base` again.
    std::chrono::seconds steady{60};
};

/// When a child that ended is started again: the decision alone, one plan per child. Does no I/O
/// and looks at no clock. Not thread-safe.
class RestartPlan {
public:
    using Time = std::chrono::steady_clock::time_point;
    struct RestartAt {
        Time when;
        friend bool operator==(const RestartAt&, const RestartAt&) = default;
    };
    /// Starting it again would fail the same way: bad settings, bad credentials.
    struct GiveUp {
        int exit_code;
        friend bool operator==(const GiveUp&, const GiveUp&) = default;
    };
    using Decision = std::variant<RestartAt, GiveUp>;

    explicit RestartPlan(RestartOptions options = {}) : options_(options), pause_(options.base) {}

    void started(Time now) { started_ = now; }
    /// A child that ends with code 0 is started again too: it was not asked to end.
    Decision ended(const ExitStatus& status, Time now);
    /// It could not even be started.
    RestartAt failed_to_start(Time now);

private:
    RestartAt after_pause(Time now);

    RestartOptions options_;
    std::chrono::milliseconds pause_;
    Time started_{};
};

}  // namespace nexa::cli
