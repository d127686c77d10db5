// SPDX-License-Identifier: Apache-2.0
#include "db/postgres_session_internal.h"

#include <map>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/check.h"
#include "db/postgres_error_internal.h"

namespace nexa::db {

namespace {

constexpr int kOldestVersion = 13'00'00;  // pg_current_xact_id_if_assigned()

/// What a URL says, by libpq's keywords.
using Keywords = std::map<std::string, std::string>;

struct FreeOptions {
    void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};

Result<Keywords> parse_url(std::string_view url) {
    // libpq's own message may repeat parts of the URL, and with them the password.
    const auto bad = [] {
        return Error::invalid_argument("is no URL of a PostgreSQL database")
            .hint("postgres://USER:PASSWORD@HOST:PORT/DATABASE");
    };
    const bool has_scheme = url.starts_with("postgres://") || url.starts_with("postgresql://");
    if (!has_scheme || url.contains('\0')) {
        return bad();
    }
    char* message = nullptr;
    const std::unique_ptr<PQconninfoOption, FreeOptions> options(
        PQconninfoParse(std::string(url).c_str(), &message)
    );
    PQfreemem(message);
    if (options == nullptr) {
        return bad();
    }
    Keywords keywords;
    for (const auto* option = options.get(); option->keyword != nullptr; ++option) {
        if (option->val != nullptr) {
            keywords.emplace(option->keyword, option->val);
        }
    }
    return keywords;
}

/// What the URL leaves out and libpq would decide less well: a dead host is noticed in half a
/// minute, and of several hosts the one that takes writes is chosen.
void add_defaults(Keywords& keywords) {
    for (const auto& [name, value] : {
             std::pair{"connect_timeout", "5"},
             std::pair{"keepalives_idle", "15"},
             std::pair{"keepalives_interval", "5"},
             std::pair{"keepalives_count", "3"},
             std::pair{"tcp_user_timeout", "30000"},
             std::pair{"target_session_attrs", "read-write"},
             std::pair{"fallback_application_name", "nexa"},
         }) {
        keywords.emplace(name, value);
    }
    keywords["client_encoding"] = "UTF8";
}

std::unique_ptr<PGconn, FinishPg> connect(const Keywords& keywords) {
    std::vector<const char*> names;
    std::vector<const char*> values;
    for (const auto& [name, value] : keywords) {
        names.push_back(name.c_str());
        values.push_back(value.c_str());
    }
    names.push_back(nullptr);
    values.push_back(nullptr);
    return std::unique_ptr<PGconn, FinishPg>(PQconnectdbParams(names.data(), values.data(), 0));
}

/// Notices ("relation exists, skipping") would go to stderr in the middle of our log.
void drop_notice(void* /*context*/, const PGresult* /*notice*/) {}

std::string settings(const PostgresOptions& options) {
    // A higher guarantee than "on" is the operator's choice; a lower one would break ours.
    return fmt::format(
        "SET timezone = 'UTC'; SET standard_conforming_strings = on; SET lock_timeout = {};"
        "SET statement_timeout = {}; SET idle_in_transaction_session_timeout = {};"
        "SELECT set_config('synchronous_commit', 'on', false)"
        " WHERE current_setting('synchronous_commit') = 'off';"
        "SELECT current_setting('server_encoding'), pg_backend_pid()::text,"
        " (SELECT backend_start::text FROM pg_stat_activity WHERE pid = pg_backend_pid()),"
        " to_regclass('nexa_commit') IS NOT NULL",
        options.lock_timeout.count(),
        options.statement_timeout.count(),
        options.idle_timeout.count()
    );
}

Status check_server(PGconn* connection, const PGresult* facts) {
    if (PQserverVersion(connection) < kOldestVersion) {
        return Error::invalid_argument(
            "the server is PostgreSQL {}.{}, 13 or newer is needed",
            PQserverVersion(connection) / 10'000,
            PQserverVersion(connection) % 10'000
        );
    }
    if (std::string_view(PQgetvalue(facts, 0, 0)) != "UTF8") {
        return Error::invalid_argument("the database's encoding is {}", PQgetvalue(facts, 0, 0))
            .hint("make it with ENCODING 'UTF8'");
    }
    return {};
}

std::string shown_name(const Keywords& keywords) {
    const auto value = [&](const char* name) {
        const auto found = keywords.find(name);
        return found == keywords.end() ? std::string() : found->second;
    };
    const std::string user = value("user");
    const std::string port = value("port");
    return fmt::format(
        "postgres://{}{}{}{}/{}",
        user.empty() ? "" : user + "@",
        value("host"),
        port.empty() ? "" : ":",
        port,
        value("dbname")
    );
}

Result<PostgresSession> set_up(
    std::unique_ptr<PGconn, FinishPg> connection, const PostgresOptions& options
) {
    PQsetNoticeReceiver(connection.get(), &drop_notice, nullptr);
    const PgResult facts(PQexec(connection.get(), settings(options).c_str()));
    if (PQresultStatus(facts.get()) != PGRES_TUPLES_OK) {
        const char* state = PQresultErrorField(facts.get(), PG_DIAG_SQLSTATE);
        return postgres_failure(
                   state == nullptr ? "" : state,
                   one_line(PQerrorMessage(connection.get())),
                   "set up the connection",
                   true
        )
            .error;
    }
    TRY_STATUS(check_server(connection.get(), facts.get()));
    return PostgresSession{
        .connection = std::move(connection),
        .id = {.pid = PQgetvalue(facts.get(), 0, 1), .began = PQgetvalue(facts.get(), 0, 2)},
        .marks_commits = std::string_view(PQgetvalue(facts.get(), 0, 3)) == "t",
    };
}

}  // namespace

Result<PostgresTarget> parse_postgres_url(std::string_view url) {
    TRY(const Keywords keywords, parse_url(url));
    const auto password = keywords.find("password");
    return PostgresTarget{
        .shown = shown_name(keywords),
        .password = password == keywords.end() ? "" : password->second,
    };
}

Result<PostgresSession> connect_postgres(const PostgresOptions& options) {
    // Built without threads, libpq would share state between our connections unguarded.
    NEXA_CHECK(PQisthreadsafe() != 0);
    TRY(Keywords keywords, parse_url(options.url));
    const std::string doing = fmt::format("open database {}", shown_name(keywords));
    add_defaults(keywords);
    auto connection = connect(keywords);
    if (connection == nullptr) {
        return Error::resource_exhausted("{}: out of memory", doing);
    }
    if (PQstatus(connection.get()) != CONNECTION_OK) {
        return Error::unavailable("{}: {}", doing, one_line(PQerrorMessage(connection.get())))
            .hint("check db.url and that the server runs");
    }
    auto session = set_up(std::move(connection), options);
    if (!session) {
        return std::move(session).error().while_doing(doing);
    }
    return session;
}

}  // namespace nexa::db
