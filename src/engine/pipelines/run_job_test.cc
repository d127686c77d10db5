// SPDX-License-Identifier: Apache-2.0
#include "engine/pipelines/run_job.h"

#include <algorithm>
#include <csignal>
#include <set>
#include <vector>

#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "core/file.h"
#include "core/json.h"
#include "engine/pipelines/event_sink.h"
#include "engine/pipelines/pipeline.h"
#include "fakes/proves.h"
#include "models/presets.h"
#include "protocol/job_types.h"
#include "protocol/train_spec.h"

namespace nexa::pipelines {
namespace {

class RunJobTest : public ::testing::Test {
protected:
    void write_spec(const protocol::EngineSpec& spec) {
        ASSERT_TRUE(write_file_atomically(dir.path() / "spec.json", to_json(spec)));
    }
    protocol::EngineSpec echo(std::string_view payload) {
        return {.job_id = "job_1", .job_type = "echo", .payload = {std::string(payload)}};
    }
    Status run(int event_fd = -1) {
        return run_job(
            {.dir = dir.path(), .event_fd = event_fd}, {.clock = clock, .cancel = cancel.token()}
        );
    }
    protocol::EngineResult result() {
        return from_json<protocol::EngineResult>(*read_file(dir.path() / "result.json", 1 << 20))
            .value();
    }

    SystemClock clock;
    CancelSource cancel;
    TemporaryDirectory dir =
        TemporaryDirectory::create(std::filesystem::temp_directory_path()).value();
};

TEST_F(RunJobTest, LeavesTheResultAndTheOutputsInItsFolder) {
    NEXA_PROVES("A-74");
    write_spec(echo(R"({"message":"hello","output_bytes":100000})"));
    const Status ended = run();
    ASSERT_TRUE(ended) << ended.error().to_string();
    const protocol::EngineResult written = result();
    EXPECT_EQ(written.result->text, R"({"message":"hello"})");
    ASSERT_EQ(written.outputs.size(), 1U);
    EXPECT_EQ(written.outputs[0].artifact_id, "ds_1");
    EXPECT_EQ(std::filesystem::file_size(dir.path() / "outputs/dataset/payload.bin"), 100000U);
    EXPECT_GT(written.usage.cpu_seconds, 0);
}

TEST_F(RunJobTest, AFailureIsWrittenDownWithItsCode) {
    write_spec(echo(R"({"message":"x","fail_with":"unavailable"})"));
    EXPECT_EQ(run().error().code, ErrorCode::kUnavailable);
    ASSERT_TRUE(result().error);
    EXPECT_EQ(result().error->code, "unavailable");
    EXPECT_FALSE(result().result);
}

TEST_F(RunJobTest, ASpecOfAnotherVersionIsRefused) {
    NEXA_PROVES("A-81");
    auto spec = echo(R"({"message":"x"})");
    spec.schema_version = protocol::kEngineSpecVersion + 1;
    write_spec(spec);
    EXPECT_EQ(run().error().param, "schema_version");
    EXPECT_EQ(result().error->param, "schema_version");
    EXPECT_NE(result().error->hint.find("release"), std::string::npos);
}

TEST_F(RunJobTest, AMissingOrBrokenSpecIsAnErrorNotACrash) {
    EXPECT_EQ(run().error().code, ErrorCode::kNotFound);
    ASSERT_TRUE(write_file_atomically(dir.path() / "spec.json", "{\"job_id\": "));
    EXPECT_EQ(run().error().code, ErrorCode::kMalformed);
    auto spec = echo("{}");
    spec.job_type = "nonsense";
    write_spec(spec);
    EXPECT_EQ(run().error().code, ErrorCode::kNotFound);
}

TEST_F(RunJobTest, ACancelledJobStops) {
    write_spec(echo(R"({"message":"x","seconds":3600})"));
    cancel.cancel();
    EXPECT_EQ(run().error().code, ErrorCode::kCancelled);
    EXPECT_EQ(result().error->code, "cancelled");
}

TEST_F(RunJobTest, SaysWhatItDoesAsJsonLines) {
    write_spec(echo(R"({"message":"x","events":3})"));
    Pipe pipe = make_pipe().value();
    ASSERT_TRUE(run(pipe.write_end.get()));
    pipe.write_end.reset();
    std::string text(1 << 16, '\0');
    text.resize(static_cast<std::size_t>(::read(pipe.read_end.get(), text.data(), text.size())));
    const std::string first = text.substr(0, text.find('\n'));
    const auto event = from_json<protocol::EngineEvent>(first);
    ASSERT_TRUE(event) << first;
    EXPECT_EQ(event->type, "progress");
    EXPECT_EQ(event->done, 1);
    EXPECT_EQ(event->total, 3);
}

TEST_F(RunJobTest, ComputesWithTheThreadsThatTheSpecAllows) {
    auto spec = echo(R"({"message":"x"})");
    for (const int threads : {2, 1}) {
        spec.threads = threads;
        write_spec(spec);
        ASSERT_TRUE(run());
        EXPECT_EQ(at::get_num_threads(), threads);
    }
}

TEST(Runners, AreTheJobTypesAndNoOthers) {
    std::set<std::string_view> known;
    for (const protocol::JobTypeRow& type : protocol::job_types()) {
        known.insert(type.name);
    }
    for (const RunnerRow& row : runners()) {
        EXPECT_TRUE(known.contains(row.job_type)) << row.job_type;
    }
}

TEST(Presets, AreTheNamesThatASpecTakes) {
    std::vector<std::string_view> names;
    for (const models::Preset& preset : models::presets()) {
        names.push_back(preset.name);
    }
    EXPECT_TRUE(std::ranges::equal(names, protocol::kModelPresets));
}

}  // namespace
}  // namespace nexa::pipelines
