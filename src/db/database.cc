// SPDX-License-Identifier: Apache-2.0
#include "db/database.h"

#include <chrono>

#include "core/check.h"
#include "db/connection_internal.h"
#include "db/writing_connection_internal.h"

namespace nexa::db {

Database::Database(
    std::unique_ptr<Connector> connector, std::unique_ptr<Connection> writing, ReaderOptions options
)
    : connector_(std::move(connector)), options_(options), writing_(std::move(writing)) {
    NEXA_CHECK(connector_ != nullptr && writing_ != nullptr);
    NEXA_CHECK(options_.connections_max >= 1);
}

Database::~Database() {
    const Lock lock(mutex_);
    NEXA_CHECK(readers_out_ == 0);
    NEXA_CHECK(writing_ != nullptr);  // else its Writer is still there
}

/// One of the pool's places, and the connection in it. Gives both back, whatever happens.
class Database::LentReader {
public:
    explicit LentReader(Database& database) : database_(database) {}
    ~LentReader() {
        if (connection_ != nullptr) {
            connection_->rollback();
        }
        database_.give_back(std::move(connection_));
    }
    LentReader(const LentReader&) = delete;
    LentReader& operator=(const LentReader&) = delete;

    Result<Connection*> connect() {
        connection_ = database_.take_idle_reader();
        if (connection_ == nullptr) {
            TRY(connection_, database_.connector_->connect_reader());
        }
        return connection_.get();
    }

private:
    Database& database_;
    std::unique_ptr<Connection> connection_;
};

Status Database::wait_for_reader() {
    // A thread really waits here, so this is real time, not the injected clock's.
    const auto deadline = std::chrono::steady_clock::now() + options_.wait_max;
    const Lock lock(mutex_);
    while (readers_out_ == options_.connections_max) {
        if (!reader_freed_.wait_until(mutex_, deadline) &&
            readers_out_ == options_.connections_max) {
            return Error::unavailable(
                "cannot read the database: all {} reading connections were busy for {} ms",
                options_.connections_max,
                options_.wait_max.count()
            );
        }
    }
    ++readers_out_;
    return {};
}

std::unique_ptr<Connection> Database::take_idle_reader() {
    const Lock lock(mutex_);
    if (idle_readers_.empty()) {
        return nullptr;
    }
    auto reader = std::move(idle_readers_.back());
    idle_readers_.pop_back();
    return reader;
}

void Database::give_back(std::unique_ptr<Connection> reader) {
    {
        const Lock lock(mutex_);
        --readers_out_;
        if (reader != nullptr) {
            idle_readers_.push_back(std::move(reader));
        }
    }
    reader_freed_.notify_one();
}

Status Database::read_status(const std::function<Status(Tx&)>& f) {
    TRY_STATUS(wait_for_reader());
    LentReader reader(*this);
    TRY(Connection* const connection, reader.connect());
    TRY_STATUS(connection->begin(Access::kRead));
    Tx tx(*connection);
    TRY_STATUS(f(tx));
    return tx.failure() ? Status(*tx.failure()) : Status();
}

WritingConnection::WritingConnection(Database& database) : database_(database) {
    const Lock lock(database_.mutex_);
    NEXA_CHECK(database_.writing_ != nullptr);
    connection_ = std::move(database_.writing_);
}

WritingConnection::~WritingConnection() {
    connection_->rollback();
    const Lock lock(database_.mutex_);
    database_.writing_ = std::move(connection_);
}

}  // namespace nexa::db
