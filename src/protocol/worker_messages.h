// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "core/fields.h"
#include "core/json_text.h"
#include "protocol/engine.h"

namespace nexa::protocol {

// What a worker and the control plane say to each other, over HTTP. What has to stand as evidence
// travels as a DSSE envelope: its payload is one of these structs, its payload type one of the
// constants below.

inline constexpr std::string_view kRegisterPayloadType = "application/vnd.nexa.register+json";
inline constexpr std::string_view kJobSpecPayloadType = "application/vnd.nexa.job-spec+json";
inline constexpr std::string_view kJobResultPayloadType = "application/vnd.nexa.job-result+json";

/// Hardware as the worker claims it: it places jobs, it earns no trust.
struct HardwareProfile {
    static constexpr std::string_view kName = "HardwareProfile";
    std::string hostname;
    std::string cpu_model;
    int cpus = 1;
    std::int64_t memory_bytes = 0;
    std::int64_t disk_bytes = 0;
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

/// A DSSE envelope inside a JSON body.
struct EnvelopeSignature {
    static constexpr std::string_view kName = "EnvelopeSignature";
    std::string keyid;
    std::string sig;

    bool operator==(const EnvelopeSignature&) const = default;
    static constexpr auto fields() {
        return std::tuple{
            field("keyid", &EnvelopeSignature::keyid, "Which key signed"),
            field("sig", &EnvelopeSignature::sig, "Base64 of the signature").required(),
        };
    }
};

struct Envelope {
    static constexpr std::string_view kName = "Envelope";
    std::string payload;
    std::string payload_type;
    std::vector<EnvelopeSignature> signatures;

    bool operator==(const Envelope&) const = default;
    static constexpr auto fields() {
        return std::tuple{
            field("payload", &Envelope::payload, "Base64 of the signed bytes").required(),
            field("payloadType", &Envelope::payload_type, "What the bytes are").required(),
            field("signatures", &Envelope::signatures, "At least one").required(),
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

struct Heartbeat {
    static constexpr std::string_view kName = "Heartbeat";
    std::string worker_id;
    std::optional<bool> draining;

    static constexpr auto fields() {
        return std::tuple{
            field("worker_id", &Heartbeat::worker_id, "Who beats").required(),
            field("draining", &Heartbeat::draining, "True: takes no more jobs"),
        };
    }
};

struct HeartbeatReply {
    static constexpr std::string_view kName = "HeartbeatReply";
    std::string worker_id;
    std::string status;

    static constexpr auto fields() {
        return std::tuple{
            field("worker_id", &HeartbeatReply::worker_id, "Who beat").required(),
            field("status", &HeartbeatReply::status, "approved, pending, cordoned or revoked")
                .required(),
        };
    }
};

struct NextJobRequest {
    static constexpr std::string_view kName = "NextJobRequest";
    std::string worker_id;
    int slots = 1;
    double wait_seconds = 0;
    int gpus = 0;
    std::int64_t memory_bytes = 0;

    static constexpr auto fields() {
        return std::tuple{
            field("worker_id", &NextJobRequest::worker_id, "Who asks").required(),
            field("slots", &NextJobRequest::slots, "Jobs it can start now").within(1, 256),
            field(
                "wait_seconds",
                &NextJobRequest::wait_seconds,
                "Hold the answer until a job is there"
            )
                .within(0, 60)
                .unit("s"),
            field("gpus", &NextJobRequest::gpus, "Accelerators free now").within(0, 1024),
            field(
                "memory_bytes", &NextJobRequest::memory_bytes, "Memory free now; 0: as registered"
            )
                .within(0, 1LL << 50),
        };
    }
};

/// One file of a staged input, fetched by its hash.
struct InputFile {
    static constexpr std::string_view kName = "InputFile";
    std::string path;
    std::string digest;
    std::int64_t size = 0;

    bool operator==(const InputFile&) const = default;
    static constexpr auto fields() {
        return std::tuple{
            field("path", &InputFile::path, "Relative, with /").required(),
            field("digest", &InputFile::digest, "sha256:…").required(),
            field("size", &InputFile::size, "In bytes").required().unit("bytes"),
        };
    }
};

struct JobInput {
    static constexpr std::string_view kName = "JobInput";
    std::string name;
    std::string artifact_id;
    std::string kind;
    std::string root_digest;
    std::vector<InputFile> files;

    bool operator==(const JobInput&) const = default;
    static constexpr auto fields() {
        return std::tuple{
            field("name", &JobInput::name, "Folder under inputs/").required(),
            field("artifact_id", &JobInput::artifact_id, "Where it comes from").required(),
            field("kind", &JobInput::kind, "Kind of artifact").required(),
            field("root_digest", &JobInput::root_digest, "Digest over its files").required(),
            field("files", &JobInput::files, "What to stage").required(),
        };
    }
};

/// Payload of the job-spec envelope: all that a worker needs to run the job, signed by the
/// coordinator.
struct JobSpec {
    static constexpr std::string_view kName = "JobSpec";
    std::string job_id;
    std::string job_type;
    std::string worker_id;
    std::int64_t fence = 0;
    int attempt = 1;
    JsonText payload;
    std::vector<JobInput> inputs;
    std::string sandbox = "process";
    int gpus = 0;
    std::int64_t memory_bytes_max = 0;
    std::int64_t disk_bytes_max = 0;
    double wall_seconds_max = 0;

    bool operator==(const JobSpec&) const = default;
    static constexpr auto fields() {
        return std::tuple{
            field("job_id", &JobSpec::job_id, "The job").required(),
            field("job_type", &JobSpec::job_type, "Its type").required(),
            field("worker_id", &JobSpec::worker_id, "Whom it is leased to").required(),
            field("fence", &JobSpec::fence, "Rising number of the lease").required(),
            field("attempt", &JobSpec::attempt, "1 for the first"),
            field("payload", &JobSpec::payload, "The job type's spec").required(),
            field("inputs", &JobSpec::inputs, "What to stage"),
            field("sandbox", &JobSpec::sandbox, "Weakest kind that may run it"),
            field("gpus", &JobSpec::gpus, "Accelerators it holds"),
            field("memory_bytes_max", &JobSpec::memory_bytes_max, "Limit; 0: the worker's own")
                .unit("bytes"),
            field("disk_bytes_max", &JobSpec::disk_bytes_max, "Limit; 0: the worker's own")
                .unit("bytes"),
            field("wall_seconds_max", &JobSpec::wall_seconds_max, "Limit; 0: none").unit("s"),
        };
    }
};

struct LeasedJob {
    static constexpr std::string_view kName = "LeasedJob";
    std::string job_id;
    std::int64_t fence = 0;
    double lease_seconds = 0;
    Envelope spec;

    static constexpr auto fields() {
        return std::tuple{
            field("job_id", &LeasedJob::job_id, "The job").required(),
            field("fence", &LeasedJob::fence, "To carry in every later call").required(),
            field("lease_seconds", &LeasedJob::lease_seconds, "From the receipt of this answer")
                .required()
                .unit("s"),
            field("spec", &LeasedJob::spec, "Signed JobSpec").required(),
        };
    }
};

struct NextJobReply {
    static constexpr std::string_view kName = "NextJobReply";
    std::vector<LeasedJob> jobs;

    static constexpr auto fields() {
        return std::tuple{
            field("jobs", &NextJobReply::jobs, "Empty if there is nothing to do").required()
        };
    }
};

/// What happened in one job since the last report. Renews its lease.
struct JobReport {
    static constexpr std::string_view kName = "JobReport";
    std::string job_id;
    std::int64_t fence = 0;
    std::vector<EngineEvent> events;
    std::int64_t log_offset = 0;
    std::string log;

    static constexpr auto fields() {
        return std::tuple{
            field("job_id", &JobReport::job_id, "The job").required(),
            field("fence", &JobReport::fence, "Of its lease").required(),
            field("events", &JobReport::events, "New ones, in order"),
            field("log_offset", &JobReport::log_offset, "Where `log` begins in the job's log")
                .unit("bytes")
                .within(0, 1LL << 50),
            field("log", &JobReport::log, "New text of the log").length(0, 1 << 20),
        };
    }
};

struct ReportRequest {
    static constexpr std::string_view kName = "ReportRequest";
    std::string worker_id;
    std::vector<JobReport> jobs;

    static constexpr auto fields() {
        return std::tuple{
            field("worker_id", &ReportRequest::worker_id, "Who reports").required(),
            field("jobs", &ReportRequest::jobs, "Every job it holds").required(),
        };
    }
};

struct JobReportReply {
    static constexpr std::string_view kName = "JobReportReply";
    std::string job_id;
    std::string action;
    std::int64_t log_bytes = 0;

    static constexpr auto fields() {
        return std::tuple{
            field("job_id", &JobReportReply::job_id, "The job").required(),
            field("action", &JobReportReply::action, "go_on, cancel, or lost: stop at once")
                .required(),
            field(
                "log_bytes",
                &JobReportReply::log_bytes,
                "How much of the log is stored; send from there"
            )
                .unit("bytes"),
        };
    }
};

struct ReportReply {
    static constexpr std::string_view kName = "ReportReply";
    std::vector<JobReportReply> jobs;

    static constexpr auto fields() {
        return std::tuple{field("jobs", &ReportReply::jobs, "One per job, in order").required()};
    }
};

/// An artifact as a worker made it: its files are uploaded under their hashes before the result is
/// sent.
struct ResultArtifact {
    static constexpr std::string_view kName = "ResultArtifact";
    std::string artifact_id;
    std::string kind;
    std::string name;
    std::vector<InputFile> files;
    std::map<std::string, double> metrics;

    bool operator==(const ResultArtifact&) const = default;
    static constexpr auto fields() {
        return std::tuple{
            field("artifact_id", &ResultArtifact::artifact_id, "From artifact_id_of()").required(),
            field("kind", &ResultArtifact::kind, "dataset, distill, checkpoint, eval or deployment")
                .required(),
            field("name", &ResultArtifact::name, "For people"),
            field("files", &ResultArtifact::files, "Sorted by path").required(),
            field("metrics", &ResultArtifact::metrics, "Into the manifest"),
        };
    }
};

/// Payload of the job-result envelope, signed by the worker.
struct JobResult {
    static constexpr std::string_view kName = "JobResult";
    std::string job_id;
    std::string worker_id;
    std::int64_t fence = 0;
    std::string outcome;  ///< completed, failed, cancelled, returned
    std::optional<JsonText> result;
    std::optional<EngineError> error;
    std::vector<ResultArtifact> artifacts;
    Usage usage;
    std::string started_at;
    std::string finished_at;

    bool operator==(const JobResult&) const = default;
    static constexpr auto fields() {
        return std::tuple{
            field("job_id", &JobResult::job_id, "The job").required(),
            field("worker_id", &JobResult::worker_id, "Who ran it").required(),
            field("fence", &JobResult::fence, "Of the lease").required(),
            field("outcome", &JobResult::outcome, "How the attempt ended")
                .required()
                .one_of({"completed", "failed", "cancelled", "returned"}),
            field("result", &JobResult::result, "The job type's result"),
            field("error", &JobResult::error, "Why it failed"),
            field("artifacts", &JobResult::artifacts, "What it made"),
            field("usage", &JobResult::usage, "What it used"),
            field("started_at", &JobResult::started_at, "RFC 3339"),
            field("finished_at", &JobResult::finished_at, "RFC 3339"),
        };
    }
};

struct CompleteRequest {
    static constexpr std::string_view kName = "CompleteRequest";
    std::vector<Envelope> results;

    static constexpr auto fields() {
        return std::tuple{
            field(
                "results", &CompleteRequest::results, "Signed JobResults, each answered by itself"
            )
                .required()
        };
    }
};

struct CompleteOutcome {
    static constexpr std::string_view kName = "CompleteOutcome";
    std::string job_id;
    int status = 200;
    std::string code;
    std::string detail;

    static constexpr auto fields() {
        return std::tuple{
            field("job_id", &CompleteOutcome::job_id, "The job, if the envelope could be read"),
            field(
                "status",
                &CompleteOutcome::status,
                "As an HTTP status: 200 accepted, 409 the lease was lost"
            )
                .required(),
            field("code", &CompleteOutcome::code, "Error code; empty when accepted"),
            field("detail", &CompleteOutcome::detail, "For people"),
        };
    }
};

struct CompleteReply {
    static constexpr std::string_view kName = "CompleteReply";
    std::vector<CompleteOutcome> results;

    static constexpr auto fields() {
        return std::tuple{field("results", &CompleteReply::results, "In the order sent").required()
        };
    }
};

}  // namespace nexa::protocol
