// SPDX-License-Identifier: Apache-2.0
#include "worker/attempt.h"

#include <chrono>
#include <utility>

#include "core/file.h"
#include "core/ids.h"
#include "core/json.h"
#include "fleet/envelope.h"

namespace nexa::worker {

namespace {

constexpr std::uint64_t kResultBytesMax = std::uint64_t{16} << 20U;

Error error_of(const sandbox::Outcome& outcome) {
    switch (outcome.ending) {
        case sandbox::Ending::kMemory:
        case sandbox::Ending::kCpuTime:
        case sandbox::Ending::kDisk:
        case sandbox::Ending::kProcesses:
            return Error::resource_exhausted("{}", outcome.explanation);
        case sandbox::Ending::kTime:
            return Error::deadline_exceeded("{}", outcome.explanation);
        case sandbox::Ending::kLost:
            return Error::unavailable("{}", outcome.explanation);
        case sandbox::Ending::kKilled:
            return Error::cancelled("{}", outcome.explanation);
        case sandbox::Ending::kExited:
        case sandbox::Ending::kSignaled:
            break;
    }
    return Error::internal("the engine ended without a result: {}", outcome.explanation)
        .hint("look at the end of the job's log");
}

}  // namespace

Result<protocol::JobSpec> open_spec(
    const protocol::LeasedJob& lease,
    const std::string& coordinator_key,
    const std::string& worker_id
) {
    TRY(const crypto::DsseEnvelope opened, fleet::from_message(lease.spec));
    TRY_STATUS(fleet::verify_signed_by(opened, protocol::kJobSpecPayloadType, coordinator_key));
    TRY(auto spec,
        from_json<protocol::JobSpec>(opened.payload, {.unknown_keys = UnknownKeys::kIgnore}));
    if (spec.worker_id != worker_id) {
        return Error::unauthenticated(
            "the spec of job {} is signed for worker {}", lease.job_id, spec.worker_id
        );
    }
    if (spec.job_id != lease.job_id || spec.fence != lease.fence) {
        return Error::unauthenticated(
            "the lease of job {} with fence {} carries the spec of job {} with fence {}",
            lease.job_id,
            lease.fence,
            spec.job_id,
            spec.fence
        );
    }
    TRY_STATUS(JobId::parse(spec.job_id));
    return spec;
}

Result<protocol::EngineResult> read_engine_result(const std::filesystem::path& folder) {
    TRY(const std::string text, read_file(folder / "result.json", kResultBytesMax));
    return from_json<protocol::EngineResult>(text, {.unknown_keys = UnknownKeys::kIgnore});
}

protocol::EngineError to_engine_error(const Error& error) {
    return {
        .code = std::string(to_string(error.code)),
        .message = error.message,
        .param = error.param,
        .hint = error.advice,
    };
}

protocol::EngineResult judge(
    Result<protocol::EngineResult> result, const sandbox::Outcome& outcome
) {
    protocol::EngineResult verdict = result ? *std::move(result) : protocol::EngineResult{};
    const bool ended_itself = outcome.ending == sandbox::Ending::kExited;
    if (!ended_itself || !(verdict.error || (verdict.result && outcome.success()))) {
        verdict.error = to_engine_error(error_of(outcome));
    } else if (verdict.error && !error_code_from(verdict.error->code)) {
        verdict.error->code = to_string(ErrorCode::kInternal);
    }
    if (verdict.error) {
        verdict.result.reset();
        verdict.outputs.clear();
    }
    verdict.usage.cpu_seconds = std::chrono::duration<double>(outcome.usage.cpu).count();
    verdict.usage.gpu_seconds = 0;
    return verdict;
}

}  // namespace nexa::worker
