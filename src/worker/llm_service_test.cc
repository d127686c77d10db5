// SPDX-License-Identifier: Apache-2.0
#include "worker/llm_service.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <set>

#include "core/file.h"
#include "core/json.h"
#include "core/log.h"
#include "fakes/proves.h"
#include "fakes/seeded_random.h"
#include "fakes/temp_folder.h"
#include "worker/teacher_test_internal.h"

namespace nexa::worker {
namespace {

using namespace std::chrono_literals;
using protocol::LlmReply;
using protocol::LlmRequest;

constexpr std::string_view kKey = "sk-secret-of-the-teacher";

/// The engine's end of the socket, line by line.
class Engine {
public:
    explicit Engine(const std::filesystem::path& folder)
        : fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        const std::string name = (folder / "llm.sock").native();
        EXPECT_LT(name.size(), sizeof(address.sun_path));
        std::memcpy(&address.sun_path[0], name.c_str(), name.size() + 1);
        const void* raw = &address;
        connected_ = ::connect(fd_.get(), static_cast<const sockaddr*>(raw), sizeof(address)) == 0;
    }
    bool connected() const { return connected_; }
    void send(std::string_view text) {
        // A peer that has gone shows when reading.
        while (!text.empty()) {
            const ssize_t sent = ::send(fd_.get(), text.data(), text.size(), MSG_NOSIGNAL);
            if (sent <= 0) {
                return;
            }
            text.remove_prefix(static_cast<std::size_t>(sent));
        }
    }
    void send(const LlmRequest& request) { send(to_json(request) + "\n"); }
    /// Nothing at the end of the stream.
    std::optional<LlmReply> receive() {
        while (true) {
            const std::size_t end = bytes_.find('\n');
            if (end != std::string::npos) {
                auto reply = from_json<LlmReply>(bytes_.substr(0, end));
                bytes_.erase(0, end + 1);
                EXPECT_TRUE(reply);
                return *reply;
            }
            EXPECT_TRUE(*wait_readable(fd_.get(), 30s)) << "no reply came";
            std::array<char, 4096> room{};
            const ssize_t got = ::recv(fd_.get(), room.data(), room.size(), 0);
            if (got <= 0) {
                return std::nullopt;
            }
            bytes_.append(room.data(), static_cast<std::size_t>(got));
        }
    }
    LlmReply ask(const LlmRequest& request) {
        send(request);
        auto reply = receive();
        EXPECT_TRUE(reply);
        return reply.value_or(LlmReply{});
    }

private:
    UniqueFd fd_;
    bool connected_ = false;
    std::string bytes_;
};

LlmRequest question(std::string text, std::int64_t id = 1) {
    return {
        .id = id,
        .messages = {{.role = "user", .content = std::move(text)}},
        .temperature = 0,
        .max_tokens = 10,
    };
}

class LlmServiceTest : public testing::Test {
protected:
    void SetUp() override {
        settings.teachers = {{
            .name = "local",
            .base_url = teacher.url(),
            .api_key_secret = "TEACHER_KEY",
            .input_usd_per_million = 1,
            .output_usd_per_million = 10,
        }};
        secret_sources.environment = {{"TEACHER_KEY", std::string(kKey)}};
    }
    ~LlmServiceTest() override {
        socket.reset();
        service.reset();
    }
    void open() {
        secrets.emplace(std::move(secret_sources));
        auto opened = LlmService::open(
            settings,
            folder.path() / "answers",
            {.clock = clock, .random = random, .io = io, .disk = disk, .secrets = *secrets}
        );
        ASSERT_TRUE(opened) << opened.error().to_string();
        service = std::move(*opened);
    }
    protocol::JobSpec spec(const std::string& name, double cap = 0) const {
        return {
            .job_id = "job_1",
            .job_type = "distill",
            .fence = fence,
            .payload = JsonText{fmt::format(
                R"({{"dataset_uri":"ds_1","teacher":"{}","max_cost_usd":{}}})", name, cap
            )},
            .inputs = {{.name = "dataset"}},
        };
    }
    Status offer(const protocol::JobSpec& job) {
        auto made = net::blocking::wait(
            io.serial_executor(), service->offer(job, folder.path(), stop.token())
        );
        if (!made) {
            return made.error();
        }
        socket = std::move(*made);
        return {};
    }
    /// Service and socket for `local/m`, ready to be asked.
    Engine start(double cap = 0) {
        open();
        EXPECT_TRUE(offer(spec("local/m", cap)));
        return Engine(folder.path());
    }

    fakes::TempFolder folder;
    FakeTeacher teacher;
    SystemClock clock;
    fakes::SeededRandom random;
    net::IoPool io{{.threads = 2, .on_error = nullptr}};
    net::WorkPool disk{{.name = "disk", .threads = 2}};
    LlmSettings settings;
    SecretSources secret_sources;
    std::optional<SecretManager> secrets;
    CancelSource stop;
    std::int64_t fence = 1;
    std::unique_ptr<LlmService> service;
    std::unique_ptr<LlmSocket> socket;
};

TEST_F(LlmServiceTest, QuestionReachesTheTeacherWithTheKeyAndComesBack) {
    NEXA_PROVES("T-35");
    Engine engine = start();
    LlmRequest asked = question("how much is it?", 42);
    asked.seed = 7;
    asked.stop = {"\n"};
    const LlmReply reply = engine.ask(asked);
    ASSERT_FALSE(reply.error) << reply.error->message;
    EXPECT_EQ(reply.id, 42);
    ASSERT_EQ(reply.choices.size(), 1U);
    EXPECT_EQ(reply.choices[0].text, "echo: how much is it?");
    EXPECT_EQ(reply.choices[0].finish_reason, "stop");
    EXPECT_EQ(reply.prompt_tokens, 11);
    EXPECT_EQ(reply.completion_tokens, 5);
    EXPECT_DOUBLE_EQ(reply.cost_usd, 61e-6);
    EXPECT_FALSE(reply.from_cache);
    const auto seen = teacher.seen();
    ASSERT_EQ(seen.size(), 1U);
    EXPECT_EQ(seen[0].authorization, fmt::format("Bearer {}", kKey));
    EXPECT_EQ(
        seen[0].body,
        R"({"model":"m","messages":[{"role":"user","content":"how much is it?"}],"temperature":0,)"
        R"("top_p":1,"max_tokens":10,"n":1,"seed":7,"stop":["\n"]})"
    );
    const LlmUsage usage = socket->usage();
    EXPECT_EQ(usage.prompt_tokens, 11);
    EXPECT_EQ(usage.completion_tokens, 5);
    EXPECT_DOUBLE_EQ(to_usd(usage.cost), 61e-6);
}

TEST_F(LlmServiceTest, SecondTimeTheAnswerCostsNothing) {
    Engine engine = start();
    const LlmReply first = engine.ask(question("x", 1));
    const LlmReply second = engine.ask(question("x", 2));
    EXPECT_EQ(second.id, 2);
    EXPECT_TRUE(second.from_cache);
    EXPECT_EQ(second.choices, first.choices);
    EXPECT_EQ(second.cost_usd, 0);
    EXPECT_EQ(teacher.seen().size(), 1U);
    EXPECT_EQ(socket->usage().prompt_tokens, 11);
}

TEST_F(LlmServiceTest, WhatAnEarlierAttemptPaidCountsOnceAndIsNotPaidAgain) {
    {
        Engine engine = start();
        engine.ask(question("x"));
    }
    socket.reset();
    fence = 2;
    // The cap leaves no room for one more question, but what is known is free.
    ASSERT_TRUE(offer(spec("local/m", 100e-6)));
    Engine engine(folder.path());
    EXPECT_TRUE(engine.ask(question("x", 1)).from_cache);
    EXPECT_TRUE(engine.ask(question("x", 2)).from_cache);
    EXPECT_DOUBLE_EQ(to_usd(socket->usage().cost), 61e-6);
    EXPECT_EQ(socket->usage().prompt_tokens, 11);
    EXPECT_EQ(engine.ask(question("y", 3)).error->param, protocol::kCostCapParam);
}

TEST_F(LlmServiceTest, CostCapStopsBeforeTheRequestIsSent) {
    // Worst: 33 + 8 bytes of prompt and 10 tokens of answer, 1 and 10 micro-dollars each.
    Engine engine = start(200e-6);
    EXPECT_FALSE(engine.ask(question("1")).error);
    EXPECT_FALSE(engine.ask(question("2")).error);
    const LlmReply refused = engine.ask(question("3"));
    ASSERT_TRUE(refused.error);
    EXPECT_EQ(refused.error->code, "resource_exhausted");
    EXPECT_EQ(refused.error->param, protocol::kCostCapParam);
    EXPECT_EQ(teacher.seen().size(), 2U);
    EXPECT_LE(to_usd(socket->usage().cost), 200e-6);
}

TEST_F(LlmServiceTest, RequestsUnderWayTogetherStayBelowTheCap) {
    teacher.hold();
    Engine engine = start(300e-6);
    for (std::int64_t id = 1; id <= 8; ++id) {
        engine.send(question(fmt::format("q{}", id), id));
    }
    teacher.wait_for_requests(2);  // no third fits while both may still cost their worst
    teacher.release();
    int answered = 0;
    for (int i = 0; i < 8; ++i) {
        answered += engine.receive()->error ? 0 : 1;
    }
    EXPECT_GE(answered, 3);
    EXPECT_LE(answered, 4);
    EXPECT_LE(to_usd(socket->usage().cost), 300e-6);
}

TEST_F(LlmServiceTest, BusyTeacherIsAskedAgainWhenItWants) {
    teacher.answer_with({.status = 429, .retry_after = "1"});
    teacher.answer_with({.status = 503});
    teacher.answer_with({.status = 500});
    Engine engine = start();
    const auto began = clock.steady_now();
    const LlmReply reply = engine.ask(question("x"));
    EXPECT_FALSE(reply.error);
    EXPECT_GE(clock.steady_now() - began, 900ms);
    EXPECT_EQ(teacher.seen().size(), 4U);
}

TEST_F(LlmServiceTest, TeacherThatStaysBrokenIsGivenUp) {
    settings.teachers[0].attempts = 2;
    teacher.answer_with({.status = 500});
    teacher.answer_with({.status = 500});
    Engine engine = start();
    const LlmReply reply = engine.ask(question("x"));
    ASSERT_TRUE(reply.error);
    EXPECT_EQ(reply.error->code, "unavailable");
    EXPECT_EQ(reply.error->param, "teacher");
    EXPECT_EQ(teacher.seen().size(), 2U);
}

TEST_F(LlmServiceTest, AccountWithoutCreditIsNotAskedAgain) {
    teacher.answer_with(
        {.status = 429, .body = R"({"error":{"message":"no credit","code":"insufficient_quota"}})"}
    );
    Engine engine = start();
    EXPECT_EQ(engine.ask(question("x")).error->code, "resource_exhausted");
    EXPECT_EQ(teacher.seen().size(), 1U);
}

TEST_F(LlmServiceTest, GarbageIsNoAnswerAndMayHaveCost) {
    settings.teachers[0].attempts = 1;
    teacher.answer_with({.body = "<html>"});
    Engine engine = start();
    const LlmReply reply = engine.ask(question("x"));
    ASSERT_TRUE(reply.error);
    EXPECT_EQ(reply.error->code, "unavailable");
    EXPECT_GT(to_usd(socket->usage().cost), 100e-6);
    EXPECT_EQ(socket->usage().prompt_tokens, 0);
}

TEST_F(LlmServiceTest, FewerAnswersThanAskedForAreMadeUp) {
    Engine engine = start();
    LlmRequest asked = question("x");
    asked.n = 3;
    asked.seed = 10;
    teacher.choices_max = 2;
    const LlmReply reply = engine.ask(asked);
    EXPECT_EQ(reply.choices.size(), 3U);
    const auto seen = teacher.seen();
    ASSERT_EQ(seen.size(), 2U);
    EXPECT_NE(seen[1].body.find(R"("n":1,"seed":12)"), std::string::npos);
}

TEST_F(LlmServiceTest, KeyIsInNoErrorAndNoLog) {
    std::string log;
    configure_logging(
        {.level = LogLevel::kDebug,
         .callback = [&log](std::string_view line) { log.append(line).append("\n"); }},
        clock
    );
    settings.teachers[0].attempts = 2;
    teacher.answer_with(
        {.status = 503, .body = fmt::format(R"({{"error":{{"message":"{} is busy"}}}})", kKey)}
    );
    teacher.answer_with(
        {.status = 401, .body = fmt::format(R"({{"error":{{"message":"bad key {}"}}}})", kKey)}
    );
    Engine engine = start();
    const LlmReply reply = engine.ask(question("x"));
    process_log().silence();
    ASSERT_TRUE(reply.error);
    EXPECT_EQ(reply.error->code, "unauthenticated");
    EXPECT_EQ(to_json(reply).find(kKey), std::string::npos);
    EXPECT_NE(log.find("teacher is asked again"), std::string::npos);
    EXPECT_EQ(log.find(kKey), std::string::npos);
}

TEST_F(LlmServiceTest, AnswerThatTellsTheKeyIsRedacted) {
    Engine engine = start();
    const LlmReply reply = engine.ask(question(std::string(kKey)));
    EXPECT_EQ(reply.choices[0].text, "echo: [redacted]");
}

TEST_F(LlmServiceTest, EndpointThatTheSpecDoesNotNameIsRefused) {
    settings.teachers.push_back({.name = "other", .base_url = teacher.url()});
    Engine engine = start();
    LlmRequest asked = question("x");
    asked.endpoint = "other/m";
    EXPECT_EQ(engine.ask(asked).error->code, "permission_denied");
    asked.endpoint = "local/m";
    EXPECT_FALSE(engine.ask(asked).error);
    EXPECT_EQ(teacher.seen().size(), 1U);
}

TEST_F(LlmServiceTest, GarbageLineIsToldAndCutOff) {
    Engine engine = start();
    engine.send("no json\n");
    const auto told = engine.receive();
    ASSERT_TRUE(told);
    EXPECT_EQ(told->id, 0);
    EXPECT_EQ(told->error->code, "malformed");
    EXPECT_FALSE(engine.receive());
    Engine second(folder.path());
    EXPECT_FALSE(second.ask(question("x")).error) << "the next one is served";
}

TEST_F(LlmServiceTest, LineThatIsTooLongIsToldAndCutOff) {
    Engine engine = start();
    engine.send(std::string(protocol::kLlmLineBytesMax + 1, 'x'));
    const auto told = engine.receive();
    // What was still on its way may have reset the connection before the words were read.
    EXPECT_TRUE(!told || told->error->code == "malformed");
    EXPECT_FALSE(engine.receive());
}

TEST_F(LlmServiceTest, ManyAtOnceAreAllAnswered) {
    Engine engine = start();
    std::set<std::int64_t> missing;
    for (std::int64_t id = 1; id <= 200; ++id) {
        missing.insert(id);
        engine.send(question(fmt::format("q{}", id), id));
    }
    while (!missing.empty()) {
        const auto reply = engine.receive();
        ASSERT_TRUE(reply);
        EXPECT_EQ(reply->choices.at(0).text, fmt::format("echo: q{}", reply->id));
        EXPECT_EQ(missing.erase(reply->id), 1U);
    }
    EXPECT_LE(teacher.most_at_once(), 8);
}

TEST_F(LlmServiceTest, FifthConnectionIsDropped) {
    Engine first = start();
    std::vector<std::unique_ptr<Engine>> more;
    for (int i = 0; i < 3; ++i) {
        more.push_back(std::make_unique<Engine>(folder.path()));
        EXPECT_FALSE(more.back()->ask(question("x")).error);
    }
    Engine fifth(folder.path());
    EXPECT_FALSE(fifth.receive());
    EXPECT_FALSE(first.ask(question("x")).error);
}

TEST_F(LlmServiceTest, EndOfTheJobCutsEveryoneOff) {
    teacher.hold();
    Engine engine = start();
    engine.send(question("x"));
    teacher.wait_for_requests(1);
    socket.reset();
    EXPECT_FALSE(engine.receive());
    EXPECT_FALSE(std::filesystem::exists(folder.path() / "llm.sock"));
    teacher.release();
}

TEST_F(LlmServiceTest, StoppedJobIsAnsweredNoMore) {
    Engine engine = start();
    stop.cancel();
    EXPECT_EQ(engine.ask(question("x")).error->code, "cancelled");
    EXPECT_TRUE(teacher.seen().empty());
}

TEST_F(LlmServiceTest, JobWithoutEndpointGetsNoSocket) {
    open();
    protocol::JobSpec job = spec("local/m");
    job.inputs.push_back({.name = "teacher"});
    ASSERT_TRUE(offer(job));
    EXPECT_FALSE(socket);
    EXPECT_FALSE(std::filesystem::exists(folder.path() / "llm.sock"));
}

TEST_F(LlmServiceTest, TeacherThatIsNotConfiguredIsUnavailable) {
    settings.teachers.clear();
    open();
    const Status refused = offer(spec("openai/gpt-4o-mini"));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
    EXPECT_EQ(refused.error().param, "teacher");
    EXPECT_FALSE(refused.error().advice.empty());
}

TEST_F(LlmServiceTest, TeacherWithoutKeyIsUnavailable) {
    secret_sources.environment.clear();
    open();
    const Status refused = offer(spec("local/m"));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
    EXPECT_NE(refused.error().advice.find("TEACHER_KEY"), std::string::npos);
}

TEST_F(LlmServiceTest, KeyMayBeAFileThatOthersCannotRead) {
    const auto file = folder.path() / "key";
    ASSERT_TRUE(write_file_atomically(file, "sk-from-a-file\n", 0600));
    secret_sources.environment = {{"TEACHER_KEY_FILE", file.native()}};
    Engine engine = start();
    EXPECT_FALSE(engine.ask(question("x")).error);
    EXPECT_EQ(teacher.seen()[0].authorization, "Bearer sk-from-a-file");
}

TEST_F(LlmServiceTest, SocketWorksBelowAPathLongerThanASocketsName) {
    open();
    const auto deep = folder.path() / std::string(100, 'd') / std::string(100, 'e');
    std::filesystem::create_directories(deep);
    auto made = net::blocking::wait(
        io.serial_executor(), service->offer(spec("local/m"), deep, stop.token())
    );
    ASSERT_TRUE(made) << made.error().to_string();
    EXPECT_TRUE(std::filesystem::is_socket(deep / "llm.sock"));
}

TEST_F(LlmServiceTest, BrokenTeacherIsLeftAloneForAWhile) {
    settings.teachers[0].attempts = 1;
    Engine engine = start();
    for (int i = 0; i < 5; ++i) {
        teacher.answer_with({.status = 500});
        EXPECT_TRUE(engine.ask(question(fmt::format("q{}", i))).error);
    }
    EXPECT_EQ(engine.ask(question("one more")).error->code, "unavailable");
    EXPECT_EQ(teacher.seen().size(), 5U) << "the circuit is open";
}

}  // namespace
}  // namespace nexa::worker
