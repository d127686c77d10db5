// SPDX-License-Identifier: Apache-2.0
#include "core/log.h"

#include <array>
#include <cmath>
#include <csignal>
#include <limits>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include "core/ids.h"
#include "core/redact.h"
#include "fakes/manual_clock.h"
#include "fakes/proves.h"

namespace nexa {
namespace {

using fakes::ManualClock;
using nlohmann::json;
using namespace std::chrono_literals;

/// A log whose lines are kept.
class LogTest : public ::testing::Test {
protected:
    void configure(LogSettings settings = {}) {
        settings.callback = [this](std::string_view line) { lines.emplace_back(line); };
        log.configure(std::move(settings), clock);
    }
    json only_line() {
        EXPECT_EQ(lines.size(), 1U);
        const json parsed = json::parse(lines.at(0), nullptr, false);
        EXPECT_TRUE(parsed.is_object()) << lines.at(0);
        return parsed;
    }
    ManualClock clock;
    std::vector<std::string> lines;
    Log log;
};

TEST_F(LogTest, WritesOneJsonObjectALine) {
    NEXA_PROVES("A-22 A-23");
    configure();
    log.get_logger("db").info("opened", {{"path", "/var/nexa"}});
    EXPECT_EQ(
        lines.at(0),
        R"({"ts":"2025-11-20T19:00:00.000Z","level":"info","logger":"db","msg":"opened","path":"/var/nexa"})"
    );
}

TEST_F(LogTest, WritesEveryKindOfValue) {
    configure();
    const std::string text = "s";
    const JobId id = JobId::parse("job_7").value();
    log.get_logger("x").info(
        "m",
        {
            {"string", text},
            {"view", std::string_view("v")},
            {"literal", "l"},
            {"id", id},
            {"int", -3},
            {"int64", std::numeric_limits<std::int64_t>::min()},
            {"uint64", std::numeric_limits<std::uint64_t>::max()},
            {"double", 0.1},
            {"large", 1e300},
            {"float", 0.5F},
            {"true", true},
            {"false", false},
            {"nan", std::nan("")},
            {"inf", -std::numeric_limits<double>::infinity()},
        }
    );
    const json line = only_line();
    EXPECT_EQ(line["string"], "s");
    EXPECT_EQ(line["view"], "v");
    EXPECT_EQ(line["literal"], "l");
    EXPECT_EQ(line["id"], "job_7");
    EXPECT_EQ(line["int"], -3);
    EXPECT_EQ(line["int64"], std::numeric_limits<std::int64_t>::min());
    EXPECT_EQ(line["uint64"], std::numeric_limits<std::uint64_t>::max());
    EXPECT_EQ(line["double"], 0.1);
    EXPECT_EQ(line["large"], 1e300);
    EXPECT_EQ(line["float"], 0.5);
    EXPECT_EQ(line["true"], true);
    EXPECT_EQ(line["false"], false);
    EXPECT_EQ(line["nan"], "nan");
    EXPECT_EQ(line["inf"], "-inf");
}

TEST_F(LogTest, ContextStandsInEveryLineAndNests) {
    NEXA_PROVES("A-23");
    configure();
    const Logger base = log.get_logger("orchestration");
    const Logger request = base.with({{"request_id", std::string("req_") + "1"}, {"try", 1}});
    const Logger job = request.with({{"job_id", "job_1"}, {"ok", true}, {"share", 0.5}});
    job.info("one", {{"n", 1U}});
    request.info("two");
    base.info("three");
    EXPECT_EQ(
        lines.at(0).substr(lines.at(0).find("\"logger\"")),
        R"("logger":"orchestration","msg":"one","request_id":"req_1","try":1,"job_id":"job_1","ok":true,"share":0.5,"n":1})"
    );
    EXPECT_NE(lines.at(1).find("req_1"), std::string::npos);
    EXPECT_EQ(lines.at(1).find("job_1"), std::string::npos);
    EXPECT_EQ(lines.at(2).find("req_1"), std::string::npos);
}

TEST_F(LogTest, AFieldReplacesAnEarlierOneOfItsNameAndReservedNamesStayOurs) {
    configure();
    const Logger logger = log.get_logger("x").with({{"a", 1}, {"b", 1}}).with({{"a", 2}});
    logger.info("m", {{"b", 2}, {"c", 1}, {"c", 2}, {"msg", "mine"}, {"ts", 0}});
    EXPECT_EQ(
        lines.at(0).substr(lines.at(0).find("\"msg\"")),
        R"("msg":"m","a":2,"b":2,"c":2,"msg_":"mine","ts_":0})"
    );
}

TEST_F(LogTest, LinesBelowTheLevelAreNotWritten) {
    NEXA_PROVES("A-22 A-23");
    configure({.level = LogLevel::kWarning});
    const Logger logger = log.get_logger("x");
    logger.debug("no");
    logger.info("no");
    EXPECT_TRUE(lines.empty());
    logger.warning("yes");
    logger.error("yes");
    EXPECT_EQ(lines.size(), 2U);
    EXPECT_FALSE(logger.enabled(LogLevel::kInfo));
    EXPECT_TRUE(logger.enabled(LogLevel::kWarning));

    configure({.level = LogLevel::kDebug});
    logger.debug("loggers follow the new level");
    EXPECT_EQ(lines.size(), 3U);

    configure({.level = LogLevel::kOff});
    logger.error("no");
    EXPECT_EQ(lines.size(), 3U);
}

TEST_F(LogTest, IsSilentUntilConfiguredAndAfterItsEnd) {
    const Logger early = log.get_logger("x");
    early.error("lost");
    EXPECT_TRUE(lines.empty());
    configure();
    early.info("seen");
    EXPECT_EQ(lines.size(), 1U);
    log.silence();
    early.error("lost");
    EXPECT_EQ(lines.size(), 1U);

    auto short_lived = std::make_unique<Log>();
    short_lived->configure(
        {.callback = [this](std::string_view line) { lines.emplace_back(line); }}, clock
    );
    const Logger orphan = short_lived->get_logger("x");
    short_lived.reset();
    orphan.error("lost");
    EXPECT_EQ(lines.size(), 1U);
}

TEST_F(LogTest, AnyBytesMakeOneLineThatParses) {
    configure();
    std::string bytes;
    for (int i = 0; i < 256; ++i) {
        bytes += static_cast<char>(i);
    }
    log.get_logger(bytes).with({{bytes, bytes}}).error(bytes, {{"other", bytes}});
    EXPECT_EQ(lines.at(0).find('\n'), std::string::npos);
    const json line = only_line();
    EXPECT_EQ(line["msg"].get<std::string>().substr(0, 128), bytes.substr(0, 128));
    EXPECT_EQ(line["other"], line["msg"]);
}

TEST_F(LogTest, SecretsAppearNowhereInALine) {
    NEXA_PROVES("A-20");
    configure();
    const std::string secret = "correct horse \"battery\"";
    const std::string key = "nexa_wk_" + std::string(49, 'k');
    const Logger early = log.get_logger("x").with({{"early", secret}});
    ASSERT_TRUE(register_secret(secret));
    early.with({{key, 1}}).info("login with " + secret, {{"header", "Bearer " + key}, {secret, 1}});
    const json line = only_line();
    EXPECT_EQ(line["msg"], "login with [redacted]");
    EXPECT_EQ(line["early"], "[redacted]");
    EXPECT_EQ(line["header"], "Bearer [redacted]");
    for (const char* part : {"correct", "battery", "kkkk"}) {
        EXPECT_EQ(lines.at(0).find(part), std::string::npos) << part;
    }

    configure({.format = LogFormat::kText});
    early.info("login with " + secret, {{"header", key}});
    EXPECT_EQ(
        lines.at(1),
        "2025-11-20T19:00:00.000Z info x: login with [redacted] early=[redacted] header=[redacted]"
    );
}

TEST_F(LogTest, LongValuesAreCutBetweenCharactersAndNeverInsideASecret) {
    configure({.value_bytes_max = 10});
    const Logger logger = log.get_logger("x");
    logger.info("0123456789", {{"over", "0123456789a"}, {"euro", "01234567\u20ac9"}});
    const json line = only_line();
    EXPECT_EQ(line["msg"], "0123456789");
    EXPECT_EQ(line["over"], "0123456789...[1 bytes cut]");
    EXPECT_EQ(line["euro"], "01234567...[4 bytes cut]");

    ASSERT_TRUE(register_secret("cut-me-not"));
    logger.info("12345cut-me-not");
    EXPECT_EQ(lines.at(1).find("cut-me"), std::string::npos);
}

TEST_F(LogTest, TextFormatIsForPeople) {
    NEXA_PROVES("A-22");
    configure({.format = LogFormat::kText});
    clock.advance(1500ms);
    log.get_logger("db")
        .with({{"job_id", "job_1"}})
        .warning(
            "slow \"query\"\nhere",
            {{"ms", 1.5}, {"sql", "select 1"}, {"empty", ""}, {"nan", std::nan("")}, {"a b", "x=y"}}
        );
    EXPECT_EQ(
        lines.at(0),
        "2025-11-20T19:00:01.500Z warning db: slow \"query\"\\nhere job_id=job_1 ms=1.5 "
        "sql=\"select 1\" empty=\"\" nan=nan \"a b\"=\"x=y\""
    );
}

TEST(LogLevel, NamesReadBack) {
    for (const auto level :
         {LogLevel::kDebug, LogLevel::kInfo, LogLevel::kWarning, LogLevel::kError, LogLevel::kOff
         }) {
        EXPECT_EQ(parse_log_level(to_string(level)).value(), level);
    }
    const auto refused = parse_log_level("INFO");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
    EXPECT_FALSE(refused.error().advice.empty());
}

/// The lines in a file that the log writes to.
class LogFile {
public:
    LogFile() : fd_(::memfd_create("log", MFD_CLOEXEC)) {}
    ~LogFile() { ::close(fd_); }
    LogFile(const LogFile&) = delete;
    LogFile& operator=(const LogFile&) = delete;

    int fd() const { return fd_; }
    std::vector<std::string> lines() const {
        std::string text(static_cast<std::size_t>(::lseek(fd_, 0, SEEK_END)), '\0');
        EXPECT_EQ(::pread(fd_, text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
        EXPECT_TRUE(text.empty() || text.ends_with('\n'));
        std::vector<std::string> result;
        for (std::size_t at = 0; at < text.size();) {
            const std::size_t end = text.find('\n', at);
            result.push_back(text.substr(at, end - at));
            at = end + 1;
        }
        return result;
    }

private:
    int fd_;
};

TEST(LogToFile, LinesOfManyThreadsNeverInterleaveAndStandInTheOrderOfTheirTimes) {
    NEXA_PROVES("A-22");
    const LogFile file;
    ManualClock clock;
    Log log;
    log.configure({.fd = file.fd()}, clock);
    const auto work = [&](int which) {
        const Logger logger = log.get_logger("thread").with({{"which", which}});
        for (int i = 0; i < 500; ++i) {
            clock.advance(1ms);
            logger.info(
                "line", {{"i", i}, {"long", std::string(static_cast<std::size_t>(i) * 20, 'x')}}
            );
        }
    };
    {
        std::vector<std::jthread> threads;
        for (int which = 0; which < 4; ++which) {
            threads.emplace_back(work, which);
        }
    }
    std::array<int, 4> next{};
    std::string last_time;
    const auto lines = file.lines();
    ASSERT_EQ(lines.size(), 2'000U);
    for (const std::string& line : lines) {
        const json parsed = json::parse(line, nullptr, false);
        ASSERT_TRUE(parsed.is_object()) << line;
        EXPECT_EQ(parsed["i"], next.at(parsed["which"].get<std::size_t>())++);
        EXPECT_LE(last_time, parsed["ts"].get<std::string>());
        last_time = parsed["ts"];
    }
    EXPECT_EQ(log.lost_lines(), 0U);
}

TEST(LogToFile, CanBeSilencedAndReconfiguredWhileOthersLog) {
    const LogFile file;
    Log log;
    std::jthread writer([&log](const std::stop_token& stop) {
        const Logger logger = log.get_logger("x");
        while (!stop.stop_requested()) {
            logger.error("line");
        }
    });
    for (int i = 0; i < 50; ++i) {
        ManualClock clock;  // gone after the round: a use after silence() is one that ASan sees
        log.configure({.fd = file.fd()}, clock);
        log.silence();
    }
    writer.request_stop();
    writer.join();
    for (const std::string& line : file.lines()) {
        EXPECT_TRUE(json::accept(line)) << line;
    }
}

TEST(LogToPipe, LosesWhatDoesNotFitCountsItAndBreaksNoLaterLine) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe2(ends.data(), O_NONBLOCK | O_CLOEXEC), 0);
    ASSERT_GE(::fcntl(ends[1], F_SETPIPE_SZ, 4096), 4096);
    ManualClock clock;
    Log log;
    log.configure({.fd = ends[1]}, clock);
    const Logger logger = log.get_logger("x");
    logger.info("torn", {{"long", std::string(8'000, 'x')}});
    EXPECT_EQ(log.lost_lines(), 1U);
    std::string read(8'192, '\0');
    const ssize_t first = ::read(ends[0], read.data(), read.size());
    EXPECT_EQ(first, 4'096);

    logger.info("whole");
    const ssize_t second = ::read(ends[0], read.data(), read.size());
    ASSERT_GT(second, 0);
    EXPECT_EQ(
        read.substr(0, static_cast<std::size_t>(second)),
        "\n{\"ts\":\"2025-11-20T19:00:00.000Z\",\"level\":\"info\",\"logger\":\"x\",\"msg\":"
        "\"whole\"}\n"
    );
    EXPECT_EQ(log.lost_lines(), 1U);
    ::close(ends[0]);
    ::close(ends[1]);
}

TEST(LogToPipe, SurvivesAReaderThatLeft) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    ::close(ends[0]);
    const auto before = std::signal(SIGPIPE, SIG_IGN);
    ManualClock clock;
    Log log;
    log.configure({.fd = ends[1]}, clock);
    log.get_logger("x").info("nobody reads");
    EXPECT_EQ(log.lost_lines(), 1U);
    ::close(ends[1]);
    std::signal(SIGPIPE, before);
}

TEST(ProcessLog, ConfigureLoggingSetsTheLoggersOfGetLogger) {
    NEXA_PROVES("A-22 A-23");
    const LogFile file;
    ManualClock clock;
    const Logger logger = get_logger("main").with({{"job_id", "job_9"}});
    logger.error("before");
    configure_logging({.fd = file.fd()}, clock);
    logger.info("after");
    process_log().silence();
    const auto lines = file.lines();
    ASSERT_EQ(lines.size(), 1U);
    const json line = json::parse(lines[0]);
    EXPECT_EQ(line["logger"], "main");
    EXPECT_EQ(line["job_id"], "job_9");
    EXPECT_EQ(line["msg"], "after");
    EXPECT_EQ(line["level"], "info");
    EXPECT_TRUE(parse_rfc3339(line["ts"].get<std::string>()));
}

TEST(LogDeathTest, ADescriptorBelowZeroIsABug) {
    ManualClock clock;
    Log log;
    EXPECT_DEATH(log.configure({.fd = -1}, clock), "fd >= 0");
}

}  // namespace
}  // namespace nexa
