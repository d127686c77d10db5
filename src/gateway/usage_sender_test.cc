// SPDX-License-Identifier: Apache-2.0
#include "gateway/usage_sender.h"

#include <algorithm>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "core/file.h"
#include "fakes/seeded_random.h"
#include "fakes/temp_folder.h"
#include "net/task_group.h"

namespace nexa::gateway {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

class Sender : public testing::Test {
protected:
    ~Sender() override { end(); }

    void begin() {
        spool = UsageSpool::open(path).value();
        sender.emplace(
            UsageSender::Collaborators{
                .spool = *spool,
                .disk = disk,
                .clock = clock,
                .random = random,
                .send = [this](std::vector<UsageLine> lines) { return take(std::move(lines)); },
            },
            1ms
        );
        tasks.emplace(io, [](std::string_view, const Error&) {});
        ASSERT_TRUE(tasks->spawn("send", sender->run()));
    }
    void end() {
        if (tasks) {
            net::blocking::stop(io, *tasks);
            tasks.reset();
        }
        sender.reset();
        spool.reset();
    }
    void add(const std::string& id) {
        spool->add({
            .id = id,
            .at = "2025-11-20T19:00:00.000Z",
            .project_id = "prj_1",
            .deployment_id = "dp_1",
            .prompt_tokens = 3,
        });
    }
    net::Task<void> take(std::vector<UsageLine> lines) {
        const std::lock_guard lock(mutex);
        ++calls;
        changed.notify_all();
        if (refusals > 0) {
            --refusals;
            co_return Error::unavailable("away");
        }
        if (std::ranges::count(lines, "poison", &UsageLine::id) > 0) {
            co_return Error::invalid_argument("there is no deployment dp_0");
        }
        longest = std::max(longest, lines.size());
        for (const UsageLine& line : lines) {
            taken.push_back(line.id);
        }
        co_return ok();
    }
    template <class Condition>
    bool wait_for(Condition condition) {
        std::unique_lock lock(mutex);
        return changed.wait_for(lock, 30s, condition);
    }
    bool wait_until_sent(std::size_t count) {
        return wait_for([&] { return taken.size() >= count; });
    }
    /// What is left on the disk once the sender has ended.
    std::uintmax_t left() const {
        return (fs::exists(path) ? fs::file_size(path) : 0) +
               (fs::exists(sending) ? fs::file_size(sending) : 0);
    }

    fakes::TempFolder folder;
    const fs::path path = folder.path() / "usage.jsonl";
    const fs::path sending = folder.path() / "usage.sending.jsonl";
    SystemClock clock;
    fakes::SeededRandom random{1};
    net::IoPool io;
    net::WorkPool disk{{.name = "disk", .threads = 1}};
    std::mutex mutex;
    std::condition_variable changed;
    int calls = 0;
    int refusals = 0;
    std::size_t longest = 0;
    std::vector<std::string> taken;
    std::unique_ptr<UsageSpool> spool;
    std::optional<UsageSender> sender;
    std::optional<net::TaskGroup> tasks;
};

TEST_F(Sender, EachLineIsSentOnceAndInOrder) {
    begin();
    add("a");
    ASSERT_TRUE(wait_until_sent(1));
    add("b");
    add("c");
    ASSERT_TRUE(wait_until_sent(3));
    EXPECT_EQ(taken, (std::vector<std::string>{"a", "b", "c"}));
}

TEST_F(Sender, WhatIsConfirmedLeavesTheDisk) {
    begin();
    add("a");
    ASSERT_TRUE(wait_until_sent(1));
    add("b");  // sent only once the file with "a" is gone
    ASSERT_TRUE(wait_until_sent(2));
    end();
    taken.clear();
    begin();
    add("c");  // perhaps after "b" once more: the end may have come before it was confirmed
    ASSERT_TRUE(wait_for([this] { return !taken.empty() && taken.back() == "c"; }));
    EXPECT_EQ(std::ranges::count(taken, "a"), 0);
}

TEST_F(Sender, ManyLinesGoInPartsThatTheServerTakes) {
    constexpr std::size_t kLines = 2'500;
    spool = UsageSpool::open(path).value();
    for (std::size_t i = 0; i < kLines; ++i) {
        add(std::to_string(i));
    }
    spool.reset();
    begin();
    ASSERT_TRUE(wait_until_sent(kLines));
    ASSERT_EQ(taken.size(), kLines);
    EXPECT_EQ(taken.back(), std::to_string(kLines - 1));
    EXPECT_LE(longest, protocol::GatewayUsage::kLinesMax);
}

TEST_F(Sender, WhatIsRefusedIsSentAgain) {
    refusals = 2;
    begin();
    add("a");
    ASSERT_TRUE(wait_until_sent(1));
    EXPECT_EQ(taken, std::vector<std::string>{"a"});
    EXPECT_EQ(calls, 3);
}

TEST_F(Sender, ALineThatIsNeverTakenIsPutByAndHoldsBackNoOther) {
    spool = UsageSpool::open(path).value();
    for (const char* id : {"a", "poison", "b"}) {
        add(id);
    }
    spool.reset();
    std::ofstream(path, std::ios::app) << "no usage at all\n";
    begin();
    add("c");
    ASSERT_TRUE(wait_until_sent(3));
    end();
    EXPECT_EQ(taken, (std::vector<std::string>{"a", "b", "c"}));
    const std::string refused = read_file(folder.path() / "usage.refused.jsonl", 1 << 20).value();
    EXPECT_EQ(std::ranges::count(refused, '\n'), 2);
    EXPECT_NE(refused.find("\"id\":\"poison\""), std::string::npos);
    EXPECT_NE(refused.find("no usage at all\n"), std::string::npos);
}

TEST_F(Sender, HoweverMuchIsPutByTheOthersAreSent) {
    const fs::path put_by = folder.path() / "usage.refused.jsonl";
    constexpr std::size_t kMuch = std::size_t{40} << 20U;
    std::ofstream(put_by) << std::string(kMuch, 'x') << "\ntorn";
    begin();
    add("poison");
    add("a");
    ASSERT_TRUE(wait_until_sent(1));
    end();
    EXPECT_EQ(taken, std::vector<std::string>{"a"});
    const std::string refused = read_file(put_by, 2 * kMuch).value();
    EXPECT_EQ(refused.substr(kMuch, 7), "\ntorn\n{");
    EXPECT_NE(refused.find("\"id\":\"poison\""), std::string::npos);
    EXPECT_TRUE(refused.ends_with('\n'));
}

TEST_F(Sender, AfterAnEndInBetweenTheSameLinesAreSentAgain) {
    refusals = 1'000'000;
    begin();
    add("a");
    ASSERT_TRUE(wait_for([this] { return calls > 0; }));
    end();
    EXPECT_GT(left(), 0U);
    refusals = 0;
    begin();
    add("b");
    ASSERT_TRUE(wait_until_sent(2));
    EXPECT_EQ(taken, (std::vector<std::string>{"a", "b"}));
}

}  // namespace
}  // namespace nexa::gateway
