// SPDX-License-Identifier: Apache-2.0
#include "worker/health_watch.h"

#include <algorithm>
#include <utility>

#include "core/file.h"
#include "core/log.h"

namespace nexa::worker {

namespace {

void log_change(
    const std::vector<protocol::HealthProblem>& before,
    const std::vector<protocol::HealthProblem>& now
) {
    const auto log = get_logger("worker");
    if (now.empty() && !before.empty()) {
        log.info("well again");
    }
    for (const protocol::HealthProblem& problem : now) {
        if (std::ranges::find(before, problem.kind, &protocol::HealthProblem::kind) ==
            before.end()) {
            log.warning(
                "not well: no jobs until it is",
                {{"kind", problem.kind}, {"problem", problem.detail}}
            );
        }
    }
}

}  // namespace

void HealthWatch::registered(std::string worker_id, int gpus) {
    const Lock lock(mutex_);
    known_.worker_id = std::move(worker_id);
    known_.gpus = gpus;
}

HealthWatch::Known HealthWatch::known() {
    const Lock lock(mutex_);
    return known_;
}

HealthReading HealthWatch::read() const {
    return {
        .folder = options_.folder,
        .disk_bytes_free = available_bytes(options_.folder),
        .gpus = options_.limits.gpus == 0 ? GpuAnswer{} : ask_gpus(options_.search_path),
        .sandbox = with_.sandbox.probe(),
        .clock_offset = {},
    };
}

net::Task<void> HealthWatch::look() {
    auto read = [this] { return Result<HealthReading>(this->read()); };
    CO_TRY(HealthReading reading, co_await net::run_on(with_.disk, std::move(read)));
    protocol::HardwareProfile seen;
    parse_gpus(reading.gpus.csv, seen);
    gpus_seen_ = seen.gpus;
    reading.clock_offset = known().clock_offset;
    co_return co_await tell(std::move(reading));
}

net::Task<void> HealthWatch::tell(HealthReading reading) {
    // What the answer shows of the clock can be told only with the next beat: at once, if it
    // changes the judgement.
    constexpr int kBeatsMax = 2;
    std::vector<protocol::HealthProblem> told;
    for (int beat = 0; beat < kBeatsMax; ++beat) {
        const Known known = this->known();
        auto problems = find_problems(reading, options_.limits, known.gpus);
        if (beat > 0 && problems == told) {
            break;
        }
        const Timestamp asked_at = with_.clock.now();
        CO_TRY(
            const protocol::HeartbeatReply reply,
            co_await with_.client.heartbeat({.worker_id = known.worker_id, .problems = problems})
        );
        if (const auto server_time = parse_rfc3339(reply.server_time)) {
            reading.clock_offset = clock_offset(asked_at, *server_time, with_.clock.now());
        }
        log_change(known.told, problems);
        note_told(problems, reading.clock_offset);
        told = std::move(problems);
    }
    co_return ok();
}

void HealthWatch::note_told(
    const std::vector<protocol::HealthProblem>& problems,
    std::optional<std::chrono::milliseconds> clock_offset
) {
    const Lock lock(mutex_);
    known_.told = problems;
    known_.clock_offset = clock_offset;
}

net::Task<void> HealthWatch::run(std::function<void()> on_more_gpus) {
    while (true) {
        CO_TRY_STATUS(co_await net::sleep_for(options_.pause));
        const Status told = co_await look();
        if (!told) {
            if (told.error().code == ErrorCode::kCancelled) {
                co_return told;
            }
            get_logger("worker").warning("health not told", {{"error", told.error().to_string()}});
        }
        if (gpus_seen_ > known().gpus) {
            on_more_gpus();
        }
    }
}

}  // namespace nexa::worker
