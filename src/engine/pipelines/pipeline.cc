// SPDX-License-Identifier: Apache-2.0
#include "engine/pipelines/pipeline.h"

#include <algorithm>
#include <system_error>
#include <thread>

#include "protocol/job_types.h"

namespace nexa::pipelines {

namespace {

Result<std::filesystem::path> make_folder(std::filesystem::path folder) {
    std::error_code failed;
    std::filesystem::create_directories(folder, failed);
    if (failed) {
        return Error::unavailable("cannot make {}: {}", folder.string(), failed.message());
    }
    return folder;
}

}  // namespace

std::optional<std::filesystem::path> Job::input(std::string_view name) const {
    const auto listed = std::ranges::find(spec.inputs, name, &protocol::EngineInput::name);
    return listed == spec.inputs.end() ? std::nullopt
                                       : std::optional(dir / "inputs" / listed->name);
}

Result<std::filesystem::path> Job::make_output(std::string_view name) const {
    return make_folder(dir / "outputs" / name);
}

Result<std::filesystem::path> Job::make_work(std::string_view name) const {
    return make_folder(dir / "work" / name);
}

std::string Job::artifact_id(std::string_view kind) const {
    return protocol::artifact_id_of(spec.job_id, kind);
}

int Job::threads() const {
    return spec.threads > 0 ? spec.threads
                            : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

Result<Runner> find_runner(std::string_view job_type) {
    const auto row = std::ranges::find(runners(), job_type, &RunnerRow::job_type);
    if (row == runners().end()) {
        return Error::not_found("this engine has no runner for job type '{}'", job_type)
            .at("job_type");
    }
    return row->run;
}

}  // namespace nexa::pipelines
