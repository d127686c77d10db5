// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/mutex.h"
#include "core/result.h"
#include "db/tx.h"

namespace nexa::db {

class Connector;

struct ReaderOptions {
    std::size_t connections_max = 4;            ///< at least 1
    std::chrono::milliseconds wait_max{5'000};  ///< for one of them to become free
};

/// An open database: a pool of reading connections, and the one writing connection, which
/// belongs to the Writer. Made by open_sqlite(). Thread-safe. Outlives its Writer and every read.
class Database {
public:
    Database(
        std::unique_ptr<Connector> connector,
        std::unique_ptr<Connection> writing,
        ReaderOptions options
    );
    ~Database();
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    /// Runs `f(Tx&)`, which returns a Result, in a reading transaction: all its statements see one
    /// committed state. Blocks: waits for a free connection, then on the disk. Returns what `f`
    /// returns, or the error of a statement that `f` ignored; kUnavailable if no connection became
    /// free in time. Not from within another read of the same thread (that may wait for itself).
    template <class F>
    auto read(F&& f) -> std::invoke_result_t<F&, Tx&> {
        std::invoke_result_t<F&, Tx&> result = Error::internal("read never ran");
        Status status = read_status([&](Tx& tx) -> Status {
            result = f(tx);
            return result ? Status() : Status(result.error());
        });
        if (!status) {
            return std::move(status).error();
        }
        return result;
    }

private:
    friend class WritingConnection;
    class LentReader;

    Status read_status(const std::function<Status(Tx&)>& f);
    Status wait_for_reader() NEXA_EXCLUDES(mutex_);
    std::unique_ptr<Connection> take_idle_reader() NEXA_EXCLUDES(mutex_);
    void give_back(std::unique_ptr<Connection> reader) NEXA_EXCLUDES(mutex_);

    const std::unique_ptr<Connector> connector_;
    const ReaderOptions options_;
    Mutex mutex_;
    CondVar reader_freed_;
    std::vector<std::unique_ptr<Connection>> idle_readers_ NEXA_GUARDED_BY(mutex_);
    std::size_t readers_out_ NEXA_GUARDED_BY(mutex_) = 0;
    std::unique_ptr<Connection> writing_ NEXA_GUARDED_BY(mutex_);
};

}  // namespace nexa::db
