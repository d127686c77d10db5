// SPDX-License-Identifier: Apache-2.0
#include "worker/agent.h"

#include <gtest/gtest.h>

#include <thread>

#include "core/json.h"
#include "fakes/seeded_random.h"
#include "fakes/temp_folder.h"
#include "fleet/envelope.h"
#include "fleet/registration.h"
#include "worker/control_plane_test_internal.h"
#include "worker/eviction.h"
#include "worker/teacher_test_internal.h"

namespace nexa::worker {
namespace {

using namespace std::chrono_literals;
using protocol::JobResult;

constexpr std::string_view kGoodEngine = R"(
echo "log of $2"
echo '{"type":"progress","phase":"work","done":1,"total":2}' >&3
mkdir -p "$2/outputs/made/sub"
cat "$2/inputs/dataset/a/data.txt" > "$2/outputs/made/sub/copy.txt" || exit 9
cp "$2/spec.json" "$2/outputs/made/spec.json"
echo '{"result":{"rows":3},"outputs":[{"artifact_id":"ds_1","kind":"dataset","path":"made","name":"n"}],
       "usage":{"input_tokens":5,"cpu_seconds":99}}' > "$2/result.json"
)";

class AgentTest : public testing::Test {
protected:
    ~AgentTest() override { end(); }

    void start(std::string_view engine) {
        const auto script = folder.path() / "engine.sh";
        ASSERT_TRUE(write_file_atomically(script, fmt::format("#!/bin/sh\n{}\n", engine), 0755));
        settings.engine = script;
        settings.server_url = server.url();
        sandbox = std::move(*sandbox::make_sandbox(sandbox::Kind::kProcess));
        llm = std::move(*LlmService::open(
            llm_settings,
            settings.paths.worker_answers(),
            {.clock = clock, .random = random, .io = io, .disk = disk, .secrets = secrets}
        ));
        auto opened = Agent::open(
            settings,
            {
                .clock = clock,
                .random = random,
                .io = io,
                .http = http,
                .engines = engines,
                .disk = disk,
                .sandbox = *sandbox,
                .llm = *llm,
            },
            Secret(server.key())
        );
        ASSERT_TRUE(opened) << opened.error().to_string();
        agent = std::move(*opened);
        thread = std::thread([this] {
            status = net::blocking::wait(io.serial_executor(), agent->run());
        });
    }
    void end() {
        if (thread.joinable()) {
            agent->stop_now();
            thread.join();
        }
        agent.reset();
        llm.reset();
    }
    /// Until the agent ends by itself.
    Status wait_for_end() {
        thread.join();
        return status;
    }
    JobResult run_one(std::string_view engine) {
        server.offer("job_1", 3);
        start(engine);
        return server.wait_for_result(0);
    }
    std::vector<std::filesystem::path> left(const std::filesystem::path& where) {
        return {std::filesystem::directory_iterator(where), std::filesystem::directory_iterator()};
    }

    fakes::TempFolder folder;
    FakeControlPlane server;
    SystemClock clock;
    fakes::SeededRandom random;
    net::IoPool io{{.threads = 2, .on_error = nullptr}};
    net::WorkPool disk{{.name = "disk", .threads = 2}};
    net::WorkPool engines{{.name = "engines", .threads = 2}};
    net::HttpClient http{{}, clock, random};
    std::unique_ptr<sandbox::Sandbox> sandbox;
    const SecretManager secrets{{.environment = {{"TEACHER_KEY", "sk-teacher"}}}};
    LlmSettings llm_settings;
    std::unique_ptr<LlmService> llm;
    AgentSettings settings{
        .paths = StoragePaths(folder.path()), .slots = 2, .poll_wait = 1s, .drain_time = 0s
    };
    std::unique_ptr<Agent> agent;
    std::thread thread;
    Status status;
};

TEST_F(AgentTest, RunsAJobFromSignedSpecToSignedResult) {
    server.give_input("dataset", "a/data.txt", "the data");
    const JobResult result = run_one(kGoodEngine);
    EXPECT_EQ(result.outcome, "completed") << (result.error ? result.error->message : "");
    EXPECT_EQ(result.job_id, "job_1");
    EXPECT_EQ(result.fence, 3);
    EXPECT_EQ(result.result->text, R"({"rows":3})");
    ASSERT_EQ(result.artifacts.size(), 1U);
    ASSERT_EQ(result.artifacts[0].files.size(), 2U);
    EXPECT_EQ(result.artifacts[0].files[0].path, "spec.json");
    EXPECT_EQ(result.artifacts[0].files[1].path, "sub/copy.txt");
    EXPECT_EQ(result.artifacts[0].files[1].digest, sha256("the data").prefixed());
    EXPECT_EQ(server.blob(sha256("the data")), "the data");
    EXPECT_EQ(result.usage.input_tokens, 5);
    EXPECT_LT(result.usage.cpu_seconds, 50);
    EXPECT_EQ(result.usage.stored_bytes, result.artifacts[0].files[0].size + 8);
    EXPECT_TRUE(server.log("job_1").starts_with("log of "));
    ASSERT_EQ(server.events("job_1").size(), 1U);
    EXPECT_EQ(server.events("job_1")[0].phase, "work");
    end();
    EXPECT_TRUE(status) << status.error().to_string();
    EXPECT_TRUE(left(settings.paths.worker_jobs()).empty());
    EXPECT_TRUE(left(settings.paths.worker_outbox()).empty());
}

/// Asks one question over llm.sock, and says the answer back as its result.
constexpr std::string_view kAskingEngine = R"(
cd "$2" && python3 - <<'END'
import json, socket
asked = {"id": 1, "messages": [{"role": "user", "content": "why?"}]}
with socket.socket(socket.AF_UNIX) as link:
    link.connect("llm.sock")
    link.sendall((json.dumps(asked) + "\n").encode())
    reply = json.loads(link.makefile().readline())
with open("result.json", "w") as file:
    json.dump({"result": {"text": reply["choices"][0]["text"]}, "usage": {"input_tokens": 100}}, file)
END
)";

TEST_F(AgentTest, EngineAsksItsTeacherAndTheWorkersCountIsAddedToTheUsage) {
    FakeTeacher teacher;
    llm_settings.teachers = {
        {.name = "local", .base_url = teacher.url(), .api_key_secret = "TEACHER_KEY"}
    };
    server.job_type = "generate";
    server.payload = R"({"domain":"poems","num_samples":1,"teacher":"local/m"})";
    const JobResult result = run_one(kAskingEngine);
    ASSERT_EQ(result.outcome, "completed") << (result.error ? result.error->message : "");
    EXPECT_EQ(result.result->text, R"({"text": "echo: why?"})");
    EXPECT_EQ(result.usage.input_tokens, 111);
    EXPECT_EQ(result.usage.output_tokens, 5);
    ASSERT_EQ(teacher.seen().size(), 1U);
    EXPECT_EQ(teacher.seen()[0].authorization, "Bearer sk-teacher");
    const auto events = server.events("job_1");
    ASSERT_EQ(events.size(), 1U);
    EXPECT_EQ(events[0].phase, "teacher");
    EXPECT_EQ(events[0].metrics.at("requests"), 1);
}

TEST_F(AgentTest, JobWhoseTeacherIsNotConfiguredFailsBeforeItsEngineRuns) {
    server.job_type = "generate";
    server.payload = R"({"domain":"poems","num_samples":1,"teacher":"openai/gpt-4o-mini"})";
    const JobResult result = run_one("touch " + (folder.path() / "ran").native());
    EXPECT_EQ(result.outcome, "failed");
    EXPECT_EQ(result.error->code, "unavailable");
    EXPECT_EQ(result.error->param, "teacher");
    EXPECT_FALSE(result.error->hint.empty());
    EXPECT_FALSE(std::filesystem::exists(folder.path() / "ran"));
}

TEST_F(AgentTest, SpecOfAnotherSignerIsNotRun) {
    server.forge_specs = true;
    const JobResult result = run_one("touch " + (folder.path() / "ran").native());
    EXPECT_EQ(result.outcome, "failed");
    EXPECT_EQ(result.error->code, "unauthenticated");
    EXPECT_FALSE(std::filesystem::exists(folder.path() / "ran"));
}

TEST_F(AgentTest, SpecOfAnotherFenceIsNotRun) {
    server.spec_fence_offset = -1;
    const JobResult result = run_one("exit 0");
    EXPECT_EQ(result.error->code, "unauthenticated");
    EXPECT_EQ(result.fence, 3);
}

TEST_F(AgentTest, DamagedInputFailsTheJob) {
    server.give_input("dataset", "a/data.txt", "the data");
    server.set_blob(sha256("the data"), "not data");
    const JobResult result = run_one(kGoodEngine);
    EXPECT_EQ(result.outcome, "failed");
    EXPECT_EQ(result.error->code, "data_loss");
}

TEST_F(AgentTest, InputPathThatLeavesItsFolderIsRefused) {
    server.give_input("dataset", "../../escape", "the data");
    const JobResult result = run_one("exit 0");
    EXPECT_EQ(result.error->code, "invalid_argument");
    EXPECT_FALSE(std::filesystem::exists(settings.paths.worker_jobs() / "escape"));
}

TEST_F(AgentTest, EngineWithoutResultFailsTheJob) {
    const JobResult result = run_one("echo dying; kill -9 $$");
    EXPECT_EQ(result.outcome, "failed");
    EXPECT_EQ(result.error->code, "internal");
    EXPECT_EQ(server.log("job_1"), "dying\n");
}

TEST_F(AgentTest, LinkAmongTheOutputsFailsTheJob) {
    const JobResult result = run_one(R"(
mkdir -p "$2/outputs/made"; ln -s /etc/passwd "$2/outputs/made/x"
echo '{"result":{},"outputs":[{"artifact_id":"a","kind":"dataset","path":"made"}]}' > "$2/result.json")"
    );
    EXPECT_EQ(result.error->code, "invalid_argument");
    EXPECT_TRUE(result.artifacts.empty());
}

TEST_F(AgentTest, ManyOutputsAllArrive) {
    const JobResult result = run_one(R"(
mkdir -p "$2/outputs/made"
i=0; while [ $i -lt 50 ]; do echo "part $i" > "$2/outputs/made/$i"; i=$((i+1)); done
echo '{"result":{},"outputs":[{"artifact_id":"a","kind":"dataset","path":"made"}]}' > "$2/result.json")"
    );
    ASSERT_EQ(result.artifacts.size(), 1U);
    EXPECT_EQ(result.artifacts[0].files.size(), 50U);
    for (int i = 0; i < 50; ++i) {
        const std::string text = fmt::format("part {}\n", i);
        EXPECT_EQ(server.blob(sha256(text)), text);
    }
}

TEST_F(AgentTest, AClockFarOffTheServersIsToldBeforeTheFirstPollAndNoMoreOnceItIsSet) {
    server.clock_shift = 120s;
    settings.health_pause = 20ms;
    start("exit 0");
    ASSERT_TRUE(server.wait_until([&] { return server.beats().size() >= 2; }));
    const auto beats = server.beats();
    EXPECT_TRUE(beats[0].problems && beats[0].problems->empty());
    ASSERT_TRUE(beats[1].problems && beats[1].problems->size() == 1);
    EXPECT_EQ(beats[1].problems->front().kind, "clock");
    EXPECT_TRUE(beats[1].problems->front().detail.ends_with(" s behind the server's"));
    server.clock_shift = 0s;
    EXPECT_TRUE(server.wait_until([&] { return server.beats().back().problems->empty(); }));
}

TEST_F(AgentTest, InputsThatNobodyHasUsedForLongestMakeRoom) {
    settings.inputs_bytes_max = 25;
    const auto age = [&](std::string_view bytes, std::chrono::hours hours) {
        auto cache = *storage::BlobStore::open(settings.paths.worker());
        const auto blob = *cache->put(bytes);
        mark_used(*cache->path_of(blob.digest), clock.now() - hours);
    };
    age("old bytes.", 3h);
    age("mid bytes.", 2h);
    server.give_input("dataset", "a/data.txt", "new bytes.");
    ASSERT_EQ(run_one(kGoodEngine).outcome, "completed");
    end();
    const auto cache = *storage::BlobStore::open(settings.paths.worker());
    EXPECT_FALSE(cache->exists(sha256("old bytes.")));
    EXPECT_TRUE(cache->exists(sha256("mid bytes.")));
    EXPECT_TRUE(cache->exists(sha256("new bytes.")));
}

TEST_F(AgentTest, CancelledEngineMayEndByItself) {
    settings.cancel_grace = 60s;
    server.set_action("cancel");
    const JobResult result = run_one(R"(
trap 'echo saved; exit 3' TERM
echo '{"type":"log"}' >&3
while :; do sleep 0.05; done)");
    EXPECT_EQ(result.outcome, "cancelled");
    // The shell may say of its own child that it was terminated.
    EXPECT_TRUE(server.log("job_1").ends_with("saved\n")) << server.log("job_1");
}

TEST_F(AgentTest, CancelKillsTheEngineAndCompletesAsCancelled) {
    server.set_action("cancel");
    const JobResult result = run_one(R"(echo '{"type":"log"}' >&3; sleep 600)");
    EXPECT_EQ(result.outcome, "cancelled");
    EXPECT_FALSE(result.error);
}

TEST_F(AgentTest, LostLeaseEndsTheJobAndNothingIsSent) {
    server.set_action("lost");
    server.offer("job_1", 3);
    start(R"(
echo '{"type":"log"}' >&3
case "$2" in *job_1.3*) sleep 600;; esac
echo '{"result":{}}' > "$2/result.json")");
    ASSERT_TRUE(server.wait_until([&] { return !server.events("job_1").empty(); }));
    server.set_action("go_on");
    server.offer("job_2", 1);
    EXPECT_EQ(server.wait_for_result(0).job_id, "job_2");
    const auto lost = *settings.paths.worker_job("job_1.3");
    EXPECT_TRUE(server.wait_until([&] { return !std::filesystem::exists(lost); }));
    end();
    EXPECT_EQ(server.results(), 1U);
}

TEST_F(AgentTest, WithoutRenewalsTheJobIsFenced) {
    server.lease_seconds = 1.2;
    server.refuse_reports = true;
    server.offer("job_1", 3);
    start("sleep 600");
    const auto job = *settings.paths.worker_job("job_1.3");
    ASSERT_TRUE(server.wait_until([&] { return std::filesystem::exists(job / "work/engine.log"); })
    );
    EXPECT_TRUE(server.wait_until([&] { return !std::filesystem::exists(job); }));
    EXPECT_EQ(server.results(), 0U);
}

TEST_F(AgentTest, DrainHandsRunningJobsBack) {
    server.offer("job_1", 3);
    start(R"(echo '{"type":"log"}' >&3; sleep 600)");
    ASSERT_TRUE(server.wait_for_reports(1));
    agent->drain();
    EXPECT_TRUE(wait_for_end());
    EXPECT_EQ(server.wait_for_result(0).outcome, "returned");
}

TEST_F(AgentTest, ResultIsSentAgainUntilItIsAnswered) {
    server.complete_failures = 2;
    const JobResult result = run_one(R"(echo '{"result":{}}' > "$2/result.json")");
    EXPECT_EQ(result.outcome, "completed");
    EXPECT_EQ(server.complete_failures, 0);
}

TEST_F(AgentTest, ResultThatTheServerRefusesBecomesAFailure) {
    server.refuse_completed = true;
    const JobResult result = run_one(R"(echo '{"result":{}}' > "$2/result.json")");
    EXPECT_EQ(result.outcome, "failed");
    EXPECT_EQ(result.error->code, "invalid_argument");
}

TEST_F(AgentTest, KeptResultsOfAnEarlierRunAreSent) {
    std::filesystem::create_directories(settings.paths.worker_outbox());
    const auto key = crypto::Ed25519PrivateKey::generate(random);
    const JobResult kept{
        .job_id = "job_9", .worker_id = "wk_1", .fence = 4, .outcome = "completed"
    };
    const auto signed_result =
        crypto::sign_dsse(protocol::kJobResultPayloadType, to_json(kept), key);
    ASSERT_TRUE(
        Outbox(settings.paths.worker_outbox()).keep("job_9.4", fleet::to_message(signed_result))
    );
    server.check_signatures = false;
    start("exit 0");
    EXPECT_TRUE(server.wait_until([&] { return server.results() == 1; }));
    EXPECT_TRUE(server.wait_until([&] { return left(settings.paths.worker_outbox()).empty(); }));
}

TEST_F(AgentTest, RefusedKeyEndsTheWorker) {
    server.accept_key = false;
    start("exit 0");
    const Status ended = wait_for_end();
    ASSERT_FALSE(ended);
    EXPECT_EQ(row_of(ended.error().code).exit_code, 4);
}

TEST_F(AgentTest, AnotherCoordinatorKeyIsRefusedAfterThePin) {
    start("exit 0");
    ASSERT_TRUE(server.wait_until([&] {
        return std::filesystem::exists(settings.paths.worker_keys() / "worker_id");
    }));
    end();
    server.change_key();
    start("exit 0");
    const Status ended = wait_for_end();
    ASSERT_FALSE(ended);
    EXPECT_EQ(ended.error().code, ErrorCode::kPermissionDenied);
}

TEST_F(AgentTest, SecondWorkerInTheSameFolderIsRefused) {
    start("exit 0");
    auto second = Agent::open(
        settings,
        {.clock = clock,
         .random = random,
         .io = io,
         .http = http,
         .engines = engines,
         .disk = disk,
         .sandbox = *sandbox,
         .llm = *llm},
        Secret("k")
    );
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::kConflict);
}

TEST_F(AgentTest, LeftoversOfACrashAreRemoved) {
    const auto old = settings.paths.worker_jobs() / "job_0.1/work";
    std::filesystem::create_directories(old);
    start("exit 0");
    EXPECT_TRUE(left(settings.paths.worker_jobs()).empty());
}

}  // namespace
}  // namespace nexa::worker
