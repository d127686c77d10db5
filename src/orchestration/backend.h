// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>
#include <vector>

#include "db/database.h"
#include "db/writer.h"
#include "net/commit.h"
#include "net/pools.h"
#include "net/task.h"

namespace nexa::orchestration {

/// The database as coroutines use it: reads on a pool of threads that may block, writes through the
/// one writer. A set of references; all outlive it.
struct Backend {
    db::Database& database;
    db::Writer& writer;
    net::WorkPool& pool;

    /// `f(db::Tx&)` returns a Result and owns what it uses.
    template <class F>
    auto read(F f) const {
        return net::run_on(pool, [&database = database, f = std::move(f)]() mutable {
            return database.read(f);
        });
    }

    /// `f(db::Tx&)` returns a Result, owns what it uses and may run several times.
    template <class F>
    auto write(F f) const {
        return net::commit(writer, std::move(f));
    }

    /// Several such at once, each answered by itself: see net::commit_all().
    template <class F>
    auto write_all(std::vector<F> all) const {
        return net::commit_all(writer, std::move(all));
    }
};

}  // namespace nexa::orchestration
