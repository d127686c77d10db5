// SPDX-License-Identifier: Apache-2.0
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include <gtest/gtest.h>

#include "core/process_table.h"
#include "sandbox/sandbox.h"

namespace nexa::sandbox {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

bool is_alive(pid_t pid) {
    const auto line = read_file(fmt::format("/proc/{}/stat", pid), 4096);
    return line && !parse_process_stat(*line)->dead;
}

TEST(Sandbox, KindsHaveNames) {
    for (const Kind kind : {Kind::kProcess, Kind::kBubblewrap, Kind::kOci}) {
        EXPECT_EQ(kind_from(to_string(kind)), kind);
        EXPECT_EQ(probe_sandbox(kind).kind, kind);
    }
    EXPECT_FALSE(kind_from("chroot"));
}

TEST(Sandbox, AKindThatIsNotAvailableIsRefusedWithTheReason) {
    for (const Kind kind : {Kind::kProcess, Kind::kBubblewrap, Kind::kOci}) {
        const Probe probe = probe_sandbox(kind);
        const auto sandbox = make_sandbox(kind);
        ASSERT_EQ(sandbox.has_value(), probe.available);
        if (sandbox) {
            EXPECT_EQ((*sandbox)->kind(), kind);
        } else {
            EXPECT_EQ(sandbox.error().code, ErrorCode::kUnavailable);
            EXPECT_NE(sandbox.error().message.find(probe.reason), std::string::npos);
            EXPECT_FALSE(probe.reason.empty());
        }
    }
}

TEST(Sandbox, TheProcessKindSaysWhatItDoesNotDo) {
    const Probe probe = probe_sandbox(Kind::kProcess);
    EXPECT_TRUE(probe.available);
    int missing = 0;
    for (const Feature& feature : probe.features) {
        missing += feature.available ? 0 : 1;
        EXPECT_FALSE(feature.detail.empty()) << feature.name;
    }
    EXPECT_EQ(missing, 3);  // read_only_inputs, no_network, private_files
}

/// With control groups where the machine has them, and without.
class ProcessSandboxTest : public testing::TestWithParam<bool> {
protected:
    SandboxJob job(const std::string& script) const {
        SandboxJob made;
        made.argv = {"/bin/sh", "-c", script};
        made.work_folder = folder.path();
        made.standard_output = StdioFile{folder.path() / "stdout"};
        made.standard_error = StdioFile{folder.path() / "stderr"};
        return made;
    }
    std::unique_ptr<RunningJob> start(const SandboxJob& wanted) {
        auto started = sandbox->start(wanted);
        EXPECT_TRUE(started) << started.error().to_string();
        return std::move(*started);
    }
    Outcome run(const SandboxJob& wanted) {
        const auto running = start(wanted);
        return running->wait(steady_clock::now() + seconds(60)).value();
    }
    std::string output() const { return read_file(folder.path() / "stdout", 1 << 20).value(); }
    /// The pid that the script has written, once it has.
    pid_t pid_in(const std::string& name) const {
        for (int i = 0; i < 1000; ++i) {
            const auto text = read_file(folder.path() / name, 100);
            if (text && text->ends_with('\n')) {
                return std::stoi(*text);
            }
            std::this_thread::sleep_for(milliseconds(10));
        }
        return -1;
    }

    TemporaryDirectory folder = TemporaryDirectory::create(fs::temp_directory_path()).value();
    std::unique_ptr<Sandbox> sandbox = make_sandbox(
                                           Kind::kProcess,
                                           {.poll_interval = milliseconds(20),
                                            .looks_per_disk_walk = 2,
                                            .use_control_groups = GetParam()}
    )
                                           .value();
};

INSTANTIATE_TEST_SUITE_P(Groups, ProcessSandboxTest, testing::Bool(), [](const auto& info) {
    return info.param ? std::string("With") : std::string("Without");
});

TEST_P(ProcessSandboxTest, RunsAJobInItsFolderWithItsEnvironment) {
    SandboxJob wanted = job("pwd; echo $NAME; env | wc -l; exit 3");
    wanted.environment = {{"NAME", "value"}};
    const Outcome outcome = run(wanted);
    EXPECT_EQ(outcome.ending, Ending::kExited);
    EXPECT_EQ(outcome.status->exit_code, 3);
    EXPECT_FALSE(outcome.success());
    EXPECT_EQ(outcome.explanation, "the job ended with exit code 3");
    EXPECT_TRUE(output().starts_with(folder.path().string() + "\nvalue\n"));
    EXPECT_TRUE(run(job("exit 0")).success());
}

TEST_P(ProcessSandboxTest, ASignalThatNoLimitExplainsIsJustThat) {
    const Outcome outcome = run(job("kill -ABRT $$"));
    EXPECT_EQ(outcome.ending, Ending::kSignaled);
    EXPECT_EQ(outcome.status->signal, SIGABRT);
    EXPECT_EQ(outcome.explanation, "the job was ended by SIGABRT");
}

TEST_P(ProcessSandboxTest, AJobThatIsAskedToEndMayEndByItself) {
    const auto running =
        start(job("trap 'echo bye; exit 3' TERM; echo 1 > ready; while :; do sleep 0.05; done"));
    ASSERT_EQ(pid_in("ready"), 1);
    running->terminate();
    const Outcome outcome = running->wait(steady_clock::now() + seconds(60)).value();
    EXPECT_EQ(outcome.ending, Ending::kExited);
    EXPECT_EQ(outcome.status->exit_code, 3);
    EXPECT_EQ(output(), "bye\n");
}

TEST_P(ProcessSandboxTest, AJobThatWillNotEndIsStillKilled) {
    const auto running = start(job("trap '' TERM; echo 1 > ready; while :; do sleep 0.05; done"));
    ASSERT_EQ(pid_in("ready"), 1);
    running->terminate();
    EXPECT_FALSE(running->wait(steady_clock::now() + milliseconds(300)));
    running->kill();
    EXPECT_EQ(running->wait(steady_clock::now() + seconds(60)).value().ending, Ending::kKilled);
}

TEST_P(ProcessSandboxTest, GivesDescriptorThreeToTheJob) {
    Pipe events = make_pipe().value();
    SandboxJob wanted = job("echo '{\"phase\":\"x\"}' >&3");
    wanted.passed_fds = {{events.write_end.get(), 3}};
    EXPECT_TRUE(run(wanted).success());
    events.write_end.reset();
    char text[64] = {};
    EXPECT_EQ(read(events.read_end.get(), text, sizeof text), 14);
    EXPECT_EQ(read(events.read_end.get(), text, sizeof text), 0);
}

TEST_P(ProcessSandboxTest, PlacesInputsAndRefusesNamesThatLeaveTheFolder) {
    const auto elsewhere = TemporaryDirectory::create(fs::temp_directory_path()).value();
    ASSERT_TRUE(write_file_atomically(elsewhere.path() / "data", "rows"));
    SandboxJob wanted = job("cat inputs/train.jsonl");
    wanted.inputs = {{elsewhere.path() / "data", "train.jsonl"}};
    EXPECT_TRUE(run(wanted).success());
    EXPECT_EQ(output(), "rows");
    EXPECT_TRUE(run(wanted).success());  // a second attempt finds its link

    ASSERT_TRUE(write_file_atomically(folder.path() / "inputs/taken", "x"));
    wanted.inputs = {{elsewhere.path() / "data", "taken"}};
    EXPECT_EQ(sandbox->start(wanted).error().code, ErrorCode::kConflict);
    wanted.inputs = {{elsewhere.path() / "none", "x"}};
    EXPECT_EQ(sandbox->start(wanted).error().code, ErrorCode::kNotFound);
    for (const std::string& bad :
         {std::string(""),
          std::string(".."),
          std::string("."),
          std::string("a/b"),
          std::string("a\0b", 3),
          std::string(256, 'a')}) {
        wanted.inputs = {{elsewhere.path() / "data", bad}};
        EXPECT_EQ(sandbox->start(wanted).error().code, ErrorCode::kInvalidArgument) << bad;
    }
}

TEST_P(ProcessSandboxTest, RefusesWhatCannotStart) {
    SandboxJob wanted = job("exit 0");
    wanted.argv = {"/no/such/engine"};
    EXPECT_EQ(sandbox->start(wanted).error().code, ErrorCode::kNotFound);
    wanted = job("exit 0");
    wanted.work_folder = "/no/such/folder";
    EXPECT_EQ(sandbox->start(wanted).error().code, ErrorCode::kNotFound);
    wanted.work_folder = "";
    EXPECT_EQ(sandbox->start(wanted).error().code, ErrorCode::kInvalidArgument);
    wanted = job("exit 0");
    wanted.standard_output = StdioPipe{};
    EXPECT_EQ(sandbox->start(wanted).error().code, ErrorCode::kInvalidArgument);
}

TEST_P(ProcessSandboxTest, StopsAJobThatRunsTooLong) {
    SandboxJob wanted = job("sleep 100");
    wanted.limits.wall_time = milliseconds(200);
    const Outcome outcome = run(wanted);
    EXPECT_EQ(outcome.ending, Ending::kTime);
    EXPECT_EQ(outcome.explanation, "the job ran longer than 0.2 s");
    wanted = job("exit 0");
    wanted.limits.wall_time = seconds(60);
    EXPECT_TRUE(run(wanted).success());
}

TEST_P(ProcessSandboxTest, StopsAJobThatUsesTooMuchCpuTimeInOneProcessOrMany) {
    SandboxJob wanted = job("while :; do :; done");
    wanted.limits.cpu_time = milliseconds(300);
    EXPECT_EQ(run(wanted).ending, Ending::kCpuTime);
    // None of the short ones reaches the limit, and each is gone at the next look.
    wanted = job("while :; do sh -c 'i=0; while [ $i -lt 10000 ]; do i=$((i+1)); done'; done");
    wanted.limits.cpu_time = milliseconds(300);
    const Outcome many = run(wanted);
    EXPECT_EQ(many.ending, Ending::kCpuTime);
    EXPECT_GE(many.usage.cpu, milliseconds(300));
}

TEST_P(ProcessSandboxTest, StopsAJobThatUsesTooMuchMemoryAlsoInAChild) {
    // tail keeps its one endless line in memory.
    const std::string hungry = "head -c 2000m /dev/zero | tail";
    SandboxJob wanted = job(hungry + "; sleep 100");
    wanted.limits.memory_bytes = 64 << 20;
    const Outcome outcome = run(wanted);
    EXPECT_EQ(outcome.ending, Ending::kMemory) << outcome.explanation;
    EXPECT_NE(outcome.explanation.find("67.1 MB"), std::string::npos);
    wanted = job("head -c 1000 /dev/zero | tail > /dev/null");
    wanted.limits.memory_bytes = 64 << 20;
    EXPECT_TRUE(run(wanted).success());
}

TEST_P(ProcessSandboxTest, StopsAJobThatFillsItsFolder) {
    for (const char* script :
         {"i=0; while :; do i=$((i+1)); head -c 1m /dev/zero > f$i; done",
          "exec head -c 100m /dev/zero > f",
          "head -c 100m /dev/zero > f; sleep 100",
          "exec 5> f; rm f; head -c 10m /dev/zero >&5; sleep 100; exec 5>&-"}) {
        SandboxJob wanted = job(script);
        wanted.limits.disk_bytes = 5 << 20;
        const Outcome outcome = run(wanted);
        EXPECT_EQ(outcome.ending, Ending::kDisk) << script << ": " << outcome.explanation;
        for (const auto& entry : fs::directory_iterator(folder.path())) {
            fs::remove(entry.path());
        }
    }
    SandboxJob wanted = job("head -c 4m /dev/zero > f");
    wanted.limits.disk_bytes = 5 << 20;
    const Outcome outcome = run(wanted);
    EXPECT_TRUE(outcome.success()) << outcome.explanation;
    EXPECT_GE(outcome.usage.disk_bytes_max, 4U << 20U);
}

TEST_P(ProcessSandboxTest, AFullDiskIsTheJobsOwnErrorAndTheSandboxGoesOn) {
    const fs::path small = folder.path() / "small";
    ASSERT_TRUE(fs::create_directory(small));
    if (mount("tmpfs", small.c_str(), "tmpfs", 0, "size=64k") != 0) {
        GTEST_SKIP() << "mounting a tmpfs needs root";
    }
    SandboxJob wanted = job("head -c 1m /dev/zero > f");
    wanted.work_folder = small;
    wanted.limits.disk_bytes = 10 << 20;
    const Outcome outcome = run(wanted);
    umount(small.c_str());
    EXPECT_EQ(outcome.ending, Ending::kExited);
    EXPECT_FALSE(outcome.success());
}

TEST_P(ProcessSandboxTest, KeepsTheNumberOfProcessesWithinTheLimit) {
    SandboxJob wanted = job("for i in 1 2 3 4 5 6 7 8 9; do sleep 100 & done; wait");
    wanted.limits.processes = 5;
    wanted.limits.wall_time = seconds(20);
    const Outcome outcome = run(wanted);
    // The kernel refuses the sixth; without a group the job is stopped when it is seen.
    if (outcome.ending == Ending::kProcesses) {
        EXPECT_GT(outcome.usage.processes_max, 5U);
    } else {
        EXPECT_TRUE(GetParam());
        EXPECT_EQ(outcome.ending, Ending::kExited);
        EXPECT_FALSE(outcome.success());
        EXPECT_NE(outcome.explanation.find("refused more than 5"), std::string::npos);
        EXPECT_LE(outcome.usage.processes_max, 5U);
    }
    wanted = job("sleep 0 & wait");
    wanted.limits.processes = 5;
    EXPECT_TRUE(run(wanted).success());
}

TEST_P(ProcessSandboxTest, LimitsOpenFiles) {
    SandboxJob wanted = job("ulimit -n");
    wanted.limits.open_files = 37;
    EXPECT_TRUE(run(wanted).success());
    EXPECT_EQ(output(), "37\n");
}

/// A daemon: forked twice, in a session of its own, with an environment of its own.
constexpr const char* kDaemon =
    "(setsid sh -c 'env -i setsid sleep 100 & echo $! > daemon' &); "
    "while [ ! -s daemon ]; do sleep 0.01; done; ";

TEST_P(ProcessSandboxTest, KillTakesTheWholeTreeWithItsDaemons) {
    const auto running = start(job(std::string(kDaemon) + "echo $$ > main; sleep 100"));
    const pid_t daemon = pid_in("daemon");
    const pid_t main = pid_in("main");
    EXPECT_EQ(main, running->pid());
    ASSERT_TRUE(is_alive(daemon));
    EXPECT_EQ(running->wait({}).error().code, ErrorCode::kDeadlineExceeded);
    running->kill();
    running->kill();
    const Outcome outcome = running->wait(steady_clock::now() + seconds(20)).value();
    EXPECT_EQ(outcome.ending, Ending::kKilled);
    EXPECT_FALSE(is_alive(daemon));
    EXPECT_FALSE(is_alive(main));
    EXPECT_EQ(running->wait({}).value().ending, Ending::kKilled);
}

TEST_P(ProcessSandboxTest, NothingOutlivesAJobThatEndsByItself) {
    const Outcome outcome = run(job(std::string(kDaemon) + "exit 0"));
    EXPECT_TRUE(outcome.success());
    EXPECT_FALSE(is_alive(pid_in("daemon")));
}

TEST_P(ProcessSandboxTest, DestructionKillsTheJob) {
    pid_t daemon = 0;
    {
        const auto running = start(job(std::string(kDaemon) + "sleep 100"));
        daemon = pid_in("daemon");
    }
    EXPECT_FALSE(is_alive(daemon));
}

TEST_P(ProcessSandboxTest, AKilledGuardIsReportedAsLost) {
    const auto running = start(job("echo $PPID > guard; exec sleep 100"));
    kill(pid_in("guard"), SIGKILL);
    const Outcome outcome = running->wait(steady_clock::now() + seconds(20)).value();
    EXPECT_EQ(outcome.ending, Ending::kLost);
    EXPECT_FALSE(outcome.status);
    EXPECT_FALSE(is_alive(running->pid()));
}

TEST_P(ProcessSandboxTest, DoneIsReadableAndUsageIsKnownAtTheEnd) {
    const auto running = start(job("i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done"));
    EXPECT_TRUE(wait_readable(running->done_fd(), seconds(60)).value());
    const Outcome outcome = running->wait({}).value();
    EXPECT_GT(outcome.usage.cpu, milliseconds(30));
    EXPECT_GT(outcome.usage.memory_bytes_max, 100'000U);
    EXPECT_GE(outcome.usage.processes_max, 1U);
    EXPECT_EQ(running->usage().cpu, outcome.usage.cpu);
}

TEST_P(ProcessSandboxTest, StartsFromManyThreadsAtOnce) {
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i) {
        threads.emplace_back([this, i] {
            SandboxJob wanted = job(fmt::format("exit {}", i));
            wanted.standard_output = StdioNull{};
            wanted.standard_error = StdioNull{};
            wanted.limits = {.memory_bytes = 1 << 30, .processes = 100};
            for (int round = 0; round < 3; ++round) {
                EXPECT_EQ(run(wanted).status->exit_code, i);
            }
        });
    }
    for (auto& thread : threads) {
        thread.join();
    }
}

}  // namespace
}  // namespace nexa::sandbox
