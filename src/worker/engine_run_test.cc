// SPDX-License-Identifier: Apache-2.0
#include "worker/engine_run.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <atomic>
#include <charconv>

#include "core/json.h"
#include "fakes/temp_folder.h"
#include "worker/attempt.h"

namespace nexa::worker {
namespace {

using namespace std::chrono_literals;

/// A shell script in the engine's place: `$2` is the job's folder.
class EngineRunTest : public testing::Test {
protected:
    void SetUp() override {
        auto made = sandbox::make_sandbox(sandbox::Kind::kProcess);
        ASSERT_TRUE(made) << made.error().to_string();
        sandbox = std::move(*made);
        stop = *make_pipe();
    }

    Result<sandbox::Outcome> run(const std::string& script) {
        const auto engine = folder.path() / "engine.sh";
        EXPECT_TRUE(write_file_atomically(engine, "#!/bin/sh\n" + script + "\n", 0755));
        job.engine = engine;
        job.folder = folder.path();
        job.log = folder.path() / "engine.log";
        job.environment = {{"PATH", "/usr/bin:/bin"}};
        return run_engine(
            *sandbox,
            job,
            {
                .on_event =
                    [this](protocol::EngineEvent event) {
                        events.push_back(std::move(event));
                        if (stop_at_event) {
                            stop.write_end.reset();
                        }
                    },
                .on_tick = [this](std::int64_t bytes) { log_bytes = bytes; },
                .stop_fd = stop.read_end.get(),
                .grace = [this] { return grace.load(); },
            }
        );
    }
    std::string text(const char* name) {
        return read_file(folder.path() / name, 1 << 20).value_or("");
    }

    fakes::TempFolder folder;
    std::unique_ptr<sandbox::Sandbox> sandbox;
    Pipe stop;
    EngineJob job;
    std::vector<protocol::EngineEvent> events;
    std::int64_t log_bytes = 0;
    bool stop_at_event = false;
    std::atomic<std::chrono::milliseconds> grace{0ms};
};

TEST_F(EngineRunTest, EventsComeFromDescriptorThreeAndBothStreamsAreTheLog) {
    const auto outcome = run(R"(
echo out; echo err >&2
echo '{"type":"progress","phase":"p","done":1}' >&3
echo 'no event' >&3
printf '{"type":"log","message":"%s","unknown":1}\n' "$1 $2" >&3)");
    ASSERT_TRUE(outcome) << outcome.error().to_string();
    EXPECT_TRUE(outcome->success());
    ASSERT_EQ(events.size(), 2U);
    EXPECT_EQ(events[0].phase, "p");
    EXPECT_EQ(events[1].message, "run " + folder.path().native());
    EXPECT_EQ(text("engine.log"), "out\nerr\n");
    EXPECT_EQ(log_bytes, 8);
}

TEST_F(EngineRunTest, ManyEventsAllArrive) {
    const auto outcome =
        run(R"(i=0; while [ $i -lt 5000 ]; do echo '{"type":"metric"}'; i=$((i+1)); done >&3)");
    ASSERT_TRUE(outcome);
    EXPECT_EQ(events.size(), 5000U);
}

TEST_F(EngineRunTest, ExitCodeIsSeen) {
    const auto outcome = run("exit 7");
    ASSERT_TRUE(outcome);
    EXPECT_EQ(outcome->ending, sandbox::Ending::kExited);
    EXPECT_EQ(outcome->status->exit_code, 7);
}

TEST_F(EngineRunTest, StopKillsTheWholeTree) {
    stop_at_event = true;
    const auto outcome = run(R"(
sleep 600 & echo $! > child
setsid sleep 600 & echo $! > daemon
echo '{"type":"log"}' >&3
wait)");
    ASSERT_TRUE(outcome);
    EXPECT_EQ(outcome->ending, sandbox::Ending::kKilled);
    for (const char* name : {"child", "daemon"}) {
        pid_t pid = 0;
        const std::string number = text(name);
        std::from_chars(number.data(), number.data() + number.size(), pid);
        ASSERT_GT(pid, 1);
        EXPECT_EQ(::kill(pid, 0), -1) << name;
    }
}

TEST_F(EngineRunTest, StopWithGraceLetsTheEngineEndItself) {
    stop_at_event = true;
    grace = 60s;
    const auto outcome = run(R"(
trap 'echo saved; exit 3' TERM
echo '{"type":"log"}' >&3
while :; do sleep 0.05; done)");
    ASSERT_TRUE(outcome);
    EXPECT_EQ(outcome->ending, sandbox::Ending::kExited);
    EXPECT_EQ(outcome->status->exit_code, 3);
    EXPECT_TRUE(text("engine.log").ends_with("saved\n")) << text("engine.log");
}

TEST_F(EngineRunTest, EngineThatDoesNotEndInItsGraceIsKilled) {
    stop_at_event = true;
    grace = 300ms;
    const auto outcome = run(R"(
trap '' TERM
echo '{"type":"log"}' >&3
while :; do sleep 0.05; done)");
    ASSERT_TRUE(outcome);
    EXPECT_EQ(outcome->ending, sandbox::Ending::kKilled);
}

TEST_F(EngineRunTest, EngineThatClosesItsPipeGoesOn) {
    const auto outcome = run("exec 3>&-; sleep 0.3; echo late");
    ASSERT_TRUE(outcome);
    EXPECT_TRUE(outcome->success());
    EXPECT_EQ(text("engine.log"), "late\n");
}

TEST_F(EngineRunTest, TimeLimitEndsIt) {
    job.limits.wall_time = 300ms;
    const auto outcome = run("sleep 600");
    ASSERT_TRUE(outcome);
    EXPECT_EQ(outcome->ending, sandbox::Ending::kTime);
}

TEST_F(EngineRunTest, EngineThatIsNotThereIsAnError) {
    job.engine = "/nonexistent/engine";
    job.folder = folder.path();
    job.log = folder.path() / "log";
    EXPECT_EQ(run_engine(*sandbox, job, {}).error().code, ErrorCode::kNotFound);
}

TEST(EventReader, LongLineIsDroppedAndTheNextOneRead) {
    EventReader reader;
    int events = 0;
    const auto count = [&](const protocol::EngineEvent&) { ++events; };
    for (int i = 0; i < 40; ++i) {
        reader.feed(std::string(4096, 'x'), count);
    }
    reader.feed("\n{\"type\":\"lo", count);
    reader.feed("g\"}\n\n", count);
    EXPECT_EQ(events, 1);
    EXPECT_EQ(reader.bad_lines(), 2U);
}

TEST(EventReader, LongMessageIsCutBetweenCharacters) {
    EventReader reader;
    std::string message;
    for (int i = 0; i < 5000; ++i) {
        message += "\xC3\xBC";
    }
    message = "x" + message;
    std::string got;
    reader.feed(
        to_json(protocol::EngineEvent{.type = "log", .message = message}) + "\n",
        [&](protocol::EngineEvent event) { got = event.message; }
    );
    EXPECT_EQ(got.size(), 4095U);
    EXPECT_TRUE(message.starts_with(got));
}

sandbox::Outcome ending(sandbox::Ending how, std::optional<int> code = std::nullopt) {
    sandbox::Outcome outcome{.ending = how, .explanation = "why"};
    outcome.usage.cpu = 1500ms;
    if (code) {
        outcome.status = ExitStatus{.exit_code = code};
    }
    return outcome;
}

protocol::EngineResult whole_result() {
    protocol::EngineResult result{.result = JsonText{"{}"}};
    result.outputs.push_back({.artifact_id = "a"});
    result.usage.input_tokens = 5;
    return result;
}

TEST(Judge, ResultOfAnEngineThatEndedWellCounts) {
    const auto verdict = judge(whole_result(), ending(sandbox::Ending::kExited, 0));
    EXPECT_FALSE(verdict.error);
    EXPECT_EQ(verdict.outputs.size(), 1U);
    EXPECT_EQ(verdict.usage.input_tokens, 5);
    EXPECT_EQ(verdict.usage.cpu_seconds, 1.5);
}

TEST(Judge, MissingResultIsExplainedByTheEnding) {
    const auto code = [](sandbox::Ending how) {
        return judge(Error::not_found("no file"), ending(how, 1)).error->code;
    };
    EXPECT_EQ(code(sandbox::Ending::kMemory), "resource_exhausted");
    EXPECT_EQ(code(sandbox::Ending::kDisk), "resource_exhausted");
    EXPECT_EQ(code(sandbox::Ending::kTime), "deadline_exceeded");
    EXPECT_EQ(code(sandbox::Ending::kLost), "unavailable");
    EXPECT_EQ(code(sandbox::Ending::kSignaled), "internal");
    EXPECT_EQ(code(sandbox::Ending::kExited), "internal");
}

TEST(Judge, LimitOverrulesWhatTheEngineSays) {
    const auto verdict = judge(whole_result(), ending(sandbox::Ending::kMemory));
    EXPECT_EQ(verdict.error->code, "resource_exhausted");
    EXPECT_FALSE(verdict.result);
    EXPECT_TRUE(verdict.outputs.empty());
}

TEST(Judge, EnginesOwnErrorCountsAndAnUnknownCodeIsInternal) {
    protocol::EngineResult failed{
        .error = protocol::EngineError{.code = "invalid_argument", .message = "m"}
    };
    EXPECT_EQ(judge(failed, ending(sandbox::Ending::kExited, 2)).error->code, "invalid_argument");
    failed.error->code = "odd";
    EXPECT_EQ(judge(failed, ending(sandbox::Ending::kExited, 2)).error->code, "internal");
}

TEST(Judge, ResultWithABadExitCodeIsNone) {
    EXPECT_EQ(judge(whole_result(), ending(sandbox::Ending::kExited, 1)).error->code, "internal");
}

}  // namespace
}  // namespace nexa::worker
