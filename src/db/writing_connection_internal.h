// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "db/connection_internal.h"
#include "db/database.h"

namespace nexa::db {

/// Holds the database's only writing connection: a second holder at the same time is our bug and
/// aborts.
class WritingConnection {
public:
    explicit WritingConnection(Database& database);
    ~WritingConnection();
    WritingConnection(const WritingConnection&) = delete;
    WritingConnection& operator=(const WritingConnection&) = delete;

    Connection& operator*() const { return *connection_; }
    Connection* operator->() const { return connection_.get(); }

private:
    Database& database_;
    std::unique_ptr<Connection> connection_;
};

}  // namespace nexa::db
