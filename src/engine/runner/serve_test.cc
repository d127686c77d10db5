// SPDX-License-Identifier: Apache-2.0
#include "engine/runner/serve.h"

#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <thread>

#include <gmock/gmock.h>

#include "core/file.h"
#include "engine/runner/model_test_internal.h"

namespace nexa::runner {
namespace {

using protocol::RunnerAsk;
using protocol::RunnerSays;
using ::testing::HasSubstr;

constexpr std::chrono::seconds kPatience{30};

/// A peer of a runner that blocks.
class Peer {
public:
    explicit Peer(const std::filesystem::path& path)
        : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
        connected = ::connect(
                        socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)
                    ) == 0;
    }
    void send(std::string_view bytes) {
        ASSERT_EQ(
            ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(bytes.size())
        );
    }
    void ask(const RunnerAsk& ask) { send(protocol::to_frame(ask)); }
    /// Nothing once the runner has closed.
    std::optional<RunnerSays> next() {
        while (lines_.empty()) {
            const auto readable = wait_readable(socket_.get(), kPatience);
            EXPECT_TRUE(readable && *readable) << "the runner is silent";
            std::array<char, 4096> room;
            const ssize_t got = ::recv(socket_.get(), room.data(), room.size(), 0);
            if (got <= 0 || !readable || !*readable) {
                return std::nullopt;
            }
            auto lines = splitter_.feed({room.data(), static_cast<std::size_t>(got)});
            std::ranges::move(*lines, std::back_inserter(lines_));
        }
        auto says = protocol::read_says(lines_.front());
        lines_.erase(lines_.begin());
        EXPECT_TRUE(says);
        return says ? std::optional(*says) : std::nullopt;
    }
    template <class Frame>
    Frame next_as() {
        auto says = next();
        const bool fits = says && std::holds_alternative<Frame>(*says);
        EXPECT_TRUE(fits) << (says ? protocol::to_frame(*says) : "the end");
        return fits ? std::get<Frame>(*says) : Frame{};
    }
    /// The whole answer to a request that was sent.
    std::string answer() {
        std::string text;
        while (auto says = next()) {
            if (const auto* delta = std::get_if<protocol::RunnerDelta>(&*says)) {
                text += delta->text;
            } else {
                return text;
            }
        }
        return text + " (cut off)";
    }
    bool is_closed() { return !next().has_value(); }
    void hang_up() { socket_.reset(); }

    bool connected = false;

private:
    UniqueFd socket_;
    protocol::FrameSplitter splitter_;
    std::vector<std::string> lines_;
};

class Serving : public ::testing::Test {
protected:
    void start(ServeOptions options = {}) {
        options.model_folder = folder.path();
        options.socket = socket;
        options.stop_fd = stop.read_end.get();
        options.parent_fd = parent.read_end.get();
        server = std::thread([this, options] { ended = serve(options); });
        const auto deadline = std::chrono::steady_clock::now() + kPatience;
        while (!Peer(socket).connected && std::chrono::steady_clock::now() < deadline) {
            std::this_thread::yield();
        }
    }
    void TearDown() override {
        stop.write_end.reset();  // the end of a pipe is readable
        if (server.joinable()) {
            server.join();
        }
    }
    Peer greeted() {
        Peer peer(socket);
        peer.ask(protocol::RunnerHello{});
        peer.next_as<protocol::RunnerReady>();
        return peer;
    }
    static protocol::GenerateRequest endless(std::string id) {
        return {.id = std::move(id), .prompt = "a", .temperature = 0};
    }
    static protocol::GenerateRequest chat(std::string id) {
        return {
            .id = std::move(id),
            .messages = {{.role = "user", .content = "hi"}},
            .temperature = 0,
        };
    }

    TestModelFolder folder{{.max_positions = 600}};
    fakes::TempFolder place;
    std::filesystem::path socket = place.path() / "runner.sock";
    Pipe stop = make_pipe().value();
    Pipe parent = make_pipe().value();
    std::thread server;
    Status ended;
};

TEST_F(Serving, SaysWhatItServesAndAnswers) {
    start();
    Peer peer(socket);
    peer.ask(protocol::RunnerHello{});
    const auto ready = peer.next_as<protocol::RunnerReady>();
    EXPECT_EQ(ready.max_positions, 600);
    EXPECT_EQ(ready.chat_format, "chatml");
    EXPECT_EQ(ready.active_max, 8);
    peer.ask(chat("r1"));
    EXPECT_EQ(peer.answer(), kAnswer);
    struct stat about{};
    ASSERT_EQ(::stat(socket.c_str(), &about), 0);
    EXPECT_EQ(about.st_mode & 0777U, 0600U);
}

TEST_F(Serving, RequestsThatCameLaterEndFirstIfTheyAreShorter) {
    start();
    Peer peer = greeted();
    peer.ask(endless("long"));
    peer.ask(chat("short"));
    std::string text;
    while (auto says = peer.next()) {
        if (const auto* done = std::get_if<protocol::RunnerDone>(&*says)) {
            EXPECT_EQ(done->id, "short");
            break;
        }
    }
}

TEST_F(Serving, AClientThatHangsUpFreesWhatItHeld) {
    start({.limits = {.active_max = 1, .waiting_max = 0}});
    Peer first = greeted();
    first.ask(endless("a"));
    first.next_as<protocol::RunnerDelta>();
    Peer second = greeted();
    second.ask(chat("b"));
    EXPECT_EQ(second.next_as<protocol::RunnerFailed>().code, "resource_exhausted");
    first.hang_up();
    // The runner sees the end of the first before or after the next request.
    for (int tries = 0; tries < 1000; ++tries) {
        second.ask(chat("c"));
        const auto says = second.next();
        ASSERT_TRUE(says);
        if (std::holds_alternative<protocol::RunnerDelta>(*says)) {
            return;
        }
    }
    FAIL() << "the place was never free";
}

TEST_F(Serving, ACancelledRequestIsSilentAndTheNextIsAnswered) {
    start({.limits = {.active_max = 1, .waiting_max = 4}});
    Peer peer = greeted();
    peer.ask(endless("a"));
    peer.next_as<protocol::RunnerDelta>();
    peer.ask(protocol::CancelRequest{.id = "a"});
    peer.ask(chat("b"));
    while (auto says = peer.next()) {
        if (const auto* done = std::get_if<protocol::RunnerDone>(&*says)) {
            EXPECT_EQ(done->id, "b");
            return;
        }
    }
    FAIL() << "cut off";
}

TEST_F(Serving, AClientThatDoesNotReadWaitsAndIsAnsweredWholeLater) {
    start({.unread_bytes_max = 100});
    Peer slow = greeted();
    slow.ask(endless("a"));
    Peer other = greeted();
    other.ask(chat("b"));
    EXPECT_EQ(other.answer(), kAnswer);
    EXPECT_EQ(slow.answer().size(), 599U);
}

TEST_F(Serving, WhoBreaksTheProtocolIsToldAndCutOff) {
    start();
    Peer rude(socket);
    rude.ask(chat("a"));
    EXPECT_THAT(rude.next_as<protocol::RunnerFailed>().message, HasSubstr("hello"));
    EXPECT_TRUE(rude.is_closed());
    Peer broken = greeted();
    broken.send("{]\n");
    EXPECT_EQ(broken.next_as<protocol::RunnerFailed>().code, "malformed");
    EXPECT_TRUE(broken.is_closed());
    Peer newer(socket);
    newer.ask(protocol::RunnerHello{.version = 2});
    EXPECT_THAT(newer.next_as<protocol::RunnerFailed>().message, HasSubstr("version 1"));
    EXPECT_TRUE(newer.is_closed());
    Peer good = greeted();
    good.ask(chat("r"));
    EXPECT_EQ(good.answer(), kAnswer);
}

TEST_F(Serving, AWrongRequestIsRefusedAndTheConnectionStays) {
    start();
    Peer peer = greeted();
    peer.ask(protocol::GenerateRequest{.id = "r1", .prompt = std::string(5000, 'x')});
    const auto failed = peer.next_as<protocol::RunnerFailed>();
    EXPECT_EQ(failed.id, "r1");
    EXPECT_EQ(failed.code, "invalid_argument");
    EXPECT_EQ(failed.param, "prompt");
    peer.ask(chat("r2"));
    EXPECT_EQ(peer.answer(), kAnswer);
}

TEST_F(Serving, EndsWhenItsParentGoesAndTakesItsSocketAway) {
    start();
    Peer peer = greeted();
    peer.ask(endless("a"));
    parent.write_end.reset();
    server.join();
    EXPECT_TRUE(ended) << ended.error().to_string();
    EXPECT_FALSE(std::filesystem::exists(socket));
}

TEST_F(Serving, TakesThePlaceOfASocketThatWasLeft) {
    ASSERT_TRUE(write_file_atomically(socket, "left by a crash"));
    start();
    Peer peer = greeted();
    peer.ask(chat("a"));
    EXPECT_EQ(peer.answer(), kAnswer);
}

/// No more descriptors for this process, while it lives.
class NoMoreDescriptors {
public:
    NoMoreDescriptors() {
        EXPECT_EQ(::getrlimit(RLIMIT_NOFILE, &before_), 0);
        const UniqueFd lowest(::dup(STDERR_FILENO));
        rlimit lowered = before_;
        lowered.rlim_cur = static_cast<rlim_t>(lowest.get());
        EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &lowered), 0);
    }
    ~NoMoreDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }
    NoMoreDescriptors(const NoMoreDescriptors&) = delete;
    NoMoreDescriptors& operator=(const NoMoreDescriptors&) = delete;

private:
    rlimit before_{};
};

std::chrono::microseconds processor_time() {
    rusage used{};
    EXPECT_EQ(::getrusage(RUSAGE_SELF, &used), 0);
    const auto of = [](const timeval& time) {
        return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
    };
    return of(used.ru_utime) + of(used.ru_stime);
}

TEST_F(Serving, WithoutDescriptorsItWaitsQuietlyAndGoesOnWhenThereAreSome) {
    constexpr std::chrono::milliseconds kObserved(600);
    start();
    const Peer other = greeted();  // answered, so the peers before it are off the list
    const UniqueFd waiting(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, socket.c_str(), sizeof(address.sun_path) - 1);
    {
        const NoMoreDescriptors none;
        ASSERT_EQ(
            ::connect(waiting.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)),
            0
        );
        const std::string hello = protocol::to_frame(RunnerAsk(protocol::RunnerHello{}));
        ASSERT_GT(::send(waiting.get(), hello.data(), hello.size(), MSG_NOSIGNAL), 0);
        const auto before = processor_time();
        // wait_readable() needs a descriptor itself.
        pollfd answer{.fd = waiting.get(), .events = POLLIN, .revents = 0};
        EXPECT_EQ(::poll(&answer, 1, kObserved.count()), 0) << "there was a descriptor left";
        EXPECT_LT(processor_time() - before, kObserved / 2);
    }
    EXPECT_TRUE(wait_readable(waiting.get(), kPatience).value());
}

TEST_F(Serving, WhatCannotBeServedIsAnError) {
    EXPECT_EQ(
        serve({.model_folder = place.path(), .socket = socket}).error().code, ErrorCode::kNotFound
    );
    const Status too_long =
        serve({.model_folder = folder.path(), .socket = place.path() / std::string(108, 'x')});
    EXPECT_EQ(too_long.error().code, ErrorCode::kInvalidArgument);
    const Status nowhere =
        serve({.model_folder = folder.path(), .socket = place.path() / "none/x.sock"});
    EXPECT_EQ(nowhere.error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace nexa::runner
