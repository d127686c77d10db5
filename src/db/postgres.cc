// SPDX-License-Identifier: Apache-2.0
#include "db/postgres.h"

#include <utility>

#include "db/postgres_connection_internal.h"

namespace nexa::db {

namespace {

class PostgresConnector final : public Connector {
public:
    explicit PostgresConnector(PostgresOptions options) : options_(std::move(options)) {}

    Result<std::unique_ptr<Connection>> connect_reader() override {
        return PostgresConnection::open(options_);
    }

private:
    const PostgresOptions options_;
};

}  // namespace

Result<std::unique_ptr<Database>> open_postgres(const PostgresOptions& options) {
    TRY(auto writing, PostgresConnection::open(options));
    return std::make_unique<Database>(
        std::make_unique<PostgresConnector>(options), std::move(writing), options.readers
    );
}

}  // namespace nexa::db
