// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "accounts/accounts_sql.h"
#include "billing/billing_sql.h"
#include "core/ids.h"
#include "db/migrations.h"
#include "db/writer.h"
#include "fakes/databases.h"
#include "fakes/manual_clock.h"
#include "fakes/seeded_random.h"
#include "orchestration/job_store.h"
#include "orchestration/orchestration_sql.h"

namespace nexa::orchestration {

/// A real database of its own with all tables, a clock that the test moves, and a writer that steps
/// on the test's thread.
class DatabaseFixture : public ::testing::Test {
protected:
    /// Which one, once it is known that it is here.
    virtual fakes::DatabaseKind kind() const = 0;

    void SetUp() override {
        if (const std::string reason = fakes::why_not(kind()); !reason.empty()) {
            GTEST_SKIP() << reason;
        }
        store = std::make_unique<fakes::TestDatabase>(kind(), clock);
        open();
    }

    void open() {
        database = store->open();
        const auto migrated = db::migrate(
            *database, {accounts::sql::migrations(), billing::sql::migrations(), sql::migrations()}
        );
        ASSERT_TRUE(migrated) << migrated.error().to_string();
        writer = std::make_unique<db::Writer>(*database);
    }
    /// As after the end of the program: what was not written is gone.
    void restart() {
        writer.reset();
        database.reset();
        open();
    }

    template <class F>
    auto write(F f) {
        return writer->run(std::move(f));
    }

    JobId add_job(const std::string& tenant = "prj_a", int priority = 0) {
        NewJob job{
            .job_id = ids.make<JobId>(),
            .tenant_id = tenant,
            .user_id = "usr_1",
            .key_id = "key_1",
            .job_type = "echo",
            .payload = {R"({"message":"x"})"},
            .priority = priority,
        };
        const auto added = write([&](db::Tx& tx) { return job_store::submit(tx, job); });
        EXPECT_TRUE(added) << added.error().to_string();
        return job.job_id;
    }
    Job job(const JobId& job_id) {
        return database->read([&](db::Tx& tx) { return job_store::get(tx, job_id, std::nullopt); }
        ).value();
    }

    /// The same text in both dialects.
    static db::Sql statement(std::string_view text) {
        return {.name = "test", .sqlite = text, .postgres = text};
    }

    fakes::ManualClock clock;
    std::unique_ptr<fakes::TestDatabase> store;
    fakes::SeededRandom random{7};
    IdSource ids{clock, random};
    std::unique_ptr<db::Database> database;
    std::unique_ptr<db::Writer> writer;
};

/// Runs on both databases: TEST_P, and NEXA_ON_BOTH_DATABASES for each class.
class DatabaseTest : public DatabaseFixture,
                     public ::testing::WithParamInterface<fakes::DatabaseKind> {
protected:
    fakes::DatabaseKind kind() const override { return GetParam(); }
};

}  // namespace nexa::orchestration
