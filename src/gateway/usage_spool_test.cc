// SPDX-License-Identifier: Apache-2.0
#include "gateway/usage_spool.h"

#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include <gmock/gmock.h>

#include "core/json.h"
#include "fakes/temp_folder.h"

namespace nexa::gateway {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

UsageLine line(std::string id) {
    return {
        .id = std::move(id),
        .at = "2025-11-20T19:00:00.000Z",
        .key_id = "k \"1\"",
        .project_id = "p1",
        .deployment_id = "dep_1",
        .prompt_tokens = 3,
        .completion_tokens = 2,
    };
}

/// As on a full disk: files of this process grow to so many bytes, and not beyond.
class FileLimit {
public:
    explicit FileLimit(rlim_t bytes) : signal_(std::signal(SIGXFSZ, SIG_IGN)) {
        ::getrlimit(RLIMIT_FSIZE, &before_);
        const rlimit lower{.rlim_cur = bytes, .rlim_max = before_.rlim_max};
        EXPECT_EQ(::setrlimit(RLIMIT_FSIZE, &lower), 0);
    }
    ~FileLimit() {
        EXPECT_EQ(::setrlimit(RLIMIT_FSIZE, &before_), 0);
        std::signal(SIGXFSZ, signal_);
    }
    FileLimit(const FileLimit&) = delete;
    FileLimit& operator=(const FileLimit&) = delete;

private:
    rlimit before_{};
    void (*signal_)(int);
};

class Spool : public testing::Test {
protected:
    std::unique_ptr<UsageSpool> open() {
        auto spool = UsageSpool::open(path);
        EXPECT_TRUE(spool) << spool.error().to_string();
        return spool ? std::move(*spool) : nullptr;
    }
    void write(std::string_view text) { std::ofstream(path, std::ios::binary) << text; }
    std::string text() { return read_file(path, std::uint64_t{1} << 30U).value_or("unreadable"); }
    /// Of each line; a line that is not whole is "torn".
    std::vector<std::string> ids() {
        std::vector<std::string> ids;
        const std::string all = text();
        for (std::size_t at = 0; at < all.size();) {
            const std::size_t end = all.find('\n', at);
            const auto read = from_json<UsageLine>(std::string_view(all).substr(at, end - at));
            ids.push_back(read && end != std::string::npos ? read->id : "torn");
            at = end == std::string::npos ? all.size() : end + 1;
        }
        return ids;
    }

    fakes::TempFolder folder;
    const fs::path path = folder.path() / "usage.jsonl";
};

TEST_F(Spool, ALineComesBackAsItWas) {
    const auto spool = open();
    spool->add(line("a"));
    spool->stop();
    const std::string all = text();
    EXPECT_EQ(from_json<UsageLine>(all.substr(0, all.size() - 1)).value(), line("a"));
    EXPECT_EQ(fs::status(path).permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(Spool, LinesKeepTheirOrderAndNoneIsLostBetweenBatches) {
    std::vector<std::string> wanted;
    const auto spool = open();
    for (int i = 0; i < 500; ++i) {
        wanted.push_back(std::to_string(i));
        spool->add(line(wanted.back()));
    }
    spool->stop();
    EXPECT_EQ(ids(), wanted);
}

TEST_F(Spool, ManyThreadsWriteWholeLines) {
    const auto spool = open();
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < 4; ++i) {
            threads.emplace_back([&spool] {
                for (int j = 0; j < 100; ++j) {
                    spool->add(line("x"));
                }
            });
        }
    }
    spool->stop();
    EXPECT_EQ(ids(), std::vector<std::string>(400, "x"));
}

TEST_F(Spool, ItGoesOnWhereItStopped) {
    open()->add(line("a"));
    open()->add(line("b"));
    EXPECT_THAT(ids(), ElementsAre("a", "b"));
}

TEST_F(Spool, ALastLineThatIsTornIsCutAway) {
    const auto first = open();
    first->add(line("a"));
    first->stop();
    for (const std::string& torn :
         {std::string("{\"id\":\"half"), std::string(4096, 'x'), std::string(20'000, 'x')}) {
        write(to_json(line("a")) + "\n" + torn);
        open()->add(line("b"));
        EXPECT_THAT(ids(), ElementsAre("a", "b")) << torn.size();
    }
}

TEST_F(Spool, AFileWithoutAnyWholeLineBecomesEmpty) {
    for (const std::size_t size : {1U, 4096U, 10'000U}) {
        write(std::string(size, 'x'));
        open();
        EXPECT_EQ(text(), "");
    }
}

TEST_F(Spool, OnAFullDiskLinesWaitAndComeInOrderOnceThereIsRoom) {
    const std::size_t size = to_json(line("a")).size() + 1;
    const auto spool = open();
    spool->add(line("a"));
    spool->stop();
    {
        // Room for half of the next line.
        const FileLimit full(size + size / 2);
        spool->add(line("b"));
        spool->add(line("c"));
        spool->stop();
        EXPECT_THAT(ids(), ElementsAre("a"));
    }
    spool->add(line("d"));
    spool->stop();
    EXPECT_THAT(ids(), ElementsAre("a", "b", "c", "d"));
}

TEST_F(Spool, WhatStillWaitsIsTriedOnceMoreAtTheEnd) {
    auto spool = open();
    {
        const FileLimit full(1);
        spool->add(line("a"));
        spool->stop();
        EXPECT_THAT(ids(), IsEmpty());
    }
    spool.reset();
    EXPECT_THAT(ids(), ElementsAre("a"));
}

TEST_F(Spool, AFolderThatIsNotThereIsAnError) {
    EXPECT_FALSE(UsageSpool::open(folder.path() / "nowhere" / "usage.jsonl"));
    EXPECT_FALSE(UsageSpool::open(folder.path()));
}

}  // namespace
}  // namespace nexa::gateway
