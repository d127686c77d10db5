// SPDX-License-Identifier: Apache-2.0
#include "engine/pipelines/run_log.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <iterator>

#include <fmt/format.h>

#include "core/file.h"

namespace nexa::pipelines {

namespace {

using protocol::EngineEvent;

constexpr std::chrono::seconds kLineEvery{1};

std::string text_of(const EngineEvent& event) {
    std::string text = event.phase + ":";
    auto out = std::back_inserter(text);
    if (event.type == "progress") {
        fmt::format_to(out, " {}", event.done);
        if (event.total > 0) {
            fmt::format_to(out, " of {}", event.total);
        }
        fmt::format_to(out, " {}", event.unit);
        if (event.rate > 0) {
            fmt::format_to(out, ", {:.3g}/s", event.rate);
        }
        if (event.eta_seconds && event.done < event.total) {
            fmt::format_to(out, ", {:.0f} s left", std::ceil(*event.eta_seconds));
        }
    } else if (event.type == "metric") {
        fmt::format_to(out, " at {}", event.done);
        for (const auto& [name, value] : event.metrics) {
            fmt::format_to(out, ", {} {:.6g}", name, value);
        }
    } else {
        fmt::format_to(out, " {}", event.message);
    }
    return text;
}

}  // namespace

void RunLog::line(std::string_view text) {
    const Lock lock(mutex_);
    write(text);
}

void RunLog::note(const EngineEvent& event) {
    const Lock lock(mutex_);
    if (is_due(event)) {
        write(text_of(event));
    }
}

bool RunLog::is_due(const EngineEvent& event) {
    if (event.type == "log") {
        return true;
    }
    const bool begins = phase_ != event.phase;
    if (begins) {
        phase_ = event.phase;
        last_progress_.reset();
        last_metrics_.reset();
    }
    const bool ends = event.type == "progress" && event.total > 0 && event.done >= event.total;
    auto& last = event.type == "progress" ? last_progress_ : last_metrics_;
    const auto now = clock_.steady_now();
    if (!ends && last && now - *last < kLineEvery) {
        return false;
    }
    last = now;
    return true;
}

void RunLog::write(std::string_view text) {
    if (fd_ < 0) {
        return;
    }
    std::string line = fmt::format("{} {}", to_rfc3339(clock_.now()), text);
    std::ranges::replace(line, '\n', ' ');
    line += '\n';
    static_cast<void>(write_all(fd_, line, "the log"));
}

}  // namespace nexa::pipelines
