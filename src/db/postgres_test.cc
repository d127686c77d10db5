// SPDX-License-Identifier: Apache-2.0
#include "db/postgres.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <latch>
#include <limits>
#include <optional>
#include <thread>

#include "db/connection_internal.h"
#include "db/migrations.h"
#include "db/postgres_connection_internal.h"
#include "db/postgres_error_internal.h"
#include "db/postgres_text_internal.h"
#include "db/scratch_internal.h"
#include "fakes/databases.h"

namespace nexa::db {
namespace {

using std::chrono::milliseconds;

class Postgres : public testing::Test {
protected:
    void SetUp() override {
        const std::string reason = fakes::why_not(fakes::DatabaseKind::kPostgres);
        if (!reason.empty()) {
            GTEST_SKIP() << reason;
        }
        options.url = server().make_schema();
        options.readers = {.connections_max = 2, .wait_max = milliseconds(20)};
        options.rows_max = 1'000;
        database = open();
        ASSERT_TRUE(migrate(*database, std::span<const MigrationSet>()));
        writer = std::make_unique<Writer>(*database);
        change(
            "CREATE TABLE t (id bigint PRIMARY KEY CONSTRAINT positive CHECK (id > 0), "
            "name text UNIQUE, score double precision)"
        );
        change(
            "CREATE TABLE child (t_id bigint NOT NULL REFERENCES t (id) DEFERRABLE INITIALLY "
            "DEFERRED)"
        );
    }

    static fakes::PostgresServer& server() { return **fakes::PostgresServer::shared(); }
    std::unique_ptr<Database> open() const {
        auto opened = open_postgres(options);
        if (!opened) {
            std::fputs(opened.error().to_string().c_str(), stderr);
        }
        NEXA_CHECK(opened.has_value());
        return *std::move(opened);
    }
    void change(std::string_view text) { ASSERT_TRUE(db::change(*writer, statement(text))); }
    static Status insert(Tx& tx, int id, std::string_view name) {
        const auto changed = tx.execute(
            statement("INSERT INTO t (id, name) VALUES (:id, :name)"), {{"id", id}, {"name", name}}
        );
        return changed ? Status() : Status(changed.error());
    }
    Status insert(int id, std::string_view name) {
        return writer->run([=](Tx& tx) { return insert(tx, id, name); });
    }
    /// Tests run on slow machines, and a server may take its time to start.
    void patient() {
        writer.reset();
        writer =
            std::make_unique<Writer>(*database, WriterOptions{.busy_max = std::chrono::minutes(2)});
    }
    std::int64_t count() { return number(*database, statement("SELECT count(*) FROM t")); }
    Result<std::optional<Row>> ask(std::string_view text, const Params& params = {}) {
        return database->read([&](Tx& tx) { return tx.query_one(statement(text), params); });
    }
    /// Ends all sessions, as an operator or a restart would.
    static void end_sessions() {
        server().change(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
        );
    }

    PostgresOptions options;
    std::unique_ptr<Database> database;
    std::unique_ptr<Writer> writer;
};

TEST_F(Postgres, EveryKindOfValueComesBackAsItWas) {
    const auto comes_back = [&](std::string_view text, const Value& value) {
        const auto row = ask(text, {{"v", value}});
        ASSERT_TRUE(row) << row.error().to_string();
        EXPECT_EQ((*row)->value("v"), value);
    };
    for (const Value& value :
         {Value(),
          Value(0),
          Value(std::numeric_limits<std::int64_t>::min()),
          Value(std::numeric_limits<std::int64_t>::max())}) {
        comes_back("SELECT :v::bigint AS v", value);
    }
    comes_back("SELECT :v::integer AS v", Value(std::numeric_limits<std::int32_t>::min()));
    comes_back("SELECT :v::smallint AS v", Value(-2));
    comes_back("SELECT :v::boolean AS v", Value(true));
    for (const double value : {-0.5, 5e-324, std::numeric_limits<double>::infinity()}) {
        comes_back("SELECT :v::double precision AS v", Value(value));
    }
    comes_back("SELECT :v::real AS v", Value(0.25));
    for (const Value& value : {Value(""), Value("it's ü\n"), Value(std::string(100'000, 'x'))}) {
        comes_back("SELECT :v::text AS v", value);
    }
    comes_back("SELECT :v::jsonb AS v", Value(R"({"a": 1})"));
    for (const Value& value : {Value(Blob()), Value(Blob{std::byte{0}, std::byte{0xFF}})}) {
        comes_back("SELECT :v::bytea AS v", value);
    }
    comes_back("SELECT :v::double precision AS v", Value());
}

TEST_F(Postgres, AValueThatAColumnDoesNotTakeIsInternalAndNamed) {
    for (const Value& value : {Value("high"), Value(1.5), Value(Blob())}) {
        const auto row = ask("SELECT :v::bigint", {{"v", value}});
        EXPECT_EQ(row.error().code, ErrorCode::kInternal);
        EXPECT_NE(row.error().message.find("statement test: parameter v"), std::string::npos);
    }
    EXPECT_FALSE(ask("SELECT :v::integer", {{"v", std::int64_t{1} << 40}}));
    EXPECT_EQ(ask("SELECT 1.5 AS n").error().code, ErrorCode::kInternal);
}

TEST_F(Postgres, ExecuteCountsTheRowsOfThisStatementAlone) {
    ASSERT_TRUE(insert(1, "a"));
    ASSERT_TRUE(insert(2, "b"));
    ASSERT_TRUE(writer->run([](Tx& tx) -> Status {
        EXPECT_EQ(tx.execute(statement("UPDATE t SET score = 1")).value(), 2);
        EXPECT_EQ(tx.execute(statement("UPDATE t SET score = 2 WHERE id = 9")).value(), 0);
        EXPECT_EQ(tx.execute(statement("CREATE INDEX i ON t (score)")).value(), 0);
        EXPECT_EQ(tx.execute(statement("DELETE FROM t WHERE id = 1")).value(), 1);
        return {};
    }));
}

TEST_F(Postgres, ConstraintsAreConflictsThatNameThemselvesAndNoValue) {
    ASSERT_TRUE(insert(1, "secret"));
    const auto unique = insert(2, "secret");
    EXPECT_EQ(unique.error().code, ErrorCode::kConflict);
    EXPECT_NE(unique.error().message.find("t_name_key"), std::string::npos);
    EXPECT_EQ(unique.error().message.find("secret"), std::string::npos);
    EXPECT_EQ(insert(-1, "b").error().code, ErrorCode::kConflict);
    EXPECT_EQ(
        db::change(*writer, statement("INSERT INTO child VALUES (NULL)")).error().code,
        ErrorCode::kConflict
    );
    EXPECT_EQ(count(), 1);
}

TEST_F(Postgres, ABrokenReferenceRefusesItsEntryNotTheBatch) {
    std::vector<Status> answers;
    const auto submit = [&](Writer::Apply apply) {
        ASSERT_TRUE(writer->submit(std::move(apply), [&](Status status) {
            answers.push_back(std::move(status));
        }));
    };
    const auto refer = [](Tx& tx, int id) -> Status {
        const auto done = tx.execute(statement("INSERT INTO child VALUES (:id)"), {{"id", id}});
        return done ? Status() : Status(done.error());
    };
    submit([&](Tx& tx) { return refer(tx, 99); });
    submit([&](Tx& tx) { return insert(tx, 1, "a"); });
    submit([&](Tx& tx) -> Status {
        EXPECT_TRUE(refer(tx, 5));
        return insert(tx, 5, "b");  // satisfied before the entry ends
    });
    writer->step();
    ASSERT_EQ(answers.size(), 3U);
    EXPECT_EQ(answers[0].error().code, ErrorCode::kConflict);
    EXPECT_TRUE(answers[1] && answers[2]);
    EXPECT_EQ(number(*database, statement("SELECT count(*) FROM child")), 1);
}

TEST_F(Postgres, BadSqlIsInternal) {
    for (const char* text : {"SELEC 1", "SELECT * FROM absent", "SELECT 'open"}) {
        const auto rows = database->read([&](Tx& tx) { return tx.query(statement(text)); });
        EXPECT_EQ(rows.error().code, ErrorCode::kInternal) << text;
    }
}

TEST_F(Postgres, AReadCannotWriteAndStatementsCannotEndTheirTransaction) {
    const auto written = database->read([](Tx& tx) {
        return tx.execute(statement("INSERT INTO t (id) VALUES (1)"));
    });
    EXPECT_EQ(written.error().code, ErrorCode::kInternal);
    for (const char* text :
         {"COMMIT", "/* a */ rollback", "BEGIN", "SAVEPOINT s", "RELEASE entry", "END"}) {
        EXPECT_EQ(db::change(*writer, statement(text)).error().code, ErrorCode::kInternal) << text;
    }
    EXPECT_EQ(count(), 0);
}

TEST_F(Postgres, AResultBeyondTheLimitIsRefused) {
    const auto rows_of = [&](int n) {
        return database->read([&](Tx& tx) {
            return tx.query(statement("SELECT generate_series(1, :n::bigint)"), {{"n", n}});
        });
    };
    EXPECT_EQ(rows_of(1'000)->size(), 1'000U);
    EXPECT_EQ(rows_of(1'001).error().code, ErrorCode::kResourceExhausted);
    EXPECT_EQ(rows_of(3)->size(), 3U);
}

TEST_F(Postgres, ReadersSeeOneCommittedStateFromTheirBeginning) {
    const auto seen = database->read([&](Tx& tx) -> Result<std::size_t> {
        EXPECT_TRUE(insert(1, "a"));
        return tx.query(statement("SELECT id FROM t"))->size();
    });
    EXPECT_EQ(seen.value(), 0U);
    EXPECT_EQ(count(), 1);
}

TEST_F(Postgres, TimeIsTheServersAndStandsStillInATransaction) {
    const auto moments = writer->run([&](Tx& tx) -> Result<std::array<std::int64_t, 3>> {
        const Sql now = statement(
            "SELECT (extract(epoch FROM now()) * 1000000)::bigint, "
            "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
        );
        const auto first = tx.query_one(now);
        const auto second = tx.query_one(now);
        EXPECT_GT((*second)->int64(1), (*first)->int64(1));
        return std::array{
            tx.now().time_since_epoch().count(), (*first)->int64(0), (*second)->int64(0)
        };
    });
    ASSERT_TRUE(moments) << moments.error().to_string();
    EXPECT_EQ((*moments)[0], (*moments)[1]);
    EXPECT_EQ((*moments)[1], (*moments)[2]);
}

TEST_F(Postgres, ASessionHasOurSettings) {
    const auto setting = [&](std::string_view name) {
        return (*ask("SELECT current_setting(:name) AS v", {{"name", name}}))->text("v");
    };
    EXPECT_EQ(setting("timezone"), "UTC");
    EXPECT_EQ(setting("client_encoding"), "UTF8");
    EXPECT_EQ(setting("transaction_isolation"), "repeatable read");
    EXPECT_EQ(setting("lock_timeout"), "10s");
    options.url += "%20-csynchronous_commit%3Doff";
    writer.reset();
    database = open();
    EXPECT_EQ(setting("synchronous_commit"), "on");
    writer = std::make_unique<Writer>(*database);
}

TEST_F(Postgres, AChangedTableIsSeenAtTheLatestByTheNextTransaction) {
    ASSERT_TRUE(insert(1, "a"));
    const auto read_all = [](Tx& tx) { return tx.query_one(statement("SELECT * FROM t")); };
    ASSERT_EQ((*database->read(read_all))->size(), 3U);
    change("ALTER TABLE t ADD COLUMN more text DEFAULT 'm'");
    auto row = database->read(read_all);
    if (!row) {
        EXPECT_EQ(row.error().code, ErrorCode::kUnavailable) << row.error().to_string();
        row = database->read(read_all);
    }
    ASSERT_TRUE(row && *row);
    EXPECT_EQ((*row)->text("more"), "m");
    // The writer tries again by itself.
    EXPECT_EQ((*writer->run(read_all))->size(), 4U);
    change("ALTER TABLE t DROP COLUMN more");
    EXPECT_EQ((*writer->run(read_all))->size(), 3U);
}

TEST_F(Postgres, SessionsThatTheServerEndedAreMadeAnew) {
    ASSERT_TRUE(insert(1, "a"));
    EXPECT_EQ(count(), 1);
    end_sessions();
    EXPECT_EQ(count(), 1);
    ASSERT_TRUE(insert(2, "b"));
    EXPECT_EQ(count(), 2);
}

TEST_F(Postgres, ABatchWhoseConnectionIsLostBeforeItsCommitIsMadeOnceMore) {
    std::atomic<int> runs = 0;
    const Status status = writer->run([&](Tx& tx) -> Status {
        const Status inserted = insert(tx, 1, "a");
        if (++runs == 1) {
            end_sessions();
        }
        const Status second = insert(tx, 2, "b");
        return inserted ? second : inserted;
    });
    EXPECT_TRUE(status) << status.error().to_string();
    EXPECT_EQ(runs, 2);
    EXPECT_EQ(count(), 2);
    EXPECT_EQ(writer->stats().busy_retries, 1U);
}

TEST_F(Postgres, AServerThatIsStartedAgainIsWaitedFor) {
    ASSERT_TRUE(insert(1, "a"));
    patient();
    server().stop(SIGKILL);
    std::thread starter([] { EXPECT_TRUE(server().run()); });
    const Status status = insert(2, "b");
    starter.join();
    EXPECT_TRUE(status) << status.error().to_string();
    EXPECT_EQ(count(), 2);
}

TEST_F(Postgres, WithoutAServerAWriteGivesUpAndNothingIsLost) {
    writer.reset();
    writer = std::make_unique<Writer>(*database, WriterOptions{.busy_max = milliseconds(5)});
    server().stop(SIGINT);
    EXPECT_EQ(insert(1, "a").error().code, ErrorCode::kUnavailable);
    EXPECT_EQ(
        database->read([](Tx& tx) { return tx.query(statement("SELECT 1")); }).error().code,
        ErrorCode::kUnavailable
    );
    ASSERT_TRUE(server().run());
    EXPECT_TRUE(insert(1, "a"));
    EXPECT_EQ(count(), 1);
}

TEST_F(Postgres, ADeadlockOfTwoCoordinatorsIsTriedAgainUntilBothHaveCommitted) {
    ASSERT_TRUE(insert(1, "a"));
    ASSERT_TRUE(insert(2, "b"));
    change("UPDATE t SET score = 0");
    const auto other_database = open();
    Writer other(*other_database);
    std::latch both_hold_one(2);
    const auto cross = [&](Writer& by, int first, int second) {
        bool met = false;
        return by.run([&, first, second](Tx& tx) -> Status {
            const Sql raise = statement("UPDATE t SET score = score + 1 WHERE id = :id");
            static_cast<void>(tx.execute(raise, {{"id", first}}));
            if (!std::exchange(met, true)) {
                both_hold_one.arrive_and_wait();
            }
            static_cast<void>(tx.execute(raise, {{"id", second}}));
            return {};
        });
    };
    std::thread rival([&] { EXPECT_TRUE(cross(other, 2, 1)); });
    EXPECT_TRUE(cross(*writer, 1, 2));
    rival.join();
    EXPECT_EQ(number(*database, statement("SELECT sum(score)::bigint FROM t")), 4);
    EXPECT_GE(writer->stats().busy_retries + other.stats().busy_retries, 1U);
}

TEST_F(Postgres, ALockThatDoesNotComeInTimeIsTriedAgain) {
    ASSERT_TRUE(insert(1, "a"));
    options.lock_timeout = milliseconds(5);
    const auto other_database = open();
    Writer other(*other_database, {.busy_max = std::chrono::minutes(1)});
    std::thread rival;
    ASSERT_TRUE(writer->run([&](Tx& tx) -> Status {
        EXPECT_TRUE(tx.execute(statement("UPDATE t SET score = 1")));
        rival = std::thread([&] {
            EXPECT_TRUE(db::change(other, statement("UPDATE t SET score = score + 1")));
        });
        // Held until the rival has given up once.
        while (other.stats().busy_retries == 0) {
            std::this_thread::yield();
        }
        return {};
    }));
    rival.join();
    EXPECT_EQ(number(*database, statement("SELECT score::bigint FROM t")), 2);
}

TEST_F(Postgres, AStatementThatTakesTooLongIsADeadline) {
    options.statement_timeout = milliseconds(20);
    const auto impatient = open();
    const auto slept =
        impatient->read([](Tx& tx) { return tx.query(statement("SELECT pg_sleep(60)")); });
    EXPECT_EQ(slept.error().code, ErrorCode::kDeadlineExceeded);
}

/// One connection by hand, to lose its COMMIT.
class PostgresOutcome : public Postgres {
protected:
    void SetUp() override {
        Postgres::SetUp();
        if (!IsSkipped()) {
            connection = PostgresConnection::open(options).value();
            ASSERT_TRUE(connection->begin(Access::kWrite));
            ASSERT_TRUE(connection->begin_entry());
            ASSERT_TRUE(connection->execute(statement("INSERT INTO t (id) VALUES (7)"), {}));
            ASSERT_TRUE(connection->keep_entry());
        }
    }
    /// As the writer does: until it is known.
    Outcome outcome() {
        Outcome found = connection->find_outcome();
        while (found == Outcome::kNotYetKnown) {
            found = connection->find_outcome();
        }
        return found;
    }
    std::unique_ptr<Connection> connection;
};

TEST_F(PostgresOutcome, OneThatWroteNothingMayAlwaysRunAgain) {
    connection->rollback();
    ASSERT_TRUE(connection->begin(Access::kWrite));
    ASSERT_TRUE(connection->begin_entry());
    ASSERT_TRUE(connection->keep_entry());
    end_sessions();
    EXPECT_FALSE(connection->commit());
    EXPECT_FALSE(connection->commit_is_open());
    EXPECT_TRUE(connection->may_work_again());
}

TEST_F(PostgresOutcome, ACommitThatNeverArrivedIsFoundRolledBackAndMayBeMadeAgain) {
    end_sessions();
    EXPECT_FALSE(connection->commit());
    ASSERT_TRUE(connection->commit_is_open());
    EXPECT_EQ(outcome(), Outcome::kRolledBack);
    EXPECT_FALSE(connection->commit_is_open());
    EXPECT_TRUE(connection->may_work_again());
    EXPECT_EQ(count(), 0);
}

TEST_F(Postgres, ACommitWhoseAnswerWasLostIsFoundCommittedAndNotMadeAgain) {
    // A standby that is never there: COMMIT writes its record and then waits for it, until somebody
    // ends the session. So the change is made, and no answer comes.
    server().stop(SIGINT);
    ASSERT_TRUE(server().run({"synchronous_standby_names=nobody"}));
    patient();
    int runs = 0;
    std::thread cutter([&] {
        const Sql waiting =
            statement("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'");
        while (number(*database, waiting) == 0) {
            std::this_thread::yield();
        }
        end_sessions();
    });
    const Status status = writer->run([&](Tx& tx) {
        ++runs;
        return insert(tx, 1, "a");
    });
    cutter.join();
    EXPECT_TRUE(status) << status.error().to_string();
    EXPECT_EQ(runs, 1);
    EXPECT_EQ(count(), 1);
    server().stop(SIGINT);
    ASSERT_TRUE(server().run());
    EXPECT_EQ(count(), 1);
}

TEST_F(PostgresOutcome, AServerThatWentAwayIsAskedOnceItIsBack) {
    server().stop(SIGKILL);
    EXPECT_FALSE(connection->commit());
    ASSERT_TRUE(connection->commit_is_open());
    EXPECT_EQ(connection->find_outcome(), Outcome::kNotYetKnown);
    EXPECT_TRUE(connection->commit_is_open());
    ASSERT_TRUE(server().run());
    EXPECT_EQ(outcome(), Outcome::kRolledBack);
    EXPECT_EQ(count(), 0);
}

TEST_F(Postgres, CoordinatorsThatStartAtTheSameTimeMigrateOnce) {
    const std::string sha(64, 'a');
    const Migration first{
        .version = 1,
        .name = "first",
        .sqlite = {},
        .postgres =
            {.text = "CREATE TABLE m (at bigint); INSERT INTO m VALUES (nexa_now());", .sha256 = sha
            },
    };
    const MigrationSet set{.module = "m", .migrations = std::span(&first, 1)};
    std::atomic<std::size_t> applied = 0;
    std::vector<std::thread> coordinators;
    for (int i = 0; i < 4; ++i) {
        coordinators.emplace_back([&] {
            const auto mine = open();
            const auto result = migrate(*mine, {set});
            EXPECT_TRUE(result) << result.error().to_string();
            applied += result.value_or(100);
        });
    }
    for (std::thread& coordinator : coordinators) {
        coordinator.join();
    }
    EXPECT_EQ(applied, 1U);
    EXPECT_EQ(number(*database, statement("SELECT count(*) FROM m")), 1);
}

TEST_F(Postgres, AMigrationIsAllOrNothingAndCannotEndItsTransaction) {
    const std::string sha(64, 'a');
    for (const char* text :
         {"CREATE TABLE b (x bigint); INSERT INTO absent VALUES (1);",
          "CREATE TABLE b (x bigint); COMMIT;"}) {
        const Migration bad{
            .version = 1, .name = "bad", .sqlite = {}, .postgres = {.text = text, .sha256 = sha}
        };
        const auto result =
            migrate(*open(), {MigrationSet{.module = "m", .migrations = std::span(&bad, 1)}});
        ASSERT_FALSE(result);
        EXPECT_NE(result.error().message.find("migration 0001_bad of m"), std::string::npos);
        EXPECT_TRUE((*ask("SELECT to_regclass('b') IS NULL AS gone"))->boolean("gone"));
    }
}

TEST(PostgresUrl, IsShownWithoutItsPassword) {
    const auto target =
        parse_postgres_url("postgresql://me:s%20cret@db.example:5433/nexa?sslmode=require");
    ASSERT_TRUE(target);
    EXPECT_EQ(target->shown, "postgres://me@db.example:5433/nexa");
    EXPECT_EQ(target->password, "s cret");
}

TEST(PostgresUrl, OneThatIsNoneIsRefusedWithoutAWordOfIt) {
    for (const char* bad :
         {"",
          "secret",
          "mysql://secret@x/y",
          "postgres://u:secret@h:port/x?y",
          "postgres://u:secret@h/x?nonsense=1",
          "host=x password=secret"}) {
        const auto refused = parse_postgres_url(bad);
        ASSERT_FALSE(refused) << bad;
        EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
        EXPECT_EQ(refused.error().to_string().find("secret"), std::string::npos);
    }
}

TEST(PostgresUrl, AServerThatIsNotThereIsUnavailableAndNamedWithoutPassword) {
    const auto opened = open_postgres({.url = "postgres://u:secret@127.0.0.1:1/x"});
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, ErrorCode::kUnavailable);
    EXPECT_NE(opened.error().message.find("127.0.0.1:1/x"), std::string::npos);
    EXPECT_EQ(opened.error().to_string().find("secret"), std::string::npos);
}

TEST(PostgresText, ParametersAreFoundOutsideLiteralsCommentsAndCasts) {
    const auto parsed = parse_postgres_text(
        "SELECT :a::bigint, ':no', \":no\", E'\\':no', $x$ :no $x$, :b /* :no /* :no */ */, :a -- "
        ":no"
    );
    EXPECT_EQ(
        parsed.text,
        "SELECT $1::bigint, ':no', \":no\", E'\\':no', $x$ :no $x$, $2 /* :no /* :no */ */, $1 -- "
        ":no"
    );
    EXPECT_EQ(parsed.parameters, (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(parsed.statements, 1U);
    EXPECT_FALSE(parsed.controls_transactions || parsed.has_number);
}

TEST(PostgresText, StatementsAreCountedAndControlIsSeen) {
    EXPECT_EQ(parse_postgres_text("SELECT ';'; SELECT 2; -- ;\n").statements, 2U);
    EXPECT_EQ(parse_postgres_text(" -- nothing\n").statements, 0U);
    EXPECT_TRUE(parse_postgres_text("SELECT 1; Commit").controls_transactions);
    EXPECT_FALSE(parse_postgres_text("SELECT 'commit'; SELECT begin FROM t").controls_transactions);
    EXPECT_TRUE(parse_postgres_text("SELECT $1").has_number);
    for (const char* open_end : {"SELECT 'x", "SELECT \"x", "SELECT $$ x", "/* x", "E'\\"}) {
        EXPECT_EQ(parse_postgres_text(open_end).text, open_end);
    }
}

TEST(PostgresErrors, StatesMeanWhatTheInterfaceSays) {
    struct Case {
        const char* state;
        ErrorCode code;
        bool again;
    };
    for (const Case& c : {
             Case{"23505", ErrorCode::kConflict, false},
             Case{"40001", ErrorCode::kUnavailable, true},
             Case{"40P01", ErrorCode::kUnavailable, true},
             Case{"55P03", ErrorCode::kUnavailable, true},
             Case{"53100", ErrorCode::kUnavailable, false},
             Case{"53200", ErrorCode::kResourceExhausted, false},
             Case{"53300", ErrorCode::kUnavailable, true},
             Case{"57014", ErrorCode::kDeadlineExceeded, false},
             Case{"57P01", ErrorCode::kUnavailable, true},
             Case{"08006", ErrorCode::kUnavailable, true},
             Case{"", ErrorCode::kUnavailable, true},
             Case{"25006", ErrorCode::kUnavailable, true},
             Case{"28P01", ErrorCode::kUnavailable, false},
             Case{"54000", ErrorCode::kInvalidArgument, false},
             Case{"XX001", ErrorCode::kDataLoss, false},
             Case{"42P01", ErrorCode::kInternal, false},
         }) {
        const auto failure = postgres_failure(c.state, "m", "d", true);
        EXPECT_EQ(failure.error.code, c.code) << c.state;
        EXPECT_EQ(failure.may_work_again, c.again) << c.state;
    }
    EXPECT_EQ(postgres_failure("25006", "m", "d", false).error.code, ErrorCode::kInternal);
}

using PostgresDeathTest = Postgres;

TEST_F(PostgresDeathTest, AWrongParameterIsOurBug) {
    // On a connection of its own: what the child of the test says must not reach the parent's.
    const auto query = [&](const char* text, const Params& params) {
        static_cast<void>(open()->read([&](Tx& tx) { return tx.query(statement(text), params); }));
    };
    EXPECT_DEATH(query("SELECT :a::int, :b::int", {{"a", 1}}), "lacks its parameter b");
    EXPECT_DEATH(query("SELECT :a::int", {{"a", 1}, {"b", 2}}), "parameter too many");
    EXPECT_DEATH(query("SELECT $1", {}), "not written :name");
    EXPECT_DEATH(query("SELECT 1; SELECT 2", {}), "more than one statement");
    EXPECT_DEATH(query("-- nothing", {}), "is empty");
}

}  // namespace
}  // namespace nexa::db
