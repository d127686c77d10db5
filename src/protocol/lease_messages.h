// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "core/fields.h"
#include "core/json_text.h"
#include "protocol/artifact_files.h"
#include "protocol/engine.h"
#include "protocol/envelope.h"

namespace nexa::protocol {

// How a worker takes jobs and keeps them while it runs them.

inline constexpr std::string_view kJobSpecPayloadType = "application/vnd.nexa.job-spec+json";

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
    bool drain = false;

    static constexpr auto fields() {
        return std::tuple{
            field("jobs", &NextJobReply::jobs, "Empty if there is nothing to do").required(),
            field(
                "drain",
                &NextJobReply::drain,
                "True: ask for no more, and end when the jobs you hold have ended"
            ),
        };
    }
};

/// What happened in one job since the last report. Renews its lease.
struct JobReport {
    static constexpr std::string_view kName = "JobReport";
    std::string job_id;
    std::int64_t fence = 0;
    std::vector<EngineEvent> events;
    std::int64_t first_event = 0;
    std::int64_t log_offset = 0;
    std::string log;

    static constexpr auto fields() {
        return std::tuple{
            field("job_id", &JobReport::job_id, "The job").required(),
            field("fence", &JobReport::fence, "Of its lease").required(),
            field("events", &JobReport::events, "New ones, in order"),
            field(
                "first_event",
                &JobReport::first_event,
                "Number of the first of them, from 1 in each lease, so that what is sent twice "
                "counts once; 0: not numbered"
            )
                .within(0, 1LL << 50),
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

}  // namespace nexa::protocol
