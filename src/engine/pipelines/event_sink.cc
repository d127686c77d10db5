// SPDX-License-Identifier: Apache-2.0
#include "engine/pipelines/event_sink.h"

#include <utility>

#include "core/file.h"
#include "core/json.h"

namespace nexa::pipelines {

namespace {
constexpr std::chrono::milliseconds kProgressEvery{200};
}  // namespace

void EventSink::progress(const Progress& progress) {
    const Lock lock(mutex_);
    const auto now = clock_.steady_now();
    const bool first = phase_ != progress.phase;
    if (first) {
        phase_ = progress.phase;
        phase_began_ = now;
    }
    const bool last = progress.total > 0 && progress.done >= progress.total;
    if (!first && !last && now - last_line_ < kProgressEvery) {
        return;
    }
    last_line_ = now;
    protocol::EngineEvent event{
        .type = "progress",
        .phase = std::string(progress.phase),
        .done = progress.done,
        .total = progress.total,
        .unit = std::string(progress.unit),
    };
    const double seconds = std::chrono::duration<double>(now - phase_began_).count();
    if (seconds > 0 && progress.done > 0) {
        event.rate = static_cast<double>(progress.done) / seconds;
        if (progress.total >= progress.done) {
            event.eta_seconds = static_cast<double>(progress.total - progress.done) / event.rate;
        }
    }
    send(event);
}

void EventSink::metrics(
    std::string_view phase, std::int64_t step, std::map<std::string, double> values
) {
    const Lock lock(mutex_);
    send(protocol::EngineEvent{
        .type = "metric",
        .phase = std::string(phase),
        .done = step,
        .metrics = std::move(values),
    });
}

void EventSink::say(std::string_view phase, std::string message) {
    const Lock lock(mutex_);
    send(protocol::EngineEvent{
        .type = "log",
        .phase = std::string(phase),
        .message = std::move(message),
    });
}

void EventSink::send(const protocol::EngineEvent& event) {
    if (log_ != nullptr) {
        log_->note(event);
    }
    if (fd_ < 0 || reader_gone_) {
        return;
    }
    const std::string line = to_json(event) + '\n';
    reader_gone_ = !write_all(fd_, line, "an event").has_value();
}

}  // namespace nexa::pipelines
