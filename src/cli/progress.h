// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/job_views.h"

namespace nexa::cli {

/// One progress event on one line of at most `columns`: "train  [=====>    ]  52%  120/230 steps
/// 4.1/s  0:27 left". Without a total there is no bar.
std::string progress_bar(const protocol::EngineEvent& event, std::size_t columns);

/// The same for a log: "progress train 120/230 steps 4.1/s 0:27 left".
std::string progress_text(const protocol::EngineEvent& event);

/// Writes a job's events for people as they come. On a terminal one line is redrawn for progress;
/// elsewhere each event is a line. Decides text only; whoever holds the stream writes it.
class EventPrinter {
public:
    struct Style {
        bool redraws = false;
        std::size_t columns = 80;
    };
    explicit EventPrinter(Style style) : style_(style) {}

    /// What to write for this event; may be empty.
    std::string show(const protocol::JobEventView& event);
    /// What to write at the end, so that nothing of a bar is left over.
    std::string finish();
    /// The job's last status, once one was shown.
    const std::string& status() const { return status_; }

private:
    std::string line(std::string_view text);

    Style style_;
    bool bar_stands_ = false;
    std::string status_;
};

}  // namespace nexa::cli
