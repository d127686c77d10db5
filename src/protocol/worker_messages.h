// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "core/fields.h"

namespace nexa::protocol {

// How a worker joins a control plane and stays known to it, over HTTP. What has to stand as
// evidence travels as a DSSE envelope whose payload is one of these structs.

inline constexpr std::string_view kRegisterPayloadType = "application/vnd.nexa.register+json";

/// Hardware as the worker claims it: it places jobs, it earns no trust.
struct HardwareProfile {
    static constexpr std::string_view kName = "HardwareProfile";
    std::string hostname;
    std::string cpu_model;
    int cpus = 1;
    std::int64_t memory_bytes = 0;
    std::int64_t disk_bytes = 0;
    int slots = 1;
    int gpus = 0;
    std::string gpu_model;
    std::int64_t gpu_memory_bytes = 0;
    std::vector<std::string> sandboxes;
    std::map<std::string, std::string> labels;

    bool operator==(const HardwareProfile&) const = default;
    static constexpr auto fields() {
        return std::tuple{
            field("hostname", &HardwareProfile::hostname, "Of the machine").length(0, 255),
            field("cpu_model", &HardwareProfile::cpu_model, "As the processor names itself")
                .length(0, 255),
            field("cpus", &HardwareProfile::cpus, "Logical processors").within(1, 65536),
            field("memory_bytes", &HardwareProfile::memory_bytes, "Main memory")
                .unit("bytes")
                .within(0, 1LL << 50),
            field("disk_bytes", &HardwareProfile::disk_bytes, "Free for jobs")
                .unit("bytes")
                .within(0, 1LL << 60),
            field(
                "slots", &HardwareProfile::slots, "Jobs at the same time, which share all the rest"
            )
                .within(1, 65536),
            field("gpus", &HardwareProfile::gpus, "Accelerators").within(0, 1024),
            field("gpu_model", &HardwareProfile::gpu_model, "Of the accelerators").length(0, 255),
            field("gpu_memory_bytes", &HardwareProfile::gpu_memory_bytes, "Of each")
                .unit("bytes")
                .within(0, 1LL << 50),
            field("sandboxes", &HardwareProfile::sandboxes, "Kinds that passed their probe"),
            field("labels", &HardwareProfile::labels, "Set by the operator"),
        };
    }
};

/// Payload of the register envelope, signed with the key it names: proof that the worker holds it.
struct WorkerRegistration {
    static constexpr std::string_view kName = "WorkerRegistration";
    std::string public_key;
    std::optional<std::string> worker_id;
    std::string name;
    std::string pool = "default";
    HardwareProfile profile;
    std::string created_at;

    bool operator==(const WorkerRegistration&) const = default;
    static constexpr auto fields() {
        return std::tuple{
            field("public_key", &WorkerRegistration::public_key, "Ed25519, 32 bytes in base64")
                .required()
                .length(44, 44),
            field(
                "worker_id", &WorkerRegistration::worker_id, "The id it wants; default: one is made"
            )
                .length(1, 64),
            field("name", &WorkerRegistration::name, "For people").length(0, 128),
            field("pool", &WorkerRegistration::pool, "Jobs of which pool it takes").length(1, 64),
            field("profile", &WorkerRegistration::profile, "Its hardware"),
            field("created_at", &WorkerRegistration::created_at, "When it was signed, RFC 3339")
                .required(),
        };
    }
};

struct RegisterReply {
    static constexpr std::string_view kName = "RegisterReply";
    std::string worker_id;
    std::string status;
    std::string coordinator_key;
    std::int64_t lease_seconds = 60;

    static constexpr auto fields() {
        return std::tuple{
            field("worker_id", &RegisterReply::worker_id, "To name in every call").required(),
            field(
                "status", &RegisterReply::status, "approved, or pending until an operator approves"
            )
                .required(),
            field(
                "coordinator_key",
                &RegisterReply::coordinator_key,
                "Ed25519 key that signs job specs, base64"
            )
                .required(),
            field("lease_seconds", &RegisterReply::lease_seconds, "Renew at a third of it")
                .unit("s"),
        };
    }
};

/// Something that keeps a worker from doing jobs well.
struct HealthProblem {
    static constexpr std::string_view kName = "HealthProblem";
    std::string kind;
    std::string detail;

    bool operator==(const HealthProblem&) const = default;
    static constexpr auto fields() {
        return std::tuple{
            field("kind", &HealthProblem::kind, "disk, gpu, clock or sandbox")
                .required()
                .length(1, 64),
            field("detail", &HealthProblem::detail, "What is wrong, in one sentence")
                .required()
                .length(1, 1024),
        };
    }
};

struct Heartbeat {
    static constexpr std::string_view kName = "Heartbeat";
    std::string worker_id;
    std::optional<bool> draining;
    std::optional<std::vector<HealthProblem>> problems;

    static constexpr auto fields() {
        return std::tuple{
            field("worker_id", &Heartbeat::worker_id, "Who beats").required(),
            field("draining", &Heartbeat::draining, "True: takes no more jobs"),
            field(
                "problems",
                &Heartbeat::problems,
                "All that is wrong with it; while there is anything it gets no job. Left out: as "
                "before"
            )
                .length(0, 16),
        };
    }
};

struct HeartbeatReply {
    static constexpr std::string_view kName = "HeartbeatReply";
    std::string worker_id;
    std::string status;
    std::string server_time;

    static constexpr auto fields() {
        return std::tuple{
            field("worker_id", &HeartbeatReply::worker_id, "Who beat").required(),
            field("status", &HeartbeatReply::status, "approved, pending, cordoned or revoked")
                .required(),
            field(
                "server_time",
                &HeartbeatReply::server_time,
                "The server's clock, RFC 3339: what the worker measures its own by"
            ),
        };
    }
};

}  // namespace nexa::protocol
