// SPDX-License-Identifier: Apache-2.0
#include "database.h"

#include <filesystem>
#include <utility>

#include "accounts/accounts_sql.h"
#include "billing/billing_sql.h"
#include "core/file_lock.h"
#include "core/redact.h"
#include "db/copy.h"
#include "db/migrations.h"
#include "db/postgres.h"
#include "db/sqlite.h"
#include "db/writer.h"
#include "orchestration/orchestration_sql.h"

namespace nexa::nexad {

namespace {

Status make_tables(db::Database& database) {
    TRY_STATUS(db::migrate(
        database,
        {accounts::sql::migrations(), billing::sql::migrations(), orchestration::sql::migrations()}
    ));
    return {};
}

/// Neither the password nor the URL that holds it is ever logged.
Result<OpenedDatabase> connect_postgres(const std::string& url) {
    auto target = db::parse_postgres_url(url);
    if (!target) {
        return std::move(target).error().at("db.url");
    }
    for (const std::string& secret : {url, target->password}) {
        // One too short to be told from ordinary text is not registered: we print it nowhere.
        static_cast<void>(register_secret(secret));
    }
    TRY(auto database, db::open_postgres({.url = url}));
    return OpenedDatabase{.lock = {}, .database = std::move(database), .shown = target->shown};
}

Result<OpenedDatabase> open_postgres(const std::string& url) {
    TRY(auto opened, connect_postgres(url));
    TRY_STATUS(make_tables(*opened.database));
    return opened;
}

Status check_there(const std::filesystem::path& file) {
    std::error_code failed;
    if (!std::filesystem::exists(file, failed)) {
        return Error::not_found("there is no database {}", file.native())
            .hint("name the server's folder with --dir");
    }
    return {};
}

Result<OpenedDatabase> open_sqlite(const StoragePaths& paths, const Clock& clock) {
    const std::filesystem::path file = paths.database();
    auto lock = lock_file(file.parent_path() / "nexad.lock");
    if (!lock && lock.error().code == ErrorCode::kConflict) {
        return Error::conflict("another nexad uses {}", paths.root().native())
            .hint("stop it, or give this one a folder of its own with --dir");
    }
    TRY(auto held, std::move(lock));
    TRY(auto opened, open_sqlite_file(file, clock));
    opened.lock = std::move(held);
    return opened;
}

}  // namespace

Result<OpenedDatabase> open_database(
    const Settings& settings, const StoragePaths& paths, const Clock& clock
) {
    return settings.db.url.empty() ? open_sqlite(paths, clock) : open_postgres(settings.db.url);
}

Result<OpenedDatabase> look_into_database(
    const Settings& settings, const StoragePaths& paths, const Clock& clock
) {
    if (!settings.db.url.empty()) {
        return connect_postgres(settings.db.url);
    }
    TRY_STATUS(check_there(paths.database()));
    TRY(auto database, db::open_sqlite({.path = paths.database()}, clock));
    return OpenedDatabase{
        .lock = {}, .database = std::move(database), .shown = paths.database().native()
    };
}

Result<OpenedDatabase> open_sqlite_file(const std::filesystem::path& file, const Clock& clock) {
    TRY(auto database, db::open_sqlite({.path = file}, clock));
    TRY_STATUS(make_tables(*database));
    return OpenedDatabase{.lock = {}, .database = std::move(database), .shown = file.native()};
}

Result<std::vector<protocol::TableCount>> copy_database(db::Database& from, db::Database& to) {
    db::Writer writer(to);
    TRY(const auto tables, writer.run([&](db::Tx& target) {
        return from.read([&](db::Tx& source) { return db::copy_tables(source, target); });
    }));
    std::vector<protocol::TableCount> counts;
    for (const db::CopiedTable& table : tables) {
        counts.push_back({.table = table.name, .rows = table.rows});
    }
    return counts;
}

Result<protocol::MigrationReport> copy_to_postgres(const Settings& settings, const Clock& clock) {
    if (settings.db.url.empty()) {
        return Error::invalid_argument("names no PostgreSQL database to copy to")
            .at("db.url")
            .hint("set NEXA_DB__URL=postgres://USER:PASSWORD@HOST:PORT/DATABASE");
    }
    std::error_code failed;
    const StoragePaths paths(std::filesystem::absolute(settings.dir, failed));
    TRY_STATUS(check_there(paths.database()));
    TRY(const auto source, open_sqlite(paths, clock));
    TRY(const auto target, open_postgres(settings.db.url));
    TRY(auto tables, copy_database(*source.database, *target.database));
    return protocol::MigrationReport{.tables = std::move(tables)};
}

}  // namespace nexa::nexad
