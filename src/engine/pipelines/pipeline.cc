// SPDX-License-Identifier: Apache-2.0
#include "engine/pipelines/pipeline.h"

#include <algorithm>
#include <thread>

#include "core/file.h"
#include "protocol/job_types.h"

namespace nexa::pipelines {

std::optional<std::filesystem::path> Job::input(std::string_view name) const {
    const auto listed = std::ranges::find(spec.inputs, name, &protocol::EngineInput::name);
    return listed == spec.inputs.end() ? std::nullopt
                                       : std::optional(dir / "inputs" / listed->name);
}

Result<std::filesystem::path> Job::needed_input(std::string_view name, std::string_view field)
    const {
    auto folder = input(name);
    if (!folder) {
        return Error::invalid_argument("a job of type {} needs a {}", spec.job_type, name)
            .at(std::string(field));
    }
    return *std::move(folder);
}

Result<std::filesystem::path> Job::make_output(std::string_view name) const {
    std::filesystem::path folder = dir / "outputs" / name;
    TRY_STATUS(make_folders(folder));
    return folder;
}

Result<std::filesystem::path> Job::make_work(std::string_view name) const {
    std::filesystem::path folder = dir / "work" / name;
    TRY_STATUS(make_folders(folder));
    return folder;
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
