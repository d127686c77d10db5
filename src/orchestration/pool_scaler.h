// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "core/fields.h"

namespace nexa::orchestration {

using SteadyTime = std::chrono::steady_clock::time_point;

/// A pool whose workers are started when jobs wait and ended when none do: a setting.
struct ScalingPoolSettings {
    static constexpr std::string_view kName = "ScalingPoolSettings";
    std::string pool = "default";
    int min_workers = 0;
    int max_workers = 1;
    int slots = 1;
    int gpus = 0;
    std::int64_t memory_mib = 0;
    double idle_seconds = 300;
    double start_seconds = 300;
    double pause_seconds = 10;
    std::vector<std::string> command;
    double command_seconds = 60;
    std::string webhook;
    std::string webhook_secret;

    bool operator==(const ScalingPoolSettings&) const = default;
    // NOLINTNEXTLINE(readability-function-size): a table
    static constexpr auto fields() {
        return std::tuple{
            field("pool", &ScalingPoolSettings::pool, "Jobs and workers of which pool")
                .length(1, 64),
            field("min_workers", &ScalingPoolSettings::min_workers, "Kept also while no job waits")
                .within(0, 10'000),
            field("max_workers", &ScalingPoolSettings::max_workers, "Never more").within(0, 10'000),
            field("slots", &ScalingPoolSettings::slots, "Jobs that one worker does at a time")
                .within(1, 256),
            field(
                "gpus",
                &ScalingPoolSettings::gpus,
                "Accelerators that one worker has for a job; jobs that need more start no worker"
            )
                .within(0, 1024),
            field(
                "memory_mib",
                &ScalingPoolSettings::memory_mib,
                "Memory that one worker has; jobs that need more start no worker; 0: any"
            )
                .within(0, 1LL << 40)
                .unit("MiB"),
            field(
                "idle_seconds",
                &ScalingPoolSettings::idle_seconds,
                "A worker that is not needed is drained after so long without a job"
            )
                .within(0, 1'000'000)
                .unit("s"),
            field(
                "start_seconds",
                &ScalingPoolSettings::start_seconds,
                "A worker that was asked for and is not there after so long is asked for again"
            )
                .within(1, 1'000'000)
                .unit("s"),
            field("pause_seconds", &ScalingPoolSettings::pause_seconds, "Between two looks")
                .within(0.1, 3600)
                .unit("s"),
            field(
                "command",
                &ScalingPoolSettings::command,
                "Program with arguments that starts workers; reads a ScalingRequest as JSON. What "
                "is to outlive it needs a session of its own (setsid, sbatch, systemd-run)"
            )
                .length(0, 100),
            field(
                "command_seconds",
                &ScalingPoolSettings::command_seconds,
                "Longest time of the command, or of the webhook's answer"
            )
                .within(1, 3600)
                .unit("s"),
            field(
                "webhook",
                &ScalingPoolSettings::webhook,
                "URL to which a ScalingRequest is posted; empty: none"
            )
                .length(0, 2048),
            field(
                "webhook_secret",
                &ScalingPoolSettings::webhook_secret,
                "Signs what is posted, after the Standard Webhooks specification: header "
                "webhook-signature, HMAC-SHA256 over id, timestamp and body"
            )
                .length(0, 1024)
                .secret(),
        };
    }
};

/// A worker of the pool that is there.
struct PoolWorker {
    std::string worker_id;
    std::string tenant_id;
    std::string name;
    std::int64_t jobs = 0;    ///< that it holds
    bool takes_jobs = false;  ///< approved, well and not draining
    bool draining = false;
};

struct PoolFacts {
    std::int64_t waiting_jobs = 0;  ///< ready ones that such workers could take now
    std::vector<PoolWorker> workers;
};

struct ScalingDecision {
    int wanted = 0;
    int workers = 0;  ///< that are there and not draining
    int idle = 0;
    int starting = 0;
    int start = 0;  ///< to be asked for now
    std::int64_t running_jobs = 0;
    std::vector<PoolWorker> drain;  ///< idle for long enough and not needed, longest idle first
};

/// Decides how many workers a pool needs. A worker that was asked for counts until it is there, or
/// until its time is up. Time is passed in and only ever rises. Not thread-safe.
class PoolScaler {
public:
    explicit PoolScaler(ScalingPoolSettings settings) : settings_(std::move(settings)) {}

    ScalingDecision decide(const PoolFacts& facts, SteadyTime now);
    /// So many were asked for, and whoever starts them agreed.
    void asked(int start, SteadyTime now);

    const ScalingPoolSettings& settings() const { return settings_; }

private:
    int note_arrivals(const PoolFacts& facts, SteadyTime now);

    ScalingPoolSettings settings_;
    std::vector<SteadyTime> starting_;  ///< until when each is waited for, oldest first
    std::set<std::string> known_;
    std::map<std::string, SteadyTime> idle_since_;
};

}  // namespace nexa::orchestration
