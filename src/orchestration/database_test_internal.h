// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "accounts/accounts_sql.h"
#include "billing/billing_sql.h"
#include "core/file.h"
#include "core/ids.h"
#include "db/migrations.h"
#include "db/sqlite.h"
#include "db/writer.h"
#include "fakes/manual_clock.h"
#include "fakes/seeded_random.h"
#include "orchestration/job_store.h"
#include "orchestration/orchestration_sql.h"

namespace nexa::orchestration {

/// A real database with all tables in a folder of its own, a clock that the test moves, and a
/// writer that steps on the test's thread.
class DatabaseTest : public ::testing::Test {
protected:
    void SetUp() override { open(); }

    void open() {
        auto opened = db::open_sqlite({.path = folder.path() / "nexa.db"}, clock);
        ASSERT_TRUE(opened) << opened.error().to_string();
        database = *std::move(opened);
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

    /// In memory where there is such a place: these tests are about decisions, not about the disk.
    static std::filesystem::path parent() {
        const std::filesystem::path memory = "/dev/shm";
        return std::filesystem::is_directory(memory) ? memory
                                                     : std::filesystem::temp_directory_path();
    }

    TemporaryDirectory folder = TemporaryDirectory::create(parent()).value();
    fakes::ManualClock clock;
    fakes::SeededRandom random{7};
    IdSource ids{clock, random};
    std::unique_ptr<db::Database> database;
    std::unique_ptr<db::Writer> writer;
};

}  // namespace nexa::orchestration
