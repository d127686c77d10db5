// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

#include "net/connection_internal.h"

namespace nexa::net {

/// One request from its head to the last byte of its answer. Reports it, however it ends.
class Connection::Exchange {
public:
    explicit Exchange(Connection& connection)
        : connection_(connection), start_(connection.core_->clock.steady_now()) {}
    Exchange(const Exchange&) = delete;
    Exchange& operator=(const Exchange&) = delete;
    ~Exchange();

    const Route* route = nullptr;
    Dialect dialect = Dialect::kApi;
    Request request;
    std::string error;
    int status = 499;  ///< until the whole answer is written

private:
    Connection& connection_;
    std::chrono::steady_clock::time_point start_;
};

}  // namespace nexa::net
