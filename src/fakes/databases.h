// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <gtest/gtest.h>

#include "core/check.h"
#include "core/clock.h"
#include "core/file.h"
#include "db/database.h"
#include "db/postgres.h"
#include "db/sqlite.h"
#include "fakes/postgres_server.h"

namespace nexa::fakes {

enum class DatabaseKind : std::uint8_t { kSqlite, kPostgres };

inline std::string name_of(DatabaseKind kind) {
    return kind == DatabaseKind::kSqlite ? "Sqlite" : "Postgres";
}
inline void PrintTo(DatabaseKind kind, std::ostream* out) {
    *out << name_of(kind);
}

/// Why tests with this database cannot run here; empty if they can. Where NEXA_TEST_PARTS=require,
/// that is a failure.
inline std::string why_not(DatabaseKind kind) {
    if (kind == DatabaseKind::kSqlite) {
        return {};
    }
    const auto& server = PostgresServer::shared();
    if (!server) {
        const char* parts = std::getenv("NEXA_TEST_PARTS");
        NEXA_CHECK(parts == nullptr || std::string_view(parts) != "require");
        return server.error().to_string();
    }
    return {};
}

/// An empty database of a test, on either side of the interface, with the test's clock. Every
/// open() is a process more that uses the same data.
class TestDatabase {
public:
    /// `clock` outlives it.
    TestDatabase(DatabaseKind kind, const Clock& clock) : kind_(kind), clock_(clock) {
        if (kind == DatabaseKind::kPostgres) {
            make_clock();
            url_ = (*PostgresServer::shared())->make_schema();
        }
    }

    std::unique_ptr<db::Database> open() const {
        auto opened = kind_ == DatabaseKind::kSqlite
                          ? db::open_sqlite({.path = folder_.path() / "nexa.db"}, clock_)
                          : db::open_postgres({.url = url_, .test_clock = &clock_});
        if (!opened) {
            std::fputs(opened.error().to_string().c_str(), stderr);
        }
        NEXA_CHECK(opened.has_value());
        return *std::move(opened);
    }

    /// Where its bytes lie.
    std::filesystem::path files() const {
        return kind_ == DatabaseKind::kSqlite ? folder_.path()
                                              : (*PostgresServer::shared())->files();
    }

private:
    /// What the driver's `test_clock` needs, once for the whole server: migrations leave alone the
    /// nexa_now() that is there.
    static void make_clock() {
        static const bool made = [] {
            (*PostgresServer::shared())
                ->change(
                    "CREATE FUNCTION public.nexa_now() RETURNS bigint LANGUAGE sql STABLE AS "
                    "'SELECT current_setting(''nexa.test_now'')::bigint'"
                );
            return true;
        }();
        static_cast<void>(made);
    }

    /// In memory where there is such a place: these tests are about decisions, not about the disk.
    static std::filesystem::path parent() {
        const std::filesystem::path memory = "/dev/shm";
        return std::filesystem::is_directory(memory) ? memory
                                                     : std::filesystem::temp_directory_path();
    }

    DatabaseKind kind_;
    const Clock& clock_;
    TemporaryDirectory folder_ = TemporaryDirectory::create(parent()).value();
    std::string url_;
};

/// A test that runs on both databases:
///     class LeasesTest : public fakes::OnBothDatabases { … };
///     NEXA_ON_BOTH_DATABASES(LeasesTest);
///     TEST_P(LeasesTest, …)
class OnBothDatabases : public ::testing::TestWithParam<DatabaseKind> {
protected:
    void SetUp() override {
        if (const std::string reason = why_not(GetParam()); !reason.empty()) {
            GTEST_SKIP() << reason;
        }
    }
};

#define NEXA_ON_BOTH_DATABASES(suite)                                                    \
    INSTANTIATE_TEST_SUITE_P(                                                            \
        On,                                                                              \
        suite,                                                                           \
        ::testing::Values(                                                               \
            ::nexa::fakes::DatabaseKind::kSqlite, ::nexa::fakes::DatabaseKind::kPostgres \
        ),                                                                               \
        [](const auto& info) { return ::nexa::fakes::name_of(info.param); }              \
    )

}  // namespace nexa::fakes
