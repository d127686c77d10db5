// SPDX-License-Identifier: Apache-2.0
#include "db/sqlite.h"

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <atomic>
#include <fstream>
#include <future>
#include <latch>
#include <limits>
#include <thread>

#include "db/scratch_internal.h"
#include "fakes/manual_clock.h"

namespace nexa::db {
namespace {

using std::chrono::milliseconds;

class Sqlite : public testing::Test {
protected:
    Sqlite() {
        EXPECT_TRUE(change(
            *writer,
            statement("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT UNIQUE, score REAL, "
                      "data BLOB, CONSTRAINT positive CHECK (id > 0)) STRICT")
        ));
        EXPECT_TRUE(change(
            *writer,
            statement("CREATE TABLE child (t_id INTEGER NOT NULL REFERENCES t (id)) STRICT")
        ));
    }

    Status insert(int id, const char* name) {
        return change(
            *writer,
            statement("INSERT INTO t (id, name) VALUES (:id, :name)"),
            {{"id", id}, {"name", name}}
        );
    }
    std::int64_t count() { return number(*database, statement("SELECT count(*) FROM t")); }

    fakes::ManualClock clock;
    ScratchFolder folder;
    SqliteOptions options{
        .path = folder.path() / "test.db",
        .readers = {.connections_max = 2, .wait_max = milliseconds(20)},
        .busy_timeout = milliseconds(20),
        .rows_max = 1'000,
    };
    std::unique_ptr<Database> database = open_or_die(options, clock);
    std::unique_ptr<Writer> writer =
        std::make_unique<Writer>(*database, WriterOptions{.busy_max = milliseconds(5)});
};

TEST_F(Sqlite, EveryKindOfValueComesBackAsItWas) {
    const std::vector<Value> values{
        Value(),
        Value(0),
        Value(std::numeric_limits<std::int64_t>::min()),
        Value(std::numeric_limits<std::int64_t>::max()),
        Value(-0.5),
        Value(std::numeric_limits<double>::infinity()),
        Value(5e-324),
        Value(""),
        Value("it's ü\n"),
        Value(std::string(100'000, 'x')),
        Value(Blob()),
        Value(Blob{std::byte{0}, std::byte{0xFF}}),
    };
    for (const Value& value : values) {
        auto row = database->read([&](Tx& tx) {
            return tx.query_one(statement("SELECT :v AS v"), {{"v", value}});
        });
        ASSERT_TRUE(row) << row.error().to_string();
        EXPECT_EQ((*row)->value("v"), value);
    }
}

TEST_F(Sqlite, ExecuteCountsTheRowsOfThisStatementAlone) {
    ASSERT_TRUE(insert(1, "a"));
    ASSERT_TRUE(insert(2, "b"));
    auto counts = writer->run([](Tx& tx) -> Result<std::vector<std::int64_t>> {
        std::vector<std::int64_t> seen;
        for (const char* text :
             {"UPDATE t SET score = 1.0",
              "UPDATE t SET score = 2.0 WHERE id = 9",
              "CREATE INDEX i ON t (score)",
              "DELETE FROM t WHERE id = 1"}) {
            auto changed = tx.execute(statement(text));
            if (!changed) {
                return changed.error();
            }
            seen.push_back(*changed);
        }
        return seen;
    });
    ASSERT_TRUE(counts) << counts.error().to_string();
    EXPECT_EQ(*counts, (std::vector<std::int64_t>{2, 0, 0, 1}));
}

TEST_F(Sqlite, QueryOneGivesNothingOrTheRow) {
    ASSERT_TRUE(insert(1, "a"));
    const Sql find = statement("SELECT name FROM t WHERE id = :id");
    auto found = database->read([&](Tx& tx) { return tx.query_one(find, {{"id", 1}}); });
    ASSERT_TRUE(found && *found);
    EXPECT_EQ((*found)->text("name"), "a");
    auto absent = database->read([&](Tx& tx) { return tx.query_one(find, {{"id", 2}}); });
    ASSERT_TRUE(absent);
    EXPECT_FALSE(*absent);
}

TEST_F(Sqlite, ReturningGivesTheRowsOfAWrite) {
    auto rows = writer->run([](Tx& tx) {
        return tx.query(statement("INSERT INTO t (name) VALUES ('a'), ('b') RETURNING id"));
    });
    ASSERT_TRUE(rows);
    EXPECT_EQ(rows->size(), 2U);
    EXPECT_EQ(count(), 2);
}

TEST_F(Sqlite, AStatementSeesTheColumnsOfAChangedTable) {
    ASSERT_TRUE(insert(1, "a"));
    const Sql all = statement("SELECT * FROM t");
    auto read_all = [&](Tx& tx) { return tx.query_one(all); };
    ASSERT_EQ((*database->read(read_all))->size(), 4U);
    ASSERT_TRUE(change(*writer, statement("ALTER TABLE t ADD COLUMN more TEXT DEFAULT 'm'")));
    auto row = database->read(read_all);
    ASSERT_TRUE(row && *row);
    EXPECT_EQ((*row)->text("more"), "m");
}

TEST_F(Sqlite, ConstraintsAreConflictsThatNameThemselves) {
    ASSERT_TRUE(insert(1, "a"));
    const auto unique = insert(2, "a");
    EXPECT_EQ(unique.error().code, ErrorCode::kConflict);
    EXPECT_EQ(unique.error().message, "statement test: UNIQUE constraint failed: t.name");
    const auto check = insert(0, "b");
    EXPECT_EQ(check.error().code, ErrorCode::kConflict);
    EXPECT_NE(check.error().message.find("positive"), std::string::npos);
    const auto key = change(*writer, statement("INSERT INTO child VALUES (77)"));
    EXPECT_EQ(key.error().code, ErrorCode::kConflict);
    const auto null = change(*writer, statement("INSERT INTO child VALUES (NULL)"));
    EXPECT_EQ(null.error().code, ErrorCode::kConflict);
    EXPECT_NE(null.error().message.find("child.t_id"), std::string::npos);
    EXPECT_EQ(count(), 1);
}

TEST_F(Sqlite, AWrongTypeForAStrictColumnIsInternalAndNamesTheStatement) {
    const auto status = change(
        *writer, statement("INSERT INTO t (id, score) VALUES (1, :score)"), {{"score", "high"}}
    );
    EXPECT_EQ(status.error().code, ErrorCode::kInternal);
    EXPECT_NE(status.error().message.find("statement test"), std::string::npos);
    EXPECT_NE(status.error().message.find("t.score"), std::string::npos);
}

TEST_F(Sqlite, BadSqlIsInternal) {
    for (const char* text :
         {"SELEC 1", "SELECT * FROM absent", "SELECT \"no such string\"", "SELECT 'open"}) {
        const auto rows = database->read([&](Tx& tx) { return tx.query(statement(text)); });
        EXPECT_EQ(rows.error().code, ErrorCode::kInternal) << text;
    }
}

TEST_F(Sqlite, TextThatPostgresqlWouldRefuseIsRefused) {
    using namespace std::string_view_literals;
    for (const std::string_view bad : {"a\0b"sv, "\0"sv, "\xFF"sv, "\xED\xA0\x80"sv}) {
        const auto status = change(
            *writer, statement("INSERT INTO t (id, name) VALUES (1, :name)"), {{"name", bad}}
        );
        EXPECT_EQ(status.error().code, ErrorCode::kInvalidArgument);
        EXPECT_NE(status.error().message.find("parameter name of test"), std::string::npos);
    }
    EXPECT_EQ(count(), 0);
}

TEST_F(Sqlite, AReadCannotWrite) {
    const auto written = database->read([](Tx& tx) {
        return tx.execute(statement("INSERT INTO t (id) VALUES (1)"));
    });
    EXPECT_EQ(written.error().code, ErrorCode::kInternal);
    EXPECT_EQ(count(), 0);
}

TEST_F(Sqlite, StatementsCannotEndTheirTransaction) {
    for (const char* text : {"COMMIT", "ROLLBACK", "BEGIN", "SAVEPOINT s", "RELEASE entry"}) {
        EXPECT_EQ(change(*writer, statement(text)).error().code, ErrorCode::kInternal) << text;
    }
    EXPECT_FALSE(change(*writer, statement("ATTACH ':memory:' AS other")));
    EXPECT_TRUE(insert(1, "a"));
}

TEST_F(Sqlite, AFailedStatementEndsTheTransactionEvenIfIgnored) {
    const auto read = database->read([](Tx& tx) -> Result<int> {
        static_cast<void>(tx.query(statement("SELECT * FROM absent")));
        const auto next = tx.query(statement("SELECT 1"));
        EXPECT_EQ(next.error().code, ErrorCode::kInternal);
        return 5;
    });
    EXPECT_EQ(read.error().code, ErrorCode::kInternal);
    EXPECT_EQ(count(), 0);  // and the connection works again
}

TEST_F(Sqlite, AResultBeyondTheLimitIsRefused) {
    const Sql series = statement(
        "WITH RECURSIVE s (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s LIMIT :n) SELECT i FROM s"
    );
    const auto rows_of = [&](int n) {
        return database->read([&](Tx& tx) { return tx.query(series, {{"n", n}}); });
    };
    EXPECT_EQ(rows_of(1'000)->size(), 1'000U);
    EXPECT_EQ(rows_of(1'001).error().code, ErrorCode::kResourceExhausted);
}

TEST_F(Sqlite, TimeIsTheInjectedClocksAndStandsStillInATransaction) {
    const Sql now = statement("SELECT nexa_now() AS now");
    const auto moments = writer->run([&](Tx& tx) -> Result<std::pair<Timestamp, Timestamp>> {
        const auto before = tx.query_one(now);
        clock.advance(std::chrono::seconds(5));
        const auto after = tx.query_one(now);
        EXPECT_EQ(tx.now(), fakes::ManualClock::kStart);
        return std::pair((*before)->timestamp("now"), (*after)->timestamp("now"));
    });
    ASSERT_TRUE(moments);
    EXPECT_EQ(moments->first, fakes::ManualClock::kStart);
    EXPECT_EQ(moments->second, fakes::ManualClock::kStart);
    const auto later = database->read([&](Tx& tx) { return tx.query_one(now); });
    EXPECT_EQ((*later)->timestamp(0), fakes::ManualClock::kStart + std::chrono::seconds(5));
}

TEST_F(Sqlite, TimeCannotStandInTheSchema) {
    // SQLite finds a default's function when the default is used.
    const auto made = change(
        *writer, statement("CREATE TABLE bad (id INTEGER, at INTEGER DEFAULT (nexa_now())) STRICT")
    );
    const auto used = change(*writer, statement("INSERT INTO bad (id) VALUES (1)"));
    EXPECT_FALSE(made && used);
}

TEST_F(Sqlite, ReadersSeeOneCommittedStateWhileTheWriterGoesOn) {
    ASSERT_TRUE(insert(1, "a"));
    const auto counts = database->read([&](Tx& tx) -> Result<std::pair<int, int>> {
        const Sql all = statement("SELECT id FROM t");
        const auto before = tx.query(all);
        EXPECT_TRUE(insert(2, "b"));
        const auto after = tx.query(all);
        return std::pair(static_cast<int>(before->size()), static_cast<int>(after->size()));
    });
    ASSERT_TRUE(counts);
    EXPECT_EQ(*counts, std::pair(1, 1));
    EXPECT_EQ(count(), 2);
}

TEST_F(Sqlite, ASnapshotIsTakenWhenTheReadBeginsNotAtItsFirstStatement) {
    const auto seen = database->read([&](Tx& tx) -> Result<std::size_t> {
        EXPECT_TRUE(insert(1, "a"));
        return tx.query(statement("SELECT id FROM t"))->size();
    });
    EXPECT_EQ(seen.value(), 0U);
}

TEST_F(Sqlite, ConcurrentReadersSeeOnlyWholeTransactions) {
    // Each transaction keeps the sum at zero; a reader that saw half of one would see another sum.
    ASSERT_TRUE(insert(1, "a"));
    ASSERT_TRUE(insert(2, "b"));
    ASSERT_TRUE(change(*writer, statement("UPDATE t SET score = 0.0")));
    std::atomic<bool> over = false;
    std::atomic<int> torn = 0;
    std::atomic<int> reads = 0;
    std::vector<std::thread> readers;
    for (int i = 0; i < 2; ++i) {
        readers.emplace_back([&] {
            while (!over.load()) {
                const auto sum = database->read([](Tx& tx) {
                    return tx.query_one(statement("SELECT sum(score) AS s FROM t"));
                });
                torn += (sum && (*sum)->real("s") == 0.0) ? 0 : 1;
                ++reads;
            }
        });
    }
    for (int i = 0; i < 100 || reads.load() < 20; ++i) {
        ASSERT_TRUE(writer->run([](Tx& tx) -> Status {
            static_cast<void>(tx.execute(statement("UPDATE t SET score = score + 1 WHERE id = 1")));
            static_cast<void>(tx.execute(statement("UPDATE t SET score = score - 1 WHERE id = 2")));
            return {};
        }));
    }
    over = true;
    for (std::thread& reader : readers) {
        reader.join();
    }
    EXPECT_EQ(torn.load(), 0);
}

TEST_F(Sqlite, AReadBeyondThePoolWaitsAndThenIsUnavailable) {
    std::latch both_in(2);
    std::promise<void> leave;
    const std::shared_future<void> may_leave = leave.get_future().share();
    std::vector<std::thread> readers;
    for (int i = 0; i < 2; ++i) {
        readers.emplace_back([&] {
            EXPECT_TRUE(database->read([&](Tx&) -> Status {
                both_in.count_down();
                may_leave.wait();
                return {};
            }));
        });
    }
    both_in.wait();
    const auto third = database->read([](Tx& tx) { return tx.query(statement("SELECT 1")); });
    EXPECT_EQ(third.error().code, ErrorCode::kUnavailable);
    leave.set_value();
    for (std::thread& reader : readers) {
        reader.join();
    }
    EXPECT_EQ(count(), 0);
}

TEST_F(Sqlite, TheFileIsItsOwnersAlone) {
    ASSERT_TRUE(insert(1, "a"));
    for (const char* suffix : {"", "-wal", "-shm"}) {
        struct stat status = {};
        ASSERT_EQ(::stat((options.path.string() + suffix).c_str(), &status), 0) << suffix;
        EXPECT_EQ(status.st_mode & 0777U, 0600U) << suffix;
    }
}

TEST_F(Sqlite, WhatWasWrittenIsThereAfterReopening) {
    ASSERT_TRUE(insert(1, "a"));
    writer.reset();
    database.reset();
    database = open_or_die(options, clock);
    EXPECT_EQ(count(), 1);
}

TEST_F(Sqlite, ANameThatMeansMemoryToSqliteIsAFileHere) {
    const auto old = std::filesystem::current_path();
    std::filesystem::current_path(folder.path());
    {
        const auto other = open_or_die({.path = ":memory:"}, clock);
        EXPECT_TRUE(std::filesystem::exists(folder.path() / ":memory:"));
    }
    std::filesystem::current_path(old);
}

Error opening_error(const std::filesystem::path& path) {
    const fakes::ManualClock clock;
    auto opened = open_sqlite({.path = path}, clock);
    return opened ? Error::internal("it was opened") : opened.error();
}

TEST(OpenSqlite, RefusesWhatIsNoFileName) {
    const ScratchFolder folder;
    EXPECT_EQ(opening_error("").code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(opening_error(std::string("a\0b", 3)).code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(opening_error(folder.path()).code, ErrorCode::kInvalidArgument);
}

TEST(OpenSqlite, AnAbsentFolderIsUnavailableAndNamed) {
    const ScratchFolder folder;
    const Error error = opening_error(folder.path() / "absent" / "a.db");
    EXPECT_EQ(error.code, ErrorCode::kUnavailable);
    EXPECT_NE(error.message.find("absent/a.db"), std::string::npos);
}

TEST(OpenSqlite, AFileThatIsNoDatabaseIsDataLoss) {
    const ScratchFolder folder;
    const auto path = folder.path() / "a.db";
    std::ofstream(path) << std::string(8'192, 'x');
    EXPECT_EQ(opening_error(path).code, ErrorCode::kDataLoss);
}

TEST(OpenSqlite, ADamagedPageIsDataLossWhenItIsRead) {
    const ScratchFolder folder;
    const fakes::ManualClock clock;
    const SqliteOptions options{.path = folder.path() / "a.db"};
    {
        const auto database = open_or_die(options, clock);
        Writer writer(*database);
        ASSERT_TRUE(change(writer, statement("CREATE TABLE t (x TEXT) STRICT")));
        ASSERT_TRUE(change(
            writer, statement("INSERT INTO t VALUES (:x)"), {{"x", std::string(100'000, 'x')}}
        ));
    }
    {
        std::fstream file(options.path, std::ios::in | std::ios::out | std::ios::binary);
        file.seekp(4'096);
        file << std::string(4'096, '\xEE');
    }
    const auto database = open_or_die(options, clock);
    const auto rows = database->read([](Tx& tx) { return tx.query(statement("SELECT x FROM t")); });
    EXPECT_EQ(rows.error().code, ErrorCode::kDataLoss);
}

using SqliteDeathTest = Sqlite;

TEST_F(SqliteDeathTest, AWrongParameterIsOurBug) {
    const auto query = [&](const char* text, const Params& params) {
        static_cast<void>(database->read([&](Tx& tx) { return tx.query(statement(text), params); })
        );
    };
    EXPECT_DEATH(query("SELECT :a, :b", {{"a", 1}}), "statement test lacks its parameter b");
    EXPECT_DEATH(query("SELECT :a", {{"a", 1}, {"b", 2}}), "parameter too many");
    EXPECT_DEATH(query("SELECT :a", {{"a", 1}, {"a", 2}}), "parameter too many");
    EXPECT_DEATH(query("SELECT ?", {}), "not written :name");
    EXPECT_DEATH(query("SELECT @a", {{"a", 1}}), "not written :name");
    EXPECT_DEATH(query("SELECT 1; SELECT 2", {}), "more than one statement");
    EXPECT_DEATH(query("-- nothing", {}), "is empty");
    query("SELECT 1; -- the end\n", {});
}

TEST_F(SqliteDeathTest, ASecondWriterIsOurBug) {
    EXPECT_DEATH(Writer{*database}, "writing_ != nullptr");
}

TEST_F(SqliteDeathTest, ASecondRowForQueryOneIsOurBug) {
    EXPECT_DEATH(
        static_cast<void>(database->read([](Tx& tx) {
            return tx.query_one(statement("SELECT 1 UNION ALL SELECT 2"));
        })),
        "query_one of test gives at most one row"
    );
}

}  // namespace
}  // namespace nexa::db
