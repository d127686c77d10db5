// SPDX-License-Identifier: Apache-2.0
#include "engine/pipelines/run_job.h"

#include <utility>

#include <ATen/Parallel.h>
#include <fmt/format.h>

#include "core/file.h"
#include "core/guard.h"
#include "core/json.h"
#include "engine/pipelines/cpu_time.h"
#include "engine/pipelines/event_sink.h"
#include "engine/pipelines/pipeline.h"
#include "engine/pipelines/run_log.h"

namespace nexa::pipelines {

namespace {

constexpr std::uint64_t kSpecBytesMax = std::uint64_t{64} << 20U;

Result<protocol::EngineSpec> read_spec(const std::filesystem::path& dir) {
    TRY(const std::string text, read_file(dir / "spec.json", kSpecBytesMax));
    auto spec = from_json<protocol::EngineSpec>(text);
    if (!spec) {
        return std::move(spec).error().while_doing("read spec.json");
    }
    if (spec->schema_version != protocol::kEngineSpecVersion) {
        return Error::invalid_argument(
                   "spec.json has version {}, this engine reads version {}",
                   spec->schema_version,
                   protocol::kEngineSpecVersion
        )
            .at("schema_version")
            .hint("run it with the engine of the same release as the server");
    }
    return spec;
}

void tell_beginning(RunLog& log, const protocol::EngineSpec& spec, const RunCode& code) {
    log.line(fmt::format(
        "nexa-engine {} ({}{}) runs {}, {} {}",
        code.version,
        code.git_commit,
        code.git_dirty ? ", changed" : "",
        spec.job_id,
        spec.job_type,
        spec.payload.text
    ));
    for (const protocol::EngineInput& input : spec.inputs) {
        log.line(fmt::format("input {}: {} {}", input.name, input.artifact_id, input.root_digest));
    }
}

Result<protocol::EngineResult> run(const RunOptions& options, const RunCollaborators& with) {
    TRY(protocol::EngineSpec spec, read_spec(options.dir));
    TRY(const Runner runner, find_runner(spec.job_type));
    RunLog log(options.log_fd, with.clock);
    tell_beginning(log, spec, with.code);
    EventSink events(options.event_fd, with.clock, &log);
    Job job{
        .spec = std::move(spec),
        .dir = options.dir,
        .events = events,
        .cancel = with.cancel,
        .clock = with.clock,
        .code = with.code,
    };
    auto ended = guard([&] {
        at::set_num_threads(job.threads());
        return runner(job);
    });
    if (ended) {
        log.line(fmt::format("completed with {} outputs", ended->outputs.size()));
    }
    return ended;
}

protocol::EngineError describe(const Error& error) {
    return {
        .code = std::string(to_string(error.code)),
        .message = error.message,
        .param = error.param,
        .hint = error.advice,
    };
}

}  // namespace

Status run_job(const RunOptions& options, const RunCollaborators& with) {
    Result<protocol::EngineResult> ended = run(options, with);
    protocol::EngineResult written =
        ended ? *ended : protocol::EngineResult{.error = describe(ended.error())};
    written.usage.cpu_seconds = cpu_seconds();
    TRY_STATUS(write_file_atomically(options.dir / "result.json", to_json(written)));
    return ended ? Status() : Status(std::move(ended).error());
}

}  // namespace nexa::pipelines
