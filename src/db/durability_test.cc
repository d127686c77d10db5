// SPDX-License-Identifier: Apache-2.0
//
// What happens to acknowledged and unacknowledged writes when the process, the disk or a neighbor
// misbehaves.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <random>
#include <thread>

#include "db/fault_vfs_internal.h"
#include "db/scratch_internal.h"
#include "fakes/manual_clock.h"

namespace nexa::db {
namespace {

using std::chrono::milliseconds;

constexpr Sql kCreate = statement("CREATE TABLE t (id INTEGER PRIMARY KEY, data TEXT) STRICT");
constexpr Sql kInsert = statement("INSERT INTO t (id, data) VALUES (:id, :data)");

Status insert(Tx& tx, std::int64_t id, std::string_view data = "") {
    auto changed = tx.execute(kInsert, {{"id", id}, {"data", data}});
    return changed ? Status() : Status(changed.error());
}

/// A process of its own that is killed with the object.
class Child {
public:
    /// `body(fd)` runs in the child; what it writes to `fd` can be read here.
    template <class F>
    explicit Child(F body) {
        std::array<int, 2> ends{};
        NEXA_CHECK(::pipe(ends.data()) == 0);
        pid_ = ::fork();
        NEXA_CHECK(pid_ >= 0);
        if (pid_ == 0) {
            ::close(ends[0]);
            body(ends[1]);
            ::_exit(3);  // a body that returns has failed
        }
        ::close(ends[1]);
        from_ = ends[0];
    }
    ~Child() {
        kill();
        ::close(from_);
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    /// The next number; nothing once the child is gone and all is read.
    std::optional<std::int64_t> next() {
        std::int64_t number = 0;
        const auto got = ::read(from_, &number, sizeof number);
        return got == sizeof number ? std::optional(number) : std::nullopt;
    }
    void kill() {
        if (pid_ > 0) {
            ::kill(pid_, SIGKILL);
            ::waitpid(pid_, nullptr, 0);
            pid_ = 0;
        }
    }

private:
    pid_t pid_ = 0;
    int from_ = -1;
};

void tell(int to, std::int64_t number) {
    // Up to PIPE_BUF bytes arrive whole or not at all.
    if (::write(to, &number, sizeof number) != sizeof number) {
        ::_exit(4);
    }
}

/// Four threads write as fast as they can and tell each id once it is acknowledged. Never returns.
void write_forever(const std::filesystem::path& path, std::int64_t first_id, int to) {
    const fakes::ManualClock clock;
    const auto database = open_or_die({.path = path}, clock);
    Writer writer(*database);
    writer.start();
    std::atomic<std::int64_t> next_id = first_id;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            while (true) {
                const std::int64_t id = next_id++;
                // Of each pair of rows either both are there or none.
                const Status status = writer.run([id](Tx& tx) -> Status {
                    static_cast<void>(insert(tx, id));
                    return insert(tx, -id);
                });
                if (!status) {
                    ::_exit(5);
                }
                tell(to, id);
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
}

void kill_rounds(int rounds, std::uint32_t seed) {
    const ScratchFolder folder;
    const fakes::ManualClock clock;
    const auto path = folder.path() / "a.db";
    {
        const auto database = open_or_die({.path = path}, clock);
        Writer writer(*database);
        ASSERT_TRUE(change(writer, kCreate));
    }
    std::mt19937 random(seed);
    std::vector<std::int64_t> acknowledged;
    for (int round = 0; round < rounds; ++round) {
        Child child([&](int to) { write_forever(path, 1 + round * 1'000'000, to); });
        const auto enough = random() % 120;
        for (std::size_t seen = 0; seen < enough; ++seen) {
            const auto id = child.next();
            ASSERT_TRUE(id) << "the child died by itself in round " << round;
            acknowledged.push_back(*id);
        }
        child.kill();
        while (const auto id = child.next()) {
            acknowledged.push_back(*id);
        }
        const auto database = open_or_die({.path = path}, clock);
        const auto checked = database->read([&](Tx& tx) -> Result<int> {
            for (const std::int64_t id : acknowledged) {
                const auto row =
                    tx.query_one(statement("SELECT 1 FROM t WHERE id = :id"), {{"id", id}});
                EXPECT_TRUE(row && *row) << "lost " << id << " in round " << round;
            }
            const auto sum = tx.query_one(statement("SELECT coalesce(sum(id), 0) FROM t"));
            EXPECT_EQ((*sum)->int64(0), 0) << "half an entry in round " << round;
            const auto intact = tx.query_one(statement("PRAGMA integrity_check"));
            EXPECT_EQ((*intact)->text(0), "ok");
            return 0;
        });
        EXPECT_TRUE(checked);
    }
}

TEST(Durability, EveryAcknowledgedRowIsThereAfterKillMinus9) {
    kill_rounds(20, 1);
}

TEST(DurabilitySlow, EveryAcknowledgedRowIsThereAfterManyKills) {
    kill_rounds(300, 2);
}

class FaultyDisk : public testing::Test {
protected:
    FaultyDisk() { EXPECT_TRUE(change(writer, kCreate)); }
    std::int64_t count() { return number(*database, statement("SELECT count(*) FROM t")); }

    FaultVfs disk;
    fakes::ManualClock clock;
    ScratchFolder folder;
    std::unique_ptr<Database> database =
        open_or_die({.path = folder.path() / "a.db", .vfs = FaultVfs::kName}, clock);
    Writer writer{*database};
};

TEST_F(FaultyDisk, ABatchIsSyncedOnceAndBeforeItsFirstAnswer) {
    std::vector<bool> dirty_at_answer;
    for (int id = 1; id <= 10; ++id) {
        ASSERT_TRUE(writer.submit(
            [id](Tx& tx) { return insert(tx, id); },
            [&](Status status) {
                EXPECT_TRUE(status);
                dirty_at_answer.push_back(disk.log_is_dirty);
            }
        ));
    }
    const std::int64_t before = disk.log_syncs;
    const std::int64_t written = disk.log_writes;
    writer.step();
    EXPECT_GT(disk.log_writes, written);
    EXPECT_EQ(disk.log_syncs, before + 1);
    EXPECT_EQ(dirty_at_answer, std::vector<bool>(10, false));
}

TEST_F(FaultyDisk, ADiskThatIsFullAtCommitFailsTheWholeBatch) {
    std::vector<Status> answers;
    const auto answer = [&](Status status) { answers.push_back(std::move(status)); };
    ASSERT_TRUE(writer.submit([](Tx& tx) { return insert(tx, 1); }, answer));
    ASSERT_TRUE(writer.submit(
        [](Tx& tx) -> Status {
            static_cast<void>(insert(tx, 2));
            return insert(tx, 1);  // refused, but for a row that is then not there
        },
        answer
    ));
    disk.write_answer = SQLITE_FULL;
    writer.step();
    ASSERT_EQ(answers.size(), 2U);
    for (const Status& status : answers) {
        EXPECT_EQ(status.error().code, ErrorCode::kUnavailable);
        EXPECT_NE(status.error().message.find("disk full"), std::string::npos);
    }
    EXPECT_EQ(writer.stats().lost, 2U);
    EXPECT_EQ(count(), 0);

    disk.write_answer = SQLITE_OK;
    EXPECT_TRUE(writer.run([](Tx& tx) { return insert(tx, 1); }));
    EXPECT_EQ(count(), 1);
}

TEST_F(FaultyDisk, AFailedSyncIsNoSuccess) {
    disk.sync_answer = SQLITE_IOERR_FSYNC;
    const Status status = writer.run([](Tx& tx) { return insert(tx, 1); });
    EXPECT_EQ(status.error().code, ErrorCode::kUnavailable);
    EXPECT_EQ(count(), 0);
    disk.sync_answer = SQLITE_OK;
    EXPECT_TRUE(writer.run([](Tx& tx) { return insert(tx, 1); }));
}

/// Fills the disk in the middle of a batch, between entries that could be written.
void fill_in_the_middle(Writer& writer, const std::function<void(Tx&)>& fill) {
    std::vector<Status> answers;
    bool ran_after = false;
    const auto answer = [&](Status status) { answers.push_back(std::move(status)); };
    ASSERT_TRUE(writer.submit([](Tx& tx) { return insert(tx, 1); }, answer));
    ASSERT_TRUE(writer.submit(
        [&](Tx& tx) -> Status {
            fill(tx);
            return {};  // an entry that does not look at its errors
        },
        answer
    ));
    ASSERT_TRUE(writer.submit(
        [&](Tx& tx) {
            ran_after = true;
            return insert(tx, 3);
        },
        answer
    ));
    writer.step();
    EXPECT_FALSE(ran_after) << "an entry ran outside the batch's transaction";
    ASSERT_EQ(answers.size(), 3U);
    for (const Status& status : answers) {
        EXPECT_EQ(status.error().code, ErrorCode::kUnavailable);
        EXPECT_NE(status.error().message.find("disk full"), std::string::npos)
            << status.error().message;
    }
}

TEST(DiskFull, TheTransactionThatVanishesTakesItsWholeBatchAlong) {
    const ScratchFolder folder;
    const fakes::ManualClock clock;
    const auto database = open_or_die({.path = folder.path() / "a.db"}, clock);
    Writer writer(*database);
    ASSERT_TRUE(change(writer, kCreate));
    fill_in_the_middle(writer, [](Tx& tx) {
        EXPECT_TRUE(tx.query(statement("PRAGMA max_page_count = 1")));
        EXPECT_FALSE(insert(tx, 2, std::string(100'000, 'x')));
        EXPECT_FALSE(insert(tx, 4));
    });
    EXPECT_EQ(number(*database, statement("SELECT count(*) FROM t")), 0);
    EXPECT_TRUE(writer.run([](Tx& tx) -> Status {
        EXPECT_TRUE(tx.query(statement("PRAGMA max_page_count = 1000000")));
        return insert(tx, 1);
    }));
}

TEST(DiskFull, AStatementThatIsUndoneAloneFailsItsEntryAlone) {
    // SQLite keeps the transaction if it has a journal of the statement, as here for many rows.
    const ScratchFolder folder;
    const fakes::ManualClock clock;
    const auto database = open_or_die({.path = folder.path() / "a.db"}, clock);
    Writer writer(*database);
    ASSERT_TRUE(change(writer, kCreate));
    std::vector<Status> answers;
    const auto answer = [&](Status status) { answers.push_back(std::move(status)); };
    ASSERT_TRUE(writer.submit([](Tx& tx) { return insert(tx, 1); }, answer));
    ASSERT_TRUE(writer.submit(
        [](Tx& tx) -> Status {
            EXPECT_TRUE(tx.query(statement("PRAGMA max_page_count = 1")));
            auto changed = tx.execute(
                statement("WITH RECURSIVE s (i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM s LIMIT "
                          "50000) INSERT INTO t (id, data) SELECT i, 'some text' FROM s")
            );
            return changed ? Status() : Status(changed.error());
        },
        answer
    ));
    writer.step();
    ASSERT_EQ(answers.size(), 2U);
    EXPECT_TRUE(answers[0]);
    ASSERT_FALSE(answers[1]);
    EXPECT_EQ(answers[1].error().code, ErrorCode::kUnavailable);
    EXPECT_NE(answers[1].error().message.find("disk full"), std::string::npos);
    EXPECT_EQ(number(*database, statement("SELECT count(*) FROM t")), 1);
}

TEST(DiskFull, AReallyFullDiskRefusesAndLosesNothingAcknowledged) {
    const ScratchFolder folder;
    if (::mount("tmpfs", folder.path().c_str(), "tmpfs", 0, "size=2m") != 0) {
        GTEST_SKIP() << "needs the right to mount a small tmpfs";
    }
    {
        const fakes::ManualClock clock;
        const auto database = open_or_die({.path = folder.path() / "a.db"}, clock);
        Writer writer(*database);
        ASSERT_TRUE(change(writer, kCreate));
        const std::string data(10'000, 'x');
        std::int64_t acknowledged = 0;
        Status last;
        while (last && acknowledged < 1'000) {
            last = writer.run([&](Tx& tx) { return insert(tx, acknowledged + 1, data); });
            acknowledged += last ? 1 : 0;
        }
        ASSERT_FALSE(last) << "2 MiB held 10 MB";
        EXPECT_EQ(last.error().code, ErrorCode::kUnavailable);
        EXPECT_NE(last.error().message.find("disk full"), std::string::npos);
        EXPECT_GT(acknowledged, 10);
        EXPECT_EQ(number(*database, statement("SELECT count(*) FROM t")), acknowledged);
    }
    ::umount2(folder.path().c_str(), MNT_DETACH);
}

class TwoProcesses : public testing::Test {
protected:
    /// Another process that holds the write lock until it is killed.
    std::unique_ptr<Child> hold_lock() {
        auto child = std::make_unique<Child>([this](int to) {
            const auto other = open_or_die(options, clock);
            Writer writer(*other);
            static_cast<void>(writer.run([&](Tx&) -> Status {
                tell(to, 1);
                ::pause();
                return {};
            }));
        });
        EXPECT_EQ(child->next(), 1);
        return child;
    }
    void create_table() {
        const auto database = open_or_die(options, clock);
        Writer writer(*database);
        ASSERT_TRUE(change(writer, kCreate));
    }

    fakes::ManualClock clock;
    ScratchFolder folder;
    SqliteOptions options{.path = folder.path() / "a.db", .busy_timeout = milliseconds(1)};
};

TEST_F(TwoProcesses, AWriteIsTriedAgainUntilTheOtherLetsGo) {
    create_table();
    const auto other = hold_lock();
    const auto database = open_or_die(options, clock);
    Writer writer(*database);
    std::atomic<int> runs = 0;
    writer.start();
    std::thread freer([&] {
        while (writer.stats().busy_retries < 3) {
            std::this_thread::yield();
        }
        other->kill();
    });
    EXPECT_TRUE(writer.run([&](Tx& tx) {
        ++runs;
        return insert(tx, 1);
    }));
    freer.join();
    EXPECT_EQ(runs.load(), 1);
    EXPECT_EQ(number(*database, statement("SELECT count(*) FROM t")), 1);
}

TEST_F(TwoProcesses, AWriteGivesUpAfterItsTimeAndReadsGoOn) {
    create_table();
    const auto other = hold_lock();
    const auto database = open_or_die(options, clock);
    Writer writer(
        *database,
        {.busy_max = milliseconds(10), .pause_first = milliseconds(1), .pause_last = milliseconds(4)
        }
    );
    const Status status = writer.run([](Tx& tx) { return insert(tx, 1); });
    EXPECT_EQ(status.error().code, ErrorCode::kUnavailable);
    EXPECT_NE(status.error().message.find("locked by another process"), std::string::npos);
    EXPECT_EQ(writer.stats().busy_retries, 4U);  // after 1, 2, 4 and 4 ms
    EXPECT_EQ(number(*database, statement("SELECT count(*) FROM t")), 0);
}

TEST_F(TwoProcesses, StoppingToCancelDoesNotWaitForTheOther) {
    create_table();
    const auto other = hold_lock();
    const auto database = open_or_die(options, clock);
    Writer writer(
        *database, {.busy_max = std::chrono::hours(1), .pause_last = std::chrono::hours(1)}
    );
    std::optional<Status> answer;
    ASSERT_TRUE(writer.submit(
        [](Tx& tx) { return insert(tx, 1); }, [&](Status status) { answer = std::move(status); }
    ));
    writer.start();
    while (writer.stats().busy_retries < 3) {
        std::this_thread::yield();
    }
    writer.stop(StopMode::kCancel);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->error().code, ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace nexa::db
