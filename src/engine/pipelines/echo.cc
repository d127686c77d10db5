// SPDX-License-Identifier: Apache-2.0
#include "engine/pipelines/echo.h"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <string>
#include <utility>

#include "core/file.h"
#include "core/json.h"
#include "protocol/echo_spec.h"
#include "protocol/job_results.h"

namespace nexa::pipelines {

namespace {

constexpr std::int64_t kBlockBytes = 1 << 16;

Status write_payload(const std::filesystem::path& path, std::int64_t bytes) {
    std::ofstream file(path, std::ios::binary);
    const std::string block(kBlockBytes, 'e');
    for (std::int64_t left = bytes; left > 0; left -= kBlockBytes) {
        file.write(block.data(), std::min(left, kBlockBytes));
    }
    file.close();
    if (!file) {
        return Error::unavailable("cannot write {} bytes to {}", bytes, path.string());
    }
    return {};
}

/// Spreads the events over the time the job is to take.
Status act(Job& job, const protocol::EchoSpec& spec) {
    const int events = std::max(spec.events, 1);
    const std::chrono::duration<double> pause(spec.seconds / events);
    for (int done = 1; done <= events; ++done) {
        if (job.cancel.wait_until(
                job.clock.steady_now() + std::chrono::duration_cast<std::chrono::nanoseconds>(pause)
            )) {
            return Error::cancelled("cancelled after {} of {} events", done - 1, events);
        }
        job.events.progress({.phase = "echo", .done = done, .total = events, .unit = "events"});
    }
    return {};
}

}  // namespace

Result<protocol::EngineResult> run_echo(Job& job) {
    TRY(const auto spec, from_json<protocol::EchoSpec>(job.spec.payload.text));
    TRY_STATUS(act(job, spec));
    if (!spec.fail_with.empty()) {
        const auto code = error_code_from(spec.fail_with);
        if (!code) {
            return Error::invalid_argument("there is no error code '{}'", spec.fail_with)
                .at("fail_with");
        }
        return Error(*code, "failed because the spec asks for it");
    }
    protocol::EngineResult ended;
    ended.result = JsonText{to_json(protocol::EchoResult{.message = spec.message})};
    if (spec.output_bytes > 0) {
        TRY(const auto folder, job.make_output("dataset"));
        TRY_STATUS(write_payload(folder / "payload.bin", spec.output_bytes));
        ended.outputs.push_back({
            .artifact_id = job.artifact_id("dataset"),
            .kind = "dataset",
            .path = "dataset",
            .name = "echo",
        });
    }
    return ended;
}

}  // namespace nexa::pipelines
