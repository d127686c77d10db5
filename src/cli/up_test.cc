// SPDX-License-Identifier: Apache-2.0
//
// `up` with shell scripts in the place of nexad and nexa-worker; this test answers /readyz.
#include "cli/up.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <fstream>
#include <thread>

#include <gtest/gtest.h>

#include "cli/cli_world_internal.h"
#include "fakes/http_host.h"

namespace nexa::cli {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

net::Task<net::Response> ready(net::Request) {
    co_return net::Response::json("{}");
}

net::Task<net::Response> somebody_else(net::Request) {
    co_return net::Response::json("{}", 404);
}

// The TERM trap makes the shell end at once, and say in which order it was.
constexpr const char* kRuns =
    "#!/bin/sh\ntrap 'echo %NAME% >> \"$HOME/ended\"; exit 0' TERM\necho \"$$ $*\" >> "
    "\"$HOME/%NAME%\"\n"
    "while :; do sleep 0.05; done\n";

class Up : public testing::Test {
protected:
    Up() {
        EXPECT_TRUE(signals);
        world.context.watch_signals = [this] {
            return Result<UniqueFd>(UniqueFd(::fcntl(signals->read_end.get(), F_DUPFD_CLOEXEC, 3)));
        };
        world.context.is_port_free = [](std::uint16_t) { return true; };  // `server` has it
        fs::create_directory(world.home.path() / "bin");
        program("nexad", kRuns);
        program("nexa-worker", kRuns);
    }

    void program(const std::string& name, std::string text) {
        for (std::size_t at = text.find("%NAME%"); at != std::string::npos;
             at = text.find("%NAME%")) {
            text.replace(at, 6, name);
        }
        const fs::path path = world.home.path() / "bin" / name;
        std::ofstream(path) << text;
        fs::permissions(path, fs::perms::owner_all);
    }
    void send_signal() {
        const signalfd_siginfo info{};
        ASSERT_EQ(
            ::write(signals->write_end.get(), &info, sizeof(info)),
            static_cast<ssize_t>(sizeof(info))
        );
    }
    std::string text_of(const std::string& name) {
        return read_file(world.home.path() / name, 1 << 20).value_or("");
    }
    int lines_of(const std::string& name) {
        const std::string text = text_of(name);
        return static_cast<int>(std::ranges::count(text, '\n'));
    }
    /// Waits on what the children write, with a limit that only a broken test reaches.
    bool wait_until(const std::function<bool()>& condition) {
        for (int i = 0; i < 1'000; ++i) {
            if (condition()) {
                return true;
            }
            std::this_thread::sleep_for(10ms);
        }
        return false;
    }
    int run(const std::vector<std::string>& more = {}) {
        std::vector<std::string> arguments{
            "up", "--dir", dir().native(), "--port", std::to_string(server.port()), "--grace", "5"
        };
        arguments.insert(arguments.end(), more.begin(), more.end());
        return world.run(arguments);
    }
    fs::path dir() const { return world.home.path() / "forge"; }
    bool is_alive(const std::string& name) {
        const std::string text = text_of(name);
        if (text.empty()) {
            return false;  // it was ended before it could say its number
        }
        const std::size_t line = text.rfind('\n', text.size() - 2);
        return ::kill(std::stoi(text.substr(line == std::string::npos ? 0 : line + 1)), 0) == 0;
    }

    CliWorld world;
    Result<Pipe> signals = make_pipe();
    fakes::HttpHost server{
        {{.path = "/readyz", .auth = net::Auth::kPublic, .handler = ready}},
    };
};

TEST_F(Up, EndsTheWorkerBeforeTheServerAndLeavesNothingRunning) {
    int code = -1;
    std::thread runner([&] { code = run(); });
    EXPECT_TRUE(wait_until([&] { return lines_of("nexa-worker") == 1; }));
    send_signal();
    runner.join();
    EXPECT_EQ(code, 0) << world.err.str();
    EXPECT_EQ(text_of("ended"), "nexa-worker\nnexad\n");
    EXPECT_FALSE(is_alive("nexad"));
    EXPECT_FALSE(is_alive("nexa-worker"));
    EXPECT_NE(
        text_of("nexa-worker").find("--key-file " + dir().native() + "/admin.key"),
        std::string::npos
    );
    EXPECT_NE(
        world.out.str().find("export NEXA_API_KEY=$(cat " + dir().native() + "/admin.key)"),
        std::string::npos
    );
}

TEST_F(Up, IsUpWhenTheGatewayIsToo) {
    std::atomic<int> asked = 0;
    const fakes::HttpHost gateway({{
        .path = "/readyz",
        .auth = net::Auth::kPublic,
        .handler =
            [&](net::Request request) {
                return ++asked < 3 ? somebody_else(std::move(request)) : ready(std::move(request));
            },
    }});
    program("nexa-gateway", kRuns);
    int code = -1;
    std::thread runner([&] { code = run({"--gateway-port", std::to_string(gateway.port())}); });
    EXPECT_TRUE(wait_until([&] { return asked == 3; }));
    send_signal();
    runner.join();
    EXPECT_EQ(code, 0) << world.err.str();
    EXPECT_EQ(asked, 3) << "it is not asked again when it is up";
    EXPECT_NE(world.out.str().find("served at " + gateway.url() + "/v1\n"), std::string::npos)
        << world.out.str();
}

TEST_F(Up, RestartsAChildThatDies) {
    int code = -1;
    std::thread runner([&] { code = run(); });
    EXPECT_TRUE(wait_until([&] { return lines_of("nexa-worker") == 1; }));
    ::kill(std::stoi(text_of("nexa-worker")), SIGKILL);
    EXPECT_TRUE(wait_until([&] { return lines_of("nexa-worker") == 2; }));
    send_signal();
    runner.join();
    EXPECT_EQ(code, 0);
    EXPECT_NE(world.err.str().find("nexa-worker ended (SIGKILL)"), std::string::npos)
        << world.err.str();
}

TEST_F(Up, EndsWithTheCodeAndMessageOfAChildThatCannotRun) {
    program("nexa-worker", "#!/bin/sh\necho 'bad key file' >&2\nexit 4\n");
    EXPECT_EQ(run(), 4);
    EXPECT_NE(world.err.str().find("bad key file"), std::string::npos);
    EXPECT_FALSE(is_alive("nexad"));
}

TEST_F(Up, SecondSignalKillsAtOnce) {
    program(
        "nexa-worker",
        "#!/bin/sh\ntrap '' TERM\necho \"$$\" >> \"$HOME/nexa-worker\"\nwhile :; do sleep 0.05; "
        "done\n"
    );
    int code = -1;
    std::thread runner([&] { code = run(); });
    EXPECT_TRUE(wait_until([&] { return lines_of("nexa-worker") == 1; }));
    send_signal();
    send_signal();
    runner.join();
    EXPECT_EQ(code, 0);
    EXPECT_FALSE(is_alive("nexa-worker"));
    EXPECT_FALSE(is_alive("nexad"));
    EXPECT_NE(world.err.str().find("is killed"), std::string::npos);
}

TEST_F(Up, RefusesAFolderThatAnotherHolds) {
    fs::create_directories(dir());
    const UniqueFd held(::open((dir() / "up.lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    ASSERT_EQ(::flock(held.get(), LOCK_EX), 0);
    EXPECT_EQ(run(), 6);
    EXPECT_NE(world.err.str().find("another 'nexa up' runs on"), std::string::npos);
    EXPECT_EQ(text_of("nexad"), "");
}

TEST_F(Up, StartsNothingWhereAPortIsTaken) {
    world.context.is_port_free = &is_port_free;
    EXPECT_EQ(run(), 10);
    EXPECT_NE(
        world.err.str().find(fmt::format("--port: port {} is taken", server.port())),
        std::string::npos
    ) << world.err.str();
    EXPECT_EQ(text_of("nexad"), "");
}

TEST_F(Up, SaysWhichProgramIsMissing) {
    fs::remove(world.home.path() / "bin/nexad");
    EXPECT_EQ(run(), 5);
    EXPECT_NE(world.err.str().find("nexad"), std::string::npos);
}

}  // namespace
}  // namespace nexa::cli
