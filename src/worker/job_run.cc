// SPDX-License-Identifier: Apache-2.0
#include "worker/job_run.h"

#include <algorithm>
#include <utility>

#include "core/file.h"
#include "core/json.h"
#include "core/log.h"
#include "worker/attempt.h"
#include "worker/engine_run.h"

namespace nexa::worker {

namespace {

namespace fs = std::filesystem;

/// For the last lines of a log; a longer one loses its end rather than delay the result.
constexpr std::chrono::seconds kFlushTimeMax{15};

template <class T, class U>
void tighten(std::optional<T>& limit, U asked) {
    if (asked > U{}) {
        limit = std::min(limit.value_or(static_cast<T>(asked)), static_cast<T>(asked));
    }
}

Status write_spec(const protocol::JobSpec& spec, const fs::path& folder, int threads) {
    protocol::EngineSpec engine{
        .job_id = spec.job_id,
        .job_type = spec.job_type,
        .payload = spec.payload,
        .threads = threads,
    };
    for (const protocol::JobInput& input : spec.inputs) {
        engine.inputs.push_back({
            .name = input.name,
            .artifact_id = input.artifact_id,
            .kind = input.kind,
            .root_digest = input.root_digest,
        });
    }
    TRY_STATUS(make_folders(folder / "tmp"));
    return write_file_atomically(folder / "spec.json", to_json(engine));
}

/// What is the worker's own trouble must not end the job for good.
Error as_weather(const Error& error) {
    return {
        ErrorCode::kUnavailable, fmt::format("the engine could not be started: {}", error.message)
    };
}

}  // namespace

sandbox::Limits limits_for(const sandbox::Limits& own, const protocol::JobSpec& spec) {
    sandbox::Limits limits = own;
    tighten(limits.memory_bytes, spec.memory_bytes_max);
    tighten(limits.disk_bytes, spec.disk_bytes_max);
    const auto wall = std::chrono::duration<double>(std::min(spec.wall_seconds_max, 1e9));
    tighten(limits.wall_time, std::chrono::duration_cast<std::chrono::milliseconds>(wall));
    return limits;
}

net::Task<void> JobRun::run() {
    CO_TRY(folder_, settings_.paths.worker_job(job_->id().text()));
    const Result<protocol::JobResult> result = co_await attempt();
    if (result && !job_->is_lost()) {
        CO_TRY_STATUS(co_await flush_reports());
        const Status sent = co_await send(*result);
        if (!sent) {
            get_logger("worker").warning(
                "result not answered",
                {{"job_id", lease_.job_id}, {"error", sent.error().to_string()}}
            );
        }
    }
    const Status removed =
        co_await net::run_on(with_.disk, [folder = folder_] { return remove_tree(folder); });
    if (!removed) {
        get_logger("worker").warning("job folder stays", {{"error", removed.error().to_string()}});
    }
    co_return result ? ok() : result.error();
}

net::Task<protocol::JobResult> JobRun::attempt() {
    const std::string started_at = to_rfc3339(with_.clock.now());
    Result<protocol::JobSpec> spec =
        open_spec(lease_, with_.identity.coordinator_key(), with_.identity.worker_id());
    Result<protocol::EngineResult> ended = spec ? Result<protocol::EngineResult>() : spec.error();
    protocol::EngineResult engine;
    UploadedOutputs outputs;
    if (spec) {
        ended = co_await execute(*std::move(spec));
    }
    if (ended) {
        engine = *std::move(ended);
    } else {
        engine.error = to_engine_error(ended.error());
    }
    if (!engine.error) {
        auto uploaded = co_await with_.uploader.upload(
            std::move(engine.outputs), work_folder() / "outputs", job_->token()
        );
        if (uploaded) {
            outputs = *std::move(uploaded);
        } else {
            engine.error = to_engine_error(uploaded.error());
        }
    }
    engine.usage.stored_bytes = outputs.bytes;
    protocol::JobResult result{
        .job_id = job_->id().job_id,
        .worker_id = with_.identity.worker_id(),
        .fence = job_->id().fence,
        .outcome = "completed",
        .artifacts = std::move(outputs.artifacts),
        .usage = engine.usage,
        .started_at = started_at,
        .finished_at = to_rfc3339(with_.clock.now()),
    };
    if (!engine.error) {
        result.result = std::move(engine.result);
        co_return result;
    }
    // Whatever failed after a stop, failed because of it.
    const StopReason stopped = job_->stop_reason();
    result.outcome = stopped == StopReason::kDrained     ? "returned"
                     : stopped == StopReason::kCancelled ? "cancelled"
                                                         : "failed";
    if (stopped == StopReason::kNone) {
        result.error = std::move(engine.error);
    }
    co_return result;
}

net::Task<protocol::EngineResult> JobRun::execute(protocol::JobSpec spec) {
    const auto wanted = sandbox::kind_from(spec.sandbox);
    if (!wanted || *wanted > with_.sandbox.kind()) {
        co_return Error::unavailable("this worker has no sandbox '{}'", spec.sandbox).at("sandbox");
    }
    CO_TRY_STATUS(co_await prepare(spec));
    CO_TRY(
        std::unique_ptr<LlmSocket> llm, co_await with_.llm.offer(spec, work_folder(), job_->token())
    );
    std::chrono::steady_clock::duration engine_time{};
    auto run = [this, &spec, &engine_time] {
        const auto began = with_.clock.steady_now();
        auto ended = run_engine_blocking(spec);
        engine_time = with_.clock.steady_now() - began;
        return ended;
    };
    const Result<sandbox::Outcome> outcome = co_await net::run_on(with_.engines, std::move(run));
    const protocol::Usage asked = llm ? measured(*llm) : protocol::Usage{};
    llm.reset();
    job_->engine_ended();
    if (!outcome) {
        co_return as_weather(outcome.error());
    }
    auto read = [folder = work_folder()] { return read_engine_result(folder); };
    Result<protocol::EngineResult> result = co_await net::run_on(with_.disk, std::move(read));
    if (!result) {
        get_logger("worker").info(
            "no result of the engine",
            {{"job_id", spec.job_id},
             {"ended", outcome->explanation},
             {"error", result.error().to_string()}}
        );
    }
    protocol::EngineResult verdict = judge(std::move(result), *outcome);
    verdict.usage.gpu_seconds = spec.gpus * std::chrono::duration<double>(engine_time).count();
    verdict.usage.input_tokens += asked.input_tokens;
    verdict.usage.output_tokens += asked.output_tokens;
    co_return verdict;
}

/// What the engine itself says of a teacher's tokens would be hearsay.
protocol::Usage JobRun::measured(const LlmSocket& llm) {
    const LlmUsage usage = llm.usage();
    job_->add_event({
        .type = "metric",
        .phase = "teacher",
        .metrics =
            {
                {"requests", static_cast<double>(usage.requests)},
                {"from_cache", static_cast<double>(usage.from_cache)},
                {"failed", static_cast<double>(usage.failed)},
                {"input_tokens", static_cast<double>(usage.prompt_tokens)},
                {"output_tokens", static_cast<double>(usage.completion_tokens)},
                {"cost_usd", to_usd(usage.cost)},
            },
    });
    return {.input_tokens = usage.prompt_tokens, .output_tokens = usage.completion_tokens};
}

net::Task<void> JobRun::prepare(protocol::JobSpec spec) {
    // A folder of that name can only be what a crash has left.
    CO_TRY_STATUS(co_await net::run_on(with_.disk, [folder = folder_] {
        return remove_tree(folder);
    }));
    CO_TRY_STATUS(co_await with_.stager.stage(spec.inputs, inputs_folder(), job_->token()));
    auto write = [&spec, folder = work_folder(), threads = settings_.threads] {
        return write_spec(spec, folder, threads);
    };
    CO_TRY_STATUS(co_await net::run_on(with_.disk, std::move(write)));
    co_return ok();
}

Result<sandbox::Outcome> JobRun::run_engine_blocking(const protocol::JobSpec& spec) {
    const fs::path folder = work_folder();
    EngineJob engine{
        .engine = settings_.engine,
        .folder = folder,
        .log = folder / "engine.log",
        .environment =
            {
                {"HOME", folder.native()},
                {"LANG", "C.UTF-8"},
                {"PATH", "/usr/local/bin:/usr/bin:/bin"},
                {"TMPDIR", (folder / "tmp").native()},
            },
        .limits = limits_for(settings_.limits, spec),
    };
    for (const protocol::JobInput& input : spec.inputs) {
        engine.inputs.push_back({.source = inputs_folder() / input.name, .name = input.name});
    }
    job_->log_is_at(engine.log);
    const EngineWatcher watcher{
        .on_event = [this](protocol::EngineEvent event) { job_->add_event(std::move(event)); },
        .on_tick =
            [this](std::int64_t log_bytes) {
                job_->log_has(log_bytes);
                // Here too, so that the fence falls even while the reporter waits for an answer.
                job_->fence_if_over(with_.clock.steady_now());
            },
        .stop_fd = job_->stop_fd(),
        // Only the user's own cancel can wait: in every other case somebody else may have the job.
        .grace =
            [this] {
                return job_->stop_reason() == StopReason::kCancelled ? settings_.cancel_grace
                                                                     : std::chrono::milliseconds(0);
            },
    };
    return run_engine(with_.sandbox, engine, watcher);
}

net::Task<void> JobRun::flush_reports() {
    net::Signal::Subscription changes = with_.signal.subscribe(job_->id().text());
    const SteadyTime until = with_.clock.steady_now() + kFlushTimeMax;
    while (job_->has_news() && !job_->is_lost()) {
        const SteadyTime now = with_.clock.steady_now();
        if (now >= until) {
            break;
        }
        CO_TRY_STATUS(co_await changes.wait(until - now));
    }
    co_return ok();
}

net::Task<void> JobRun::send(protocol::JobResult result) {
    CO_TRY(
        protocol::CompleteOutcome outcome,
        co_await with_.sender.deliver(job_, with_.identity.sign(result))
    );
    if (verdict_of(outcome) == Verdict::kRefused && result.outcome == "completed") {
        // Else the lease would only run out, and the job fail the same way on the next worker.
        const auto code = error_code_from(outcome.code).value_or(ErrorCode::kInternal);
        result.error = to_engine_error(
            Error(code, fmt::format("the server refused the result: {}", outcome.detail))
        );
        result.outcome = "failed";
        result.result.reset();
        result.artifacts.clear();
        CO_TRY(outcome, co_await with_.sender.deliver(job_, with_.identity.sign(result)));
    }
    get_logger("worker").info(
        "job ended",
        {{"job_id", result.job_id},
         {"fence", result.fence},
         {"outcome", result.outcome},
         {"status", outcome.status},
         {"error", result.error ? std::string_view(result.error->message) : std::string_view()}}
    );
    co_return ok();
}

}  // namespace nexa::worker
