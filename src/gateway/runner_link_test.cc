// SPDX-License-Identifier: Apache-2.0
#include "gateway/runner_link.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <functional>
#include <future>
#include <thread>
#include <vector>

#include <gmock/gmock.h>

#include "core/file.h"
#include "fakes/temp_folder.h"

namespace nexa::gateway {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

/// The other end of the socket: says exactly what it is told. Waits give up after ten seconds.
class Peer {
public:
    explicit Peer(const std::filesystem::path& path)
        : listening_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path.native().copy(address.sun_path, sizeof(address.sun_path) - 1);
        const void* raw = &address;
        EXPECT_EQ(::bind(listening_.get(), static_cast<const sockaddr*>(raw), sizeof(address)), 0);
        EXPECT_EQ(::listen(listening_.get(), 4), 0);
        limit(listening_.get());
    }

    void accept() {
        talking_ = UniqueFd(::accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        ASSERT_TRUE(talking_) << "nobody came";
        limit(talking_.get());
    }
    void send(std::string_view bytes) {
        while (!bytes.empty()) {
            const ssize_t sent = ::send(talking_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent <= 0) {
                return;  // the link hung up, as some tests want
            }
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
    }
    void say(const protocol::RunnerSays& says) { send(protocol::to_frame(says)); }
    /// The next line, or "" at the end of the conversation.
    std::string line() {
        for (;;) {
            const std::size_t end = received_.find('\n');
            if (end != std::string::npos) {
                std::string line = received_.substr(0, end);
                received_.erase(0, end + 1);
                return line;
            }
            std::string room(65'536, '\0');
            const ssize_t got = ::recv(talking_.get(), room.data(), room.size(), 0);
            if (got <= 0) {
                return "";
            }
            received_.append(room, 0, static_cast<std::size_t>(got));
        }
    }
    protocol::RunnerAsk ask() {
        const auto ask = protocol::read_ask(line());
        EXPECT_TRUE(ask) << ask.error().to_string();
        return ask.value_or(protocol::CancelRequest{.id = "nothing"});
    }
    protocol::GenerateRequest request() {
        const protocol::RunnerAsk asked = ask();
        const auto* request = std::get_if<protocol::GenerateRequest>(&asked);
        EXPECT_NE(request, nullptr);
        return request == nullptr ? protocol::GenerateRequest{} : *request;
    }
    void hang_up() { talking_.reset(); }

private:
    static void limit(int fd) {
        const timeval limit{.tv_sec = 10, .tv_usec = 0};
        ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
        ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    }

    UniqueFd listening_;
    UniqueFd talking_;
    std::string received_;
};

protocol::GenerateRequest prompt(std::string text) {
    return {.prompt = std::move(text), .max_new_tokens = 5, .seed = 3};
}

protocol::RunnerDelta delta(std::string id, std::string text, std::int64_t count = 1) {
    return {.id = std::move(id), .text = std::move(text), .prompt_tokens = 2, .token_count = count};
}

protocol::RunnerDone done(std::string id) {
    return {
        .id = std::move(id), .finish_reason = "stop", .prompt_tokens = 2, .completion_tokens = 1
    };
}

class Link : public testing::Test {
protected:
    using Running = std::unique_ptr<RunningGeneration>;
    using Opened = Result<std::shared_ptr<RunnerLink>>;

    ~Link() override {
        peer.hang_up();
        net::blocking::stop(io, tasks);
    }

    std::future<Opened> begin_to_open(std::size_t unsent_bytes_max = RunnerLink::kUnsentBytesMax) {
        return std::async(std::launch::async, [this, unsent_bytes_max] {
            const auto on_end = [this] { ++ends; };
            return net::blocking::wait(
                io.executor(), RunnerLink::open({io, tasks}, socket, on_end, unsent_bytes_max)
            );
        });
    }
    /// What open() says to a runner that greets with `lines`.
    Opened open_with(std::string_view lines) {
        auto opening = begin_to_open();
        peer.accept();
        EXPECT_EQ(peer.ask(), protocol::RunnerAsk(protocol::RunnerHello{}));
        peer.send(lines);
        return opening.get();
    }
    std::shared_ptr<RunnerLink> open() {
        auto link = open_with(protocol::to_frame(ready));
        EXPECT_TRUE(link) << link.error().to_string();
        return link.value_or(nullptr);
    }
    Running generate(RunnerLink& link, std::string text) {
        auto running = link.generate(prompt(std::move(text)));
        EXPECT_TRUE(running) << running.error().to_string();
        return std::move(running).value_or(nullptr);
    }
    Result<GenerationStep> next(const Running& running) {
        return net::blocking::wait(io.executor(), net::with_deadline(running->next(), 10s));
    }
    /// All up to the end, or up to the error.
    std::string rest_of(const Running& running) {
        std::string text;
        for (;;) {
            const auto step = next(running);
            if (!step) {
                return fmt::format("{}|{}", text, to_string(step.error().code));
            }
            text += step->text;
            if (step->finish_reason) {
                return fmt::format("{}|{}", text, *step->finish_reason);
            }
        }
    }
    static bool eventually(const std::function<bool()>& condition) {
        for (int i = 0; i < 5'000; ++i) {
            if (condition()) {
                return true;
            }
            std::this_thread::sleep_for(2ms);
        }
        return false;
    }
    /// Ended, and nothing of it is left running.
    bool is_over(const RunnerLink& link) const {
        return eventually([&] { return link.has_ended() && tasks.running() == 0 && ends == 1; });
    }

    fakes::TempFolder folder;
    const std::filesystem::path socket = folder.path() / "r.sock";
    const protocol::RunnerReady ready{
        .max_positions = 64, .vocab = 20, .chat_format = "plain", .active_max = 8
    };
    Peer peer{socket};
    std::atomic<int> ends = 0;
    net::IoPool io{{.threads = 2, .on_error = nullptr}};
    Mutex mutex;
    std::vector<std::string> errors NEXA_GUARDED_BY(mutex);
    net::TaskGroup tasks{io, [this](std::string_view task, const Error& error) {
                             const Lock lock(mutex);
                             errors.push_back(fmt::format("{}: {}", task, error.to_string()));
                         }};
};

// --- the greeting ---

TEST_F(Link, AfterTheGreetingRequestsCanBeSent) {
    const auto link = open();
    EXPECT_FALSE(link->has_ended());
    EXPECT_EQ(link->running(), 0U);
}

TEST_F(Link, AGreetingMayComeInPieces) {
    auto opening = begin_to_open();
    peer.accept();
    peer.line();
    for (const char byte : protocol::to_frame(ready)) {
        peer.send(std::string_view(&byte, 1));
    }
    EXPECT_TRUE(opening.get());
}

TEST_F(Link, WhereNobodyListensItIsUnavailable) {
    const auto link = net::blocking::wait(
        io.executor(), RunnerLink::open({io, tasks}, folder.path() / "nobody", [] {})
    );
    EXPECT_EQ(link.error().code, ErrorCode::kUnavailable);
}

TEST_F(Link, ARunnerThatHangsUpBeforeItGreetsIsUnavailable) {
    auto opening = begin_to_open();
    peer.accept();
    peer.hang_up();
    EXPECT_EQ(opening.get().error().code, ErrorCode::kUnavailable);
    EXPECT_EQ(ends, 0);
}

TEST_F(Link, WhatIsNoGreetingOfOursIsMalformed) {
    protocol::RunnerReady newer = ready;
    newer.version = protocol::kRunnerProtocolVersion + 1;
    for (const std::string& line :
         {std::string("HTTP/1.1 400 Bad Request\n"),
          protocol::to_frame(newer),
          protocol::to_frame(delta("g1", "x"))}) {
        EXPECT_EQ(open_with(line).error().code, ErrorCode::kMalformed) << line;
    }
}

TEST_F(Link, ARunnerThatRefusesTheConversationIsHeard) {
    const auto refused = open_with(protocol::to_frame(
        protocol::RunnerFailed{.id = "", .code = "not_found", .message = "no model", .param = ""}
    ));
    EXPECT_EQ(refused.error().code, ErrorCode::kNotFound);
    EXPECT_EQ(refused.error().message, "no model");
}

// --- answers ---

TEST_F(Link, ARequestArrivesWholeAndItsAnswerComesBack) {
    const auto link = open();
    protocol::GenerateRequest wanted{
        .id = "theirs",
        .messages = {{.role = "user", .content = "é\n\"x\""}},
        .max_new_tokens = 9,
        .temperature = 0.5,
        .top_p = 0.25,
        .seed = UINT64_MAX,
        .stop = {"\n\n"},
    };
    auto running = link->generate(wanted);
    ASSERT_TRUE(running);
    EXPECT_EQ(link->running(), 1U);
    const protocol::GenerateRequest asked = peer.request();
    wanted.id = asked.id;
    EXPECT_EQ(asked, wanted);
    EXPECT_NE(asked.id, "theirs");
    peer.say(delta(asked.id, "Hé", 1));
    const auto step = next(*running);
    EXPECT_EQ(step->text, "Hé");
    EXPECT_EQ(step->tokens.prompt, 2);
    EXPECT_EQ(step->tokens.completion, 1);
    peer.say(delta(asked.id, "!", 2));
    peer.say(done(asked.id));
    EXPECT_EQ(rest_of(*running), "!|stop");
    EXPECT_EQ(link->running(), 0U);
}

TEST_F(Link, AnswersSideBySideDoNotMix) {
    const auto link = open();
    std::vector<Running> all;
    std::vector<std::string> ids;
    for (int i = 0; i < 50; ++i) {
        all.push_back(generate(*link, std::to_string(i)));
        const protocol::GenerateRequest asked = peer.request();
        EXPECT_EQ(asked.prompt, std::to_string(i));
        ids.push_back(asked.id);
    }
    std::string frames;
    for (int round = 0; round < 3; ++round) {
        for (std::size_t i = ids.size(); i-- > 0;) {
            frames += protocol::to_frame(delta(ids[i], fmt::format("{},", i)));
        }
    }
    for (const std::string& id : ids) {
        frames += protocol::to_frame(done(id));
    }
    peer.send(frames);
    for (std::size_t i = 0; i < all.size(); ++i) {
        EXPECT_EQ(rest_of(all[i]), fmt::format("{0},{0},{0},|stop", i));
    }
}

TEST_F(Link, ARequestThatFailsFailsAlone) {
    const auto link = open();
    const Running bad = generate(*link, "bad");
    const std::string bad_id = peer.request().id;
    const Running strange = generate(*link, "strange");
    const std::string strange_id = peer.request().id;
    const Running good = generate(*link, "good");
    const std::string good_id = peer.request().id;
    peer.say(protocol::RunnerFailed{
        .id = bad_id, .code = "invalid_argument", .message = "too long", .param = "messages"
    });
    peer.say(protocol::RunnerFailed{
        .id = strange_id, .code = "of tomorrow", .message = "new", .param = ""
    });
    peer.say(done(good_id));
    const auto failed = next(bad);
    EXPECT_EQ(failed.error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(failed.error().message, "too long");
    EXPECT_EQ(failed.error().param, "messages");
    EXPECT_EQ(next(strange).error().code, ErrorCode::kInternal);
    EXPECT_EQ(rest_of(good), "|stop");
    EXPECT_FALSE(link->has_ended());
}

TEST_F(Link, WhatIsSaidOfAnUnknownRequestIsPassedOver) {
    const auto link = open();
    const Running running = generate(*link, "x");
    const std::string id = peer.request().id;
    peer.say(delta("nobody", "x"));
    peer.say(done("nobody"));
    peer.say(protocol::RunnerFailed{.id = "nobody", .code = "internal", .message = "x", .param = ""}
    );
    peer.say(done(id));
    EXPECT_EQ(rest_of(running), "|stop");
}

// --- the client goes ---

TEST_F(Link, WhoLetsGoCancelsItsRequestAndNoOther) {
    const auto link = open();
    Running gone = generate(*link, "gone");
    const std::string gone_id = peer.request().id;
    const Running stays = generate(*link, "stays");
    const std::string stays_id = peer.request().id;
    gone.reset();
    EXPECT_EQ(peer.ask(), protocol::RunnerAsk(protocol::CancelRequest{.id = gone_id}));
    EXPECT_EQ(link->running(), 1U);
    peer.say(delta(gone_id, "too late"));
    peer.say(delta(stays_id, "here"));
    peer.say(done(stays_id));
    EXPECT_EQ(rest_of(stays), "here|stop");
}

TEST_F(Link, AnAnswerThatHasEndedIsNotCancelled) {
    const auto link = open();
    Running running = generate(*link, "x");
    peer.say(done(peer.request().id));
    EXPECT_EQ(rest_of(running), "|stop");
    running.reset();
    const Running next_one = generate(*link, "y");
    EXPECT_EQ(peer.request().prompt, "y");
}

// --- the link ends ---

TEST_F(Link, AHangUpFailsWhatRunsAfterWhatWasSaid) {
    const auto link = open();
    const Running half = generate(*link, "x");
    const Running nothing = generate(*link, "y");
    peer.say(delta(peer.request().id, "half"));
    peer.request();
    peer.hang_up();
    EXPECT_EQ(rest_of(half), "half|unavailable");
    EXPECT_EQ(rest_of(nothing), "|unavailable");
    EXPECT_TRUE(is_over(*link));
    EXPECT_EQ(link->running(), 0U);
    EXPECT_EQ(link->generate(prompt("z")).error().code, ErrorCode::kUnavailable);
    const Lock lock(mutex);
    EXPECT_THAT(errors, IsEmpty());
}

TEST_F(Link, ARunnerThatCannotBeUnderstoodIsHungUpOn) {
    const std::string lines[] = {
        "garbage\n",
        R"({"type":"delta"})"
        "\n",
        protocol::to_frame(ready),
        protocol::to_frame(protocol::RunnerFailed{
            .id = "", .code = "internal", .message = "I give up", .param = ""
        }),
        std::string(protocol::kRunnerFrameBytesMax + 1, 'x'),
    };
    std::size_t told = 0;
    for (const std::string& line : lines) {
        ends = 0;
        const auto link = open();
        const Running running = generate(*link, "x");
        peer.request();
        peer.send(line);
        EXPECT_EQ(rest_of(running), "|unavailable");
        EXPECT_TRUE(is_over(*link)) << line.substr(0, 50);
        EXPECT_EQ(peer.line(), "");
        const Lock lock(mutex);
        ASSERT_THAT(errors, SizeIs(++told));
        EXPECT_THAT(errors.back(), HasSubstr("listen to a runner"));
    }
}

TEST_F(Link, AClosedLinkHangsUpAndFailsWhatRuns) {
    const auto link = open();
    const Running running = generate(*link, "x");
    peer.request();
    link->close();
    link->close();
    EXPECT_EQ(peer.line(), "");
    EXPECT_EQ(rest_of(running), "|unavailable");
    EXPECT_TRUE(is_over(*link));
    EXPECT_EQ(link->generate(prompt("y")).error().code, ErrorCode::kUnavailable);
}

TEST_F(Link, ALinkThatIsClosedTakesNoMore) {
    const auto link = open();
    link->close();
    EXPECT_EQ(link->generate(prompt("y")).error().code, ErrorCode::kUnavailable);
    EXPECT_EQ(link->running(), 0U);
}

TEST_F(Link, StoppingTheTasksLeavesNobodyWaiting) {
    const auto link = open();
    const Running running = generate(*link, "x");
    peer.request();
    net::blocking::stop(io, tasks);
    EXPECT_EQ(rest_of(running), "|unavailable");
    EXPECT_TRUE(is_over(*link));
}

/// To a runner that has greeted and reads nothing: one request is being written, for ever.
class FullLink : public Link {
protected:
    FullLink() {
        auto opening = begin_to_open(kUnsentBytesMax);
        peer.accept();
        peer.line();
        peer.say(ready);
        link = opening.get().value_or(nullptr);
        EXPECT_NE(link, nullptr);
        // Two do not fit into what may wait: once there are two, the writer has one of them.
        EXPECT_TRUE(eventually([this] {
            fill(std::string(kUnsentBytesMax * 2 / 3, 'x'));
            return running.size() == 2;
        }));
    }
    /// Such requests as long as there is room.
    void fill(const std::string& text) {
        for (;;) {
            auto more = link->generate(prompt(text));
            if (!more) {
                refusal = std::move(more).error();
                return;
            }
            running.push_back(std::move(*more));
        }
    }

    static constexpr std::size_t kUnsentBytesMax = std::size_t{3} << 20U;
    std::shared_ptr<RunnerLink> link;
    std::vector<Running> running;
    Status refusal;
};

TEST_F(FullLink, ARunnerThatReadsNothingIsGivenSoMuchAndNoMore) {
    ASSERT_FALSE(refusal);
    EXPECT_EQ(refusal.error().code, ErrorCode::kResourceExhausted);
    EXPECT_EQ(link->running(), 2U);
    EXPECT_FALSE(link->has_ended());
}

TEST_F(FullLink, ARunnerThatCannotEvenBeToldToStopIsHungUpOn) {
    fill(std::string(10'000, 'x'));
    fill("x");
    const Running kept = std::move(running.front());
    running.clear();
    EXPECT_EQ(rest_of(kept), "|unavailable");
    EXPECT_TRUE(is_over(*link));
}

TEST_F(FullLink, ALinkIsClosedAlsoWhereTheRunnerReadsNothing) {
    link->close();
    EXPECT_TRUE(is_over(*link));
    for (const Running& one : running) {
        EXPECT_EQ(rest_of(one), "|unavailable");
    }
}

}  // namespace
}  // namespace nexa::gateway
