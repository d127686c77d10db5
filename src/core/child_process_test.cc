// SPDX-License-Identifier: Apache-2.0
#include "core/child_process.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <thread>

#include <gtest/gtest.h>

#include "core/process_table.h"

namespace nexa {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

steady_clock::time_point in(milliseconds time) {
    return steady_clock::now() + time;
}

ChildSpec shell(const std::string& script) {
    ChildSpec spec;
    spec.argv = {"/bin/sh", "-c", script};
    return spec;
}

CaptureOptions with_input(std::string input) {
    CaptureOptions options;
    options.input = std::move(input);
    return options;
}

Result<Captured> run_shell(const std::string& script, const CaptureOptions& options = {}) {
    return run_and_capture({"/bin/sh", "-c", script}, options);
}

bool is_alive(pid_t pid) {
    const auto line = read_file(fmt::format("/proc/{}/stat", pid), 4096);
    return line && !parse_process_stat(*line)->dead;
}

/// Waits until `pid` is gone; false after five seconds.
bool goes_away(pid_t pid) {
    for (int i = 0; i < 500 && is_alive(pid); ++i) {
        std::this_thread::sleep_for(milliseconds(10));
    }
    return !is_alive(pid);
}

/// Reads one line, the pid that a script has printed.
pid_t read_pid(int fd) {
    std::string line;
    char c = 0;
    while (wait_readable(fd, seconds(10)).value_or(false) && read(fd, &c, 1) == 1 && c != '\n') {
        line += c;
    }
    // NOLINTNEXTLINE(concurrency-mt-unsafe): atoi touches nothing shared
    return line.empty() ? -1 : std::atoi(line.c_str());
}

TEST(RunAndCapture, ReturnsOutputErrorsAndExitCode) {
    const auto done = run_shell("cat; echo problem >&2; exit 3", with_input("hello")).value();
    EXPECT_EQ(done.output, "hello");
    EXPECT_EQ(done.error_output, "problem\n");
    EXPECT_EQ(done.status.exit_code, 3);
    EXPECT_FALSE(done.status.success());
    EXPECT_EQ(done.status.to_string(), "exit code 3");
    EXPECT_FALSE(done.truncated);
}

TEST(RunAndCapture, TellsASignalFromAnExitCode) {
    const auto done = run_shell("kill -SEGV $$").value();
    EXPECT_EQ(done.status.signal, SIGSEGV);
    EXPECT_FALSE(done.status.exit_code);
    EXPECT_EQ(done.status.to_string(), "SIGSEGV");
    EXPECT_EQ(run_shell("exit 139").value().status.exit_code, 139);
    EXPECT_EQ(run_shell("exit 127").value().status.exit_code, 127);
}

TEST(RunAndCapture, CutsTheOutputAtTheLimitAndStillLetsTheProgramEnd) {
    CaptureOptions options;
    options.output_bytes_max = 1000;
    const auto cut = run_shell("yes | head -c 1000000; echo done >&2", options).value();
    EXPECT_EQ(cut.output.size(), 1000U);
    EXPECT_EQ(cut.error_output, "done\n");
    EXPECT_TRUE(cut.truncated);
    EXPECT_FALSE(run_shell("yes | head -c 1000", options).value().truncated);
    EXPECT_TRUE(run_shell("yes | head -c 1001", options).value().truncated);
}

TEST(RunAndCapture, PassesLargeInputAndOutputWhole) {
    const std::string text(std::size_t{3} << 20U, 'q');
    CaptureOptions options = with_input(text);
    options.output_bytes_max = text.size();
    EXPECT_EQ(run_shell("cat", options).value().output, text);
    EXPECT_TRUE(run_shell("exit 0", options).value().status.success());
}

TEST(RunAndCapture, KillsAtTheDeadline) {
    CaptureOptions options;
    options.timeout = milliseconds(50);
    const auto late = run_shell("sleep 100 & sleep 100", options);
    EXPECT_EQ(late.error().code, ErrorCode::kDeadlineExceeded);
    EXPECT_NE(late.error().message.find("50 ms"), std::string::npos);
}

TEST(RunAndCapture, DoesNotWaitForADescendantThatKeepsTheStreamsOpen) {
    const auto start = steady_clock::now();
    const auto done = run_shell("sleep 100 & echo $!").value();
    EXPECT_LT(steady_clock::now() - start, seconds(20));
    EXPECT_TRUE(goes_away(std::stoi(done.output)));
}

TEST(RunAndCapture, GivesExactlyTheEnvironmentAndFolder) {
    CaptureOptions options;
    options.environment = {{"A", "1 2"}, {"EMPTY", ""}};
    options.working_directory = "/usr";
    EXPECT_EQ(run_and_capture({"env"}, options).value().output, "A=1 2\nEMPTY=\n");
    EXPECT_EQ(run_and_capture({"pwd"}, options).value().output, "/usr\n");
}

TEST(ChildProcess, ReportsAProgramThatCannotStartInsteadOfExitCode127) {
    const auto start_error = [](std::vector<std::string> argv) {
        ChildSpec spec;
        spec.argv = std::move(argv);
        return ChildProcess::start(spec).error();
    };
    const Error missing = start_error({"/no/such/program"});
    EXPECT_EQ(missing.code, ErrorCode::kNotFound);
    EXPECT_NE(missing.message.find("/no/such/program"), std::string::npos);
    const Error unknown = start_error({"no-such-program"});
    EXPECT_EQ(unknown.code, ErrorCode::kNotFound);
    EXPECT_NE(unknown.message.find("/usr/bin"), std::string::npos);
    EXPECT_EQ(start_error({"/etc/passwd"}).code, ErrorCode::kPermissionDenied);
    EXPECT_EQ(start_error({"/usr"}).code, ErrorCode::kPermissionDenied);
    EXPECT_EQ(start_error({}).code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(start_error({""}).code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(start_error({"/bin/echo", std::string("a\0b", 3)}).code, ErrorCode::kInvalidArgument);
}

TEST(ChildProcess, ReportsAFileThatIsNoProgram) {
    const auto folder = TemporaryDirectory::create(fs::temp_directory_path()).value();
    ChildSpec spec;
    spec.argv = {(folder.path() / "x").string()};
    ASSERT_TRUE(write_file_atomically(folder.path() / "x", "\x01\x02garbage", 0755));
    EXPECT_EQ(ChildProcess::start(spec).error().code, ErrorCode::kInvalidArgument);
    ASSERT_TRUE(write_file_atomically(folder.path() / "x", "#!/no/such/shell\n", 0755));
    EXPECT_EQ(ChildProcess::start(spec).error().code, ErrorCode::kNotFound);
    ASSERT_TRUE(write_file_atomically(folder.path() / "x", "#!/bin/sh\n", 0644));
    spec.argv = {"x"};
    spec.environment = {{"PATH", folder.path().string()}};
    EXPECT_EQ(ChildProcess::start(spec).error().code, ErrorCode::kPermissionDenied);
}

TEST(ChildProcess, ReportsBadFoldersFilesAndDescriptors) {
    ChildSpec spec = shell("exit 0");
    spec.working_directory = "/no/such/folder";
    EXPECT_EQ(ChildProcess::start(spec).error().code, ErrorCode::kNotFound);
    spec = shell("exit 0");
    spec.standard_input = StdioFile{"/no/such/file"};
    EXPECT_EQ(ChildProcess::start(spec).error().code, ErrorCode::kNotFound);
    spec = shell("exit 0");
    spec.standard_output = StdioFd{9999};
    EXPECT_EQ(ChildProcess::start(spec).error().code, ErrorCode::kInvalidArgument);
    for (const PassedFd bad : {PassedFd{0, 2}, PassedFd{9999, 3}, PassedFd{-1, 3}}) {
        spec = shell("exit 0");
        spec.passed_fds = {bad};
        EXPECT_EQ(ChildProcess::start(spec).error().code, ErrorCode::kInvalidArgument);
    }
    spec = shell("exit 0");
    spec.passed_fds = {{0, 3}, {0, 3}};
    EXPECT_EQ(ChildProcess::start(spec).error().code, ErrorCode::kInvalidArgument);
    spec = shell("exit 0");
    spec.environment = {{"A=B", "x"}};
    EXPECT_EQ(ChildProcess::start(spec).error().code, ErrorCode::kInvalidArgument);
}

TEST(ChildProcess, PassesDescriptorsAtTheirNumbersAlsoWhenTheySwap) {
    Pipe first = make_pipe().value();
    Pipe second = make_pipe().value();
    const UniqueFd a(fcntl(first.write_end.get(), F_DUPFD_CLOEXEC, 50));
    const UniqueFd b(fcntl(second.write_end.get(), F_DUPFD_CLOEXEC, 50));
    ChildSpec spec = shell(fmt::format(
        "echo one >&3; echo two > /proc/self/fd/{}; echo three > /proc/self/fd/{}", a.get(), b.get()
    ));
    spec.passed_fds = {{a.get(), b.get()}, {b.get(), a.get()}, {a.get(), 3}};
    auto child = ChildProcess::start(spec).value();
    EXPECT_TRUE(child.wait(in(seconds(10))).value().success());
    char text[16] = {};
    ASSERT_EQ(read(first.read_end.get(), text, sizeof text), 10);
    EXPECT_STREQ(text, "one\nthree\n");
    char other[16] = {};
    ASSERT_EQ(read(second.read_end.get(), other, sizeof other), 4);
    EXPECT_STREQ(other, "two\n");
}

TEST(ChildProcess, ClosesEveryOtherDescriptorEvenWithoutCloseOnExec) {
    Pipe pipe = make_pipe().value();
    const int leaky = dup(pipe.write_end.get());
    ChildSpec spec = shell("ls /proc/self/fd | tr '\\n' ' '");
    spec.standard_output = StdioPipe{};
    for (const Containment containment : {Containment::kSession, Containment::kGuarded}) {
        spec.containment = containment;
        auto child = ChildProcess::start(spec).value();
        ASSERT_TRUE(child.wait(in(seconds(10))).value().success());
        char text[64] = {};
        const UniqueFd out = child.take_stdout();
        // 3 is the folder that ls itself has open.
        ASSERT_GT(read(out.get(), text, sizeof text - 1), 0);
        EXPECT_STREQ(text, "0 1 2 3 ");
    }
    close(leaky);
}

TEST(ChildProcess, ConnectsStreamsToFiles) {
    const auto folder = TemporaryDirectory::create(fs::temp_directory_path()).value();
    ASSERT_TRUE(write_file_atomically(folder.path() / "in", "from a file"));
    ChildSpec spec = shell("cat; echo bad >&2");
    spec.working_directory = folder.path();
    spec.standard_input = StdioFile{folder.path() / "in"};
    spec.standard_output = StdioFile{folder.path() / "out"};
    spec.standard_error = StdioFile{folder.path() / "err", true};
    for (int i = 0; i < 2; ++i) {
        auto child = ChildProcess::start(spec).value();
        ASSERT_TRUE(child.wait(in(seconds(10))).value().success());
    }
    EXPECT_EQ(read_file(folder.path() / "out", 100).value(), "from a file");
    EXPECT_EQ(read_file(folder.path() / "err", 100).value(), "bad\nbad\n");
}

TEST(ChildProcess, ResetsSignalsThatWeIgnoreOrBlock) {
    const auto old = std::signal(SIGPIPE, SIG_IGN);
    sigset_t blocked;
    sigset_t before;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &blocked, &before);
    const auto done = run_shell("grep -E 'SigBlk|SigIgn' /proc/self/status").value();
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    std::signal(SIGPIPE, old);
    EXPECT_EQ(done.output, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

TEST(ChildProcess, AppliesResourceLimits) {
    CaptureOptions options;
    options.limits = {
        .address_space_bytes = 512 << 20,
        .cpu_seconds = 7,
        .file_bytes = 4096,
        .open_files = 20,
    };
    const auto shown = run_shell("ulimit -v; ulimit -t; ulimit -f; ulimit -n; ulimit -c", options);
    EXPECT_EQ(shown.value().output, "524288\n7\n8\n20\n0\n");
    const auto folder = TemporaryDirectory::create(fs::temp_directory_path()).value();
    options.working_directory = folder.path();
    const auto big = run_shell("exec head -c 10000 /dev/zero > big", options);
    EXPECT_EQ(big.value().status.signal, SIGXFSZ);
    EXPECT_EQ(fs::file_size(folder.path() / "big"), 4096U);
    options.limits = {.cpu_seconds = 1};
    EXPECT_EQ(run_shell("while :; do :; done", options).value().status.signal, SIGXCPU);
}

TEST(ChildProcess, AFailingPreExecStepIsNamed) {
    ChildSpec spec = shell("exit 0");
    spec.before_exec = {
        {"join the group", [](const void*) noexcept { return 0; }, nullptr},
        {"put on the hat",
         [](const void* code) noexcept { return *static_cast<const int*>(code); },
         nullptr},
    };
    const int code = EACCES;
    spec.before_exec[1].context = &code;
    for (const Containment containment : {Containment::kSession, Containment::kGuarded}) {
        spec.containment = containment;
        const auto failed = ChildProcess::start(spec);
        EXPECT_EQ(failed.error().code, ErrorCode::kPermissionDenied);
        EXPECT_NE(failed.error().message.find("put on the hat"), std::string::npos);
    }
}

class EachContainment : public testing::TestWithParam<Containment> {
protected:
    /// Starts `script`, with stdout as a pipe.
    ChildProcess start(const std::string& script) {
        ChildSpec spec = shell(script);
        spec.standard_output = StdioPipe{};
        spec.containment = GetParam();
        return ChildProcess::start(spec).value();
    }
};

TEST_P(EachContainment, WaitTimesOutThenAnswersAgainAndAgain) {
    ChildSpec spec = shell("read line; exit 5");
    spec.standard_input = StdioPipe{};
    spec.containment = GetParam();
    auto child = ChildProcess::start(spec).value();
    EXPECT_EQ(child.wait(in(milliseconds(20))).error().code, ErrorCode::kDeadlineExceeded);
    EXPECT_FALSE(wait_readable(child.exit_fd(), milliseconds(1)).value());
    child.take_stdin().reset();
    EXPECT_EQ(child.wait(in(seconds(10))).value().exit_code, 5);
    EXPECT_EQ(child.wait({}).value().exit_code, 5);
    child.end_tree();
    EXPECT_EQ(child.wait({}).value().exit_code, 5);
}

TEST_P(EachContainment, KillTakesChildrenAndGrandchildren) {
    auto child = start("sh -c 'sleep 100 & echo $!; wait' & wait");
    const UniqueFd out = child.take_stdout();
    const pid_t grandchild = read_pid(out.get());
    ASSERT_TRUE(is_alive(grandchild));
    EXPECT_TRUE(child.kill_tree(SIGKILL));
    EXPECT_TRUE(goes_away(grandchild));
    EXPECT_EQ(child.wait(in(seconds(10))).value().signal, SIGKILL);
}

TEST_P(EachContainment, TerminateGivesGraceThenKills) {
    auto polite = start("trap 'exit 9' TERM; echo $$; while :; do sleep 0.01; done");
    const UniqueFd polite_out = polite.take_stdout();
    read_pid(polite_out.get());
    EXPECT_EQ(polite.terminate(seconds(10)).value().exit_code, 9);
    auto deaf = start("trap '' TERM; echo $$; while :; do sleep 0.01; done");
    const UniqueFd deaf_out = deaf.take_stdout();
    read_pid(deaf_out.get());
    EXPECT_EQ(deaf.terminate(milliseconds(50)).value().signal, SIGKILL);
}

TEST_P(EachContainment, DestructionKillsTheTree) {
    pid_t pid = 0;
    pid_t below = 0;
    {
        auto child = start("sleep 100 & echo $!; wait");
        const UniqueFd out = child.take_stdout();
        pid = child.pid();
        below = read_pid(out.get());
        ChildProcess moved = std::move(child);
    }
    EXPECT_TRUE(goes_away(pid));
    EXPECT_TRUE(goes_away(below));
}

TEST_P(EachContainment, OutlivesTheThreadThatStartedIt) {
    std::optional<ChildProcess> child;
    std::thread([&] { child = start("echo $$; read line; exit 4"); }).join();
    const UniqueFd out = child->take_stdout();
    EXPECT_EQ(read_pid(out.get()), child->pid());
    // Its stdin is /dev/null, so it ends by itself; a parent-death signal would show as SIGKILL.
    EXPECT_EQ(child->wait(in(seconds(10))).value().exit_code, 4);
}

TEST_P(EachContainment, StartsFromManyThreadsAtOnce) {
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i) {
        threads.emplace_back([this, i] {
            for (int round = 0; round < 5; ++round) {
                auto child = start(fmt::format("echo {}; exit {}", 100 + i, i));
                const UniqueFd out = child.take_stdout();
                EXPECT_EQ(read_pid(out.get()), 100 + i);
                EXPECT_EQ(child.wait(in(seconds(30))).value().exit_code, i);
            }
        });
    }
    for (auto& thread : threads) {
        thread.join();
    }
}

TEST_P(EachContainment, UsageCoversTheWholeTree) {
    auto child = start("sh -c 'i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done'; exit 0");
    ASSERT_TRUE(child.wait(in(seconds(30))).value().success());
    const ChildUsage usage = child.end_tree();
    EXPECT_GT(usage.cpu, milliseconds(20));
    EXPECT_GT(usage.resident_bytes_max, 100'000U);
}

INSTANTIATE_TEST_SUITE_P(
    ChildProcess,
    EachContainment,
    testing::Values(Containment::kSession, Containment::kGuarded),
    [](const auto& info) {
        return info.param == Containment::kSession ? std::string("Session")
                                                   : std::string("Guarded");
    }
);

/// Prints the pid of a daemon: forked twice, with a session of its own.
constexpr const char* kDaemon = "(setsid sh -c 'setsid sleep 100 & echo $!; exit 0' &); ";

TEST(GuardedChild, KillTakesADaemonThatLeftTheSession) {
    ChildSpec spec = shell(std::string(kDaemon) + "exit 0");
    spec.standard_output = StdioPipe{};
    spec.containment = Containment::kGuarded;
    auto child = ChildProcess::start(spec).value();
    const UniqueFd out = child.take_stdout();
    const pid_t daemon = read_pid(out.get());
    EXPECT_TRUE(child.wait(in(seconds(10))).value().success());
    ASSERT_TRUE(is_alive(daemon));
    EXPECT_TRUE(child.kill_tree(SIGKILL));
    EXPECT_FALSE(is_alive(daemon));
}

TEST(GuardedChild, SignalsReachADaemonToo) {
    ChildSpec spec = shell(std::string(kDaemon) + "sleep 100");
    spec.standard_output = StdioPipe{};
    spec.containment = Containment::kGuarded;
    auto child = ChildProcess::start(spec).value();
    const UniqueFd out = child.take_stdout();
    const pid_t daemon = read_pid(out.get());
    EXPECT_TRUE(child.kill_tree(SIGTERM));
    EXPECT_TRUE(goes_away(daemon));
    EXPECT_EQ(child.wait(in(seconds(10))).value().signal, SIGTERM);
}

TEST(GuardedChild, AKilledGuardTakesTheProgramWithItAndIsReported) {
    ChildSpec spec = shell("sleep 100");
    spec.containment = Containment::kGuarded;
    auto child = ChildProcess::start(spec).value();
    ASSERT_NE(child.tree_root(), child.pid());
    kill(child.tree_root(), SIGKILL);
    EXPECT_EQ(child.wait(in(seconds(10))).error().code, ErrorCode::kInternal);
    EXPECT_TRUE(child.kill_tree(SIGKILL));
    EXPECT_TRUE(goes_away(child.pid()));
}

TEST(ProcessStat, SurvivesNamesWithParenthesesAndRefusesGarbage) {
    const std::string tail = " S 7 8 9 0 0 0 0 0 0 0 100 50 25 25 20 0 1 0 4242 0 3 0";
    const auto entry = parse_process_stat("12 (a) S (b c)" + tail).value();
    EXPECT_EQ(entry.pid, 12);
    EXPECT_EQ(entry.parent, 7);
    EXPECT_EQ(entry.session, 9);
    EXPECT_EQ(entry.threads, 1U);
    EXPECT_EQ(entry.started_at_ticks, 4242U);
    EXPECT_EQ(entry.cpu, seconds(2));
    EXPECT_EQ(entry.resident_bytes, 3U * 4096);
    for (const char* bad : {"", "12", "(x) S", "12 (x) S 1", "x (y) S 7 8 9", ")12("}) {
        EXPECT_EQ(parse_process_stat(bad).error().code, ErrorCode::kMalformed) << bad;
    }
    EXPECT_FALSE(parse_process_stat("12 (x) S 7 8 9 0 0 0 0 0 0 0 x 50 25 25 20 0 1 0 42 0 3 0"));
}

TEST(ProcessTree, StartsAtItsRootAndNeverSignalsASuccessorOfAPid) {
    auto child = ChildProcess::start(shell("sleep 100 & wait")).value();
    std::vector<ProcessEntry> tree;
    for (int i = 0; i < 500 && tree.size() < 2; ++i) {
        tree = read_process_tree(child.pid()).value();
        std::this_thread::sleep_for(milliseconds(10));
    }
    ASSERT_EQ(tree.size(), 2U);
    EXPECT_EQ(tree[0].pid, child.pid());
    EXPECT_EQ(tree[1].parent, child.pid());
    ProcessEntry other = tree[1];
    ++other.started_at_ticks;
    EXPECT_FALSE(signal_process(other, SIGKILL));
    EXPECT_TRUE(is_alive(other.pid));
    EXPECT_TRUE(signal_process(tree[1], SIGKILL));
}

/// The other half of the tests below: started by them as a program of its own.
TEST(ChildProcessHelper, StartsChildrenAndWaits) {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): before any thread is started
    const char* role = std::getenv("NEXA_TEST_CHILD_ROLE");
    if (role == nullptr) {
        return;
    }
    ChildSpec spec = shell(
        std::string_view(role) == "guarded" ? std::string(kDaemon) + "echo $$; sleep 100"
                                            : "echo $$; sleep 100 & echo $!; wait"
    );
    spec.standard_output = StdioFd{3};
    spec.containment =
        std::string_view(role) == "guarded" ? Containment::kGuarded : Containment::kSession;
    auto child = ChildProcess::start(spec).value();
    static_cast<void>(child.wait(in(seconds(100))));
}

void expect_children_die_with_their_parent(const std::string& role, bool both) {
    Pipe pids = make_pipe().value();
    ChildSpec spec;
    spec.argv = {
        fs::read_symlink("/proc/self/exe").string(),
        "--gtest_filter=ChildProcessHelper.StartsChildrenAndWaits"
    };
    spec.environment = {{"NEXA_TEST_CHILD_ROLE", role}};
    spec.passed_fds = {{pids.write_end.get(), 3}};
    auto parent = ChildProcess::start(spec).value();
    pids.write_end.reset();
    const pid_t first = read_pid(pids.read_end.get());
    const pid_t second = read_pid(pids.read_end.get());
    ASSERT_TRUE(is_alive(first));
    ASSERT_TRUE(is_alive(second));
    kill(parent.pid(), SIGKILL);
    EXPECT_TRUE(goes_away(first));
    if (both) {
        EXPECT_TRUE(goes_away(second));
    } else {
        kill(second, SIGKILL);
    }
}

TEST(ChildProcess, DiesWithOurProcess) {
    expect_children_die_with_their_parent("session", false);
}

TEST(GuardedChild, TheWholeTreeDiesWithOurProcessDaemonsIncluded) {
    expect_children_die_with_their_parent("guarded", true);
}

}  // namespace
}  // namespace nexa
