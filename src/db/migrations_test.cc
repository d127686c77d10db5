// SPDX-License-Identifier: Apache-2.0
#include "db/migrations.h"

#include <gtest/gtest.h>

#include <array>

#include "db/scratch_internal.h"
#include "fakes/manual_clock.h"

namespace nexa::db {
namespace {

constexpr std::string_view kShaA =
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
constexpr std::string_view kShaB =
    "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

constexpr Migration migration(
    int version, std::string_view name, std::string_view text, std::string_view sha256 = kShaA
) {
    return {
        .version = version,
        .name = name,
        .sqlite = {.text = text, .sha256 = sha256},
        .postgres = {},
    };
}

class Migrations : public testing::Test {
protected:
    template <std::size_t N>
    Result<std::size_t> run(std::string_view module, const std::array<Migration, N>& steps) {
        return migrate(*database, {MigrationSet{.module = module, .migrations = steps}});
    }
    std::int64_t count(std::string_view text) { return number(*database, statement(text)); }
    void tamper(std::string_view text) {
        Writer writer(*database);
        ASSERT_TRUE(change(writer, statement(text)));
    }
    bool has_table(std::string_view name) {
        const auto row = database->read([&](Tx& tx) {
            return tx.query_one(
                statement("SELECT 1 FROM sqlite_schema WHERE name = :name"), {{"name", name}}
            );
        });
        return row.value().has_value();
    }

    fakes::ManualClock clock;
    ScratchFolder folder;
    std::unique_ptr<Database> database = open_or_die({.path = folder.path() / "a.db"}, clock);

    static constexpr Migration kFirst =
        migration(1, "first", "CREATE TABLE a (x INTEGER) STRICT; INSERT INTO a VALUES (1);");
    static constexpr Migration kSecond = migration(2, "second", "UPDATE a SET x = x + 10");
    static constexpr Migration kThird = migration(3, "third", "UPDATE a SET x = x * 2");
};

TEST_F(Migrations, ApplyInOrderAndOnlyOnce) {
    const std::array steps{kFirst, kSecond, kThird};
    EXPECT_EQ(run("m", steps).value(), 3U);
    EXPECT_EQ(count("SELECT x FROM a"), 22);
    EXPECT_EQ(run("m", steps).value(), 0U);
    EXPECT_EQ(count("SELECT x FROM a"), 22);
}

TEST_F(Migrations, ANewOneIsAppliedOnTopOfTheOld) {
    EXPECT_EQ(run("m", std::array{kFirst}).value(), 1U);
    EXPECT_EQ(run("m", std::array{kFirst, kSecond}).value(), 1U);
    EXPECT_EQ(count("SELECT x FROM a"), 11);
}

TEST_F(Migrations, AreRecordedWithChecksumAndTime) {
    ASSERT_TRUE(run("m", std::array{kFirst}));
    const auto row = database->read([](Tx& tx) {
        return tx.query_one(statement("SELECT * FROM nexa_migration"));
    });
    EXPECT_EQ((*row)->text("module"), "m");
    EXPECT_EQ((*row)->int64("version"), 1);
    EXPECT_EQ((*row)->text("name"), "first");
    EXPECT_EQ((*row)->text("sha256"), kShaA);
    EXPECT_EQ((*row)->timestamp("applied_at"), fakes::ManualClock::kStart);
}

TEST_F(Migrations, EachModuleHasItsOwnSequenceAndTheCallerTheOrder) {
    const std::array child{
        migration(1, "child", "CREATE TABLE c (x INTEGER) STRICT; INSERT INTO c SELECT x FROM a")
    };
    const std::array parent{kFirst, kSecond};
    EXPECT_EQ(
        migrate(
            *database,
            {MigrationSet{.module = "parent", .migrations = parent},
             MigrationSet{.module = "child", .migrations = child}}
        ).value(),
        3U
    );
    EXPECT_EQ(count("SELECT x FROM c"), 11);
    EXPECT_EQ(run("child", child).value(), 0U);  // others in the table are left alone
}

TEST_F(Migrations, NoneIsFine) {
    EXPECT_EQ(migrate(*database, std::span<const MigrationSet>()).value(), 0U);
    EXPECT_EQ(run("m", std::array<Migration, 0>()).value(), 0U);
}

TEST_F(Migrations, AChangedTextIsRefused) {
    ASSERT_TRUE(run("m", std::array{kFirst}));
    const std::array changed{migration(1, "first", "CREATE TABLE z (x)", kShaB), kSecond};
    const auto result = run("m", changed);
    EXPECT_EQ(result.error().code, ErrorCode::kConflict);
    EXPECT_NE(result.error().message.find("0001_first of m has another text"), std::string::npos);
    EXPECT_EQ(count("SELECT x FROM a"), 1);  // and the second was not applied
}

TEST_F(Migrations, ANewerDatabaseIsRefused) {
    ASSERT_TRUE(run("m", std::array{kFirst, kSecond}));
    const auto result = run("m", std::array{kFirst});
    EXPECT_EQ(result.error().code, ErrorCode::kConflict);
    EXPECT_NE(result.error().message.find("newer than this program"), std::string::npos);
    EXPECT_NE(result.error().message.find("0002_second"), std::string::npos);
}

TEST_F(Migrations, AGapInWhatWasAppliedIsDataLoss) {
    const std::array steps{kFirst, kSecond, kThird};
    ASSERT_TRUE(run("m", steps));
    tamper("DELETE FROM nexa_migration WHERE version = 2");
    const auto result = run("m", steps);
    EXPECT_EQ(result.error().code, ErrorCode::kDataLoss);
    EXPECT_NE(result.error().message.find("but 2 is missing"), std::string::npos);
}

TEST_F(Migrations, AFailingScriptLeavesTheDatabaseAsItWas) {
    ASSERT_TRUE(run("m", std::array{kFirst}));
    const std::array steps{
        kFirst,
        kSecond,
        migration(3, "bad", "CREATE TABLE b (x INTEGER) STRICT; INSERT INTO absent VALUES (1);"),
    };
    const auto result = run("m", steps);
    EXPECT_EQ(result.error().code, ErrorCode::kInternal);
    EXPECT_NE(result.error().message.find("migration 0003_bad of m"), std::string::npos);
    EXPECT_FALSE(has_table("b"));
    EXPECT_EQ(count("SELECT x FROM a"), 1);
    EXPECT_EQ(count("SELECT count(*) FROM nexa_migration"), 1);
}

TEST_F(Migrations, AScriptCannotEndTheTransaction) {
    const std::array steps{migration(1, "bad", "CREATE TABLE b (x INTEGER) STRICT; COMMIT;")};
    EXPECT_FALSE(run("m", steps));
    EXPECT_FALSE(has_table("b"));
}

TEST_F(Migrations, CanRebuildATableThatOthersReferTo) {
    const std::array steps{
        migration(
            1,
            "tables",
            "CREATE TABLE p (id INTEGER PRIMARY KEY) STRICT;"
            "CREATE TABLE k (p_id INTEGER REFERENCES p (id) ON DELETE CASCADE) STRICT;"
            "INSERT INTO p VALUES (1); INSERT INTO k VALUES (1);"
        ),
        migration(
            2,
            "rebuild",
            "CREATE TABLE p_new (id INTEGER PRIMARY KEY, more TEXT) STRICT;"
            "INSERT INTO p_new SELECT id, 'm' FROM p; DROP TABLE p;"
            "ALTER TABLE p_new RENAME TO p;"
        ),
    };
    ASSERT_TRUE(run("m", steps));
    EXPECT_EQ(count("SELECT count(*) FROM k"), 1);
    // Foreign keys are enforced again.
    Writer writer(*database);
    const auto orphan = change(writer, statement("INSERT INTO k VALUES (2)"));
    EXPECT_EQ(orphan.error().code, ErrorCode::kConflict);
}

TEST_F(Migrations, AScriptThatLeavesOrphansIsRefused) {
    const std::array steps{migration(
        1,
        "orphans",
        "CREATE TABLE p (id INTEGER PRIMARY KEY) STRICT;"
        "CREATE TABLE k (p_id INTEGER REFERENCES p (id)) STRICT; INSERT INTO k VALUES (7);"
    )};
    const auto result = run("m", steps);
    EXPECT_EQ(result.error().code, ErrorCode::kConflict);
    EXPECT_NE(result.error().message.find("rows of k"), std::string::npos);
    EXPECT_FALSE(has_table("k"));
    // A refused migration leaves foreign keys on, too.
    tamper("CREATE TABLE s (x INTEGER PRIMARY KEY, y INTEGER REFERENCES s (x)) STRICT");
    Writer writer(*database);
    EXPECT_FALSE(change(writer, statement("INSERT INTO s VALUES (1, 2)")));
}

TEST_F(Migrations, AnotherProcessThatWritesMakesThemUnavailable) {
    const SqliteOptions impatient{
        .path = folder.path() / "a.db",
        .busy_timeout = std::chrono::milliseconds(10),
    };
    const auto other = open_or_die(impatient, clock);
    Writer writer(*database);
    const auto outcome = writer.run([&](Tx&) -> Result<ErrorCode> {
        const auto result =
            migrate(*other, {MigrationSet{.module = "m", .migrations = std::span(&kFirst, 1)}});
        return result ? ErrorCode::kInternal : result.error().code;
    });
    EXPECT_EQ(outcome.value(), ErrorCode::kUnavailable);
}

using MigrationsDeathTest = Migrations;

TEST_F(MigrationsDeathTest, AProgramWithAGapInItsListIsOurBug) {
    EXPECT_DEATH(static_cast<void>(run("m", std::array{kSecond})), "version == \\+\\+version");
    EXPECT_DEATH(
        static_cast<void>(run("m", std::array{kFirst, kThird})), "version == \\+\\+version"
    );
}

TEST_F(MigrationsDeathTest, AModuleListedTwiceIsOurBug) {
    const MigrationSet set{.module = "m", .migrations = std::span(&kFirst, 1)};
    EXPECT_DEATH(static_cast<void>(migrate(*database, {set, set})), "insert");
}

}  // namespace
}  // namespace nexa::db
