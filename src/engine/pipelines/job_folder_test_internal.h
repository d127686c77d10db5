// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <gtest/gtest.h>

#include "core/cancel.h"
#include "core/file.h"
#include "core/json.h"
#include "engine/pipelines/run_job.h"
#include "protocol/engine.h"

namespace nexa::pipelines {

/// A job's folder in a test: inputs are put in, the engine is run, outputs are looked at.
class JobFolder {
public:
    /// DIR/inputs/`name`, to be filled.
    std::filesystem::path add_input(std::string_view name, std::string_view kind) {
        spec.inputs.push_back(
            {.name = std::string(name), .artifact_id = "in_1", .kind = std::string(kind)}
        );
        const auto folder = dir.path() / "inputs" / name;
        std::filesystem::create_directories(folder);
        return folder;
    }
    void add_file(const std::filesystem::path& path, std::string_view text) {
        ASSERT_TRUE(write_file_atomically(path, text));
    }
    /// Copies what another job made into inputs/`name`.
    void add_input_from(
        std::string_view name, std::string_view kind, const std::filesystem::path& folder
    ) {
        std::filesystem::copy(
            folder, add_input(name, kind), std::filesystem::copy_options::recursive
        );
    }
    Status run(std::string_view job_type, std::string_view payload) {
        spec.job_id = "job_1";
        spec.job_type = job_type;
        spec.payload = {std::string(payload)};
        spec.threads = 1;
        EXPECT_TRUE(write_file_atomically(dir.path() / "spec.json", to_json(spec)));
        return run_job({.dir = dir.path()}, {.clock = clock, .cancel = cancel.token()});
    }
    protocol::EngineResult result() const {
        return from_json<protocol::EngineResult>(
                   read_file(dir.path() / "result.json", 1 << 20).value()
        )
            .value();
    }
    template <class T>
    T result_as() const {
        return from_json<T>(result().result.value().text).value();
    }
    std::filesystem::path output(std::string_view name) const {
        return dir.path() / "outputs" / name;
    }
    std::string bytes_of(const std::filesystem::path& path) const {
        return read_file(path, std::uint64_t{1} << 30U).value();
    }

    SystemClock clock;
    CancelSource cancel;
    protocol::EngineSpec spec;
    TemporaryDirectory dir =
        TemporaryDirectory::create(std::filesystem::temp_directory_path()).value();
};

}  // namespace nexa::pipelines
