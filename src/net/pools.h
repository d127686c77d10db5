// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/any_io_executor.hpp>

#include "core/mutex.h"
#include "core/result.h"

namespace nexa::net {

namespace asio = boost::asio;

/// True on a thread of an IoPool, where nothing may block.
bool is_on_io_thread() noexcept;

/// Aborts if called on an io thread. Stands first in every function that blocks: such a call is our
/// bug, and would stall every connection.
void assert_may_block() noexcept;
#define NEXA_CHECK_NOT_ON_IO() ::nexa::net::assert_may_block()

struct IoPoolOptions {
    std::size_t threads = 1;
    /// Told of an exception that reached the root of an io thread; the thread goes on. Called on
    /// that thread. Empty: it aborts.
    std::function<void(const Error&)> on_error;
};

/// The threads that wait on the network. Runs coroutines; nothing on it may block.
///
/// Thread-safe. Must outlive everything that runs on it; whoever owns tasks stops them first.
class IoPool {
public:
    explicit IoPool(IoPoolOptions options = {});
    ~IoPool();
    IoPool(const IoPool&) = delete;
    IoPool& operator=(const IoPool&) = delete;

    /// Runs handlers on any thread of the pool.
    asio::any_io_executor executor() const;
    /// A new executor whose handlers never run at the same time: what one coroutine and the state
    /// it shares with its timers needs.
    asio::any_io_executor serial_executor() const;
    /// Blocks: ends the threads without waiting for tasks. Handlers that have not run are dropped
    /// by the destructor. Repeatable.
    void stop();

private:
    struct Context;
    std::unique_ptr<Context> context_;
    IoPoolOptions options_;
    std::vector<std::thread> threads_;
};

struct WorkPoolOptions {
    std::string name = "work";  ///< of the threads, up to 15 characters
    std::size_t threads = 1;
    std::size_t queue_max = 1024;  ///< jobs waiting, without those that run
};

/// Threads that compute or block: `cpu` and `db`. Jobs start in the order they came.
///
/// Thread-safe. A job that was accepted either runs, or is destroyed without running by stop().
class WorkPool {
public:
    using Job = std::move_only_function<void()>;

    explicit WorkPool(WorkPoolOptions options);
    ~WorkPool();
    WorkPool(const WorkPool&) = delete;
    WorkPool& operator=(const WorkPool&) = delete;

    /// Never blocks. `job` must not throw; use run_on() to get a result back into a coroutine.
    /// Errors: kResourceExhausted if the queue is full, kCancelled after stop().
    Status submit(Job job);
    /// Blocks: refuses new jobs, destroys those that wait, joins those that run. Repeatable.
    void stop();

    const std::string& name() const { return options_.name; }
    /// Jobs that wait now.
    std::size_t queued() const;

private:
    void run();
    std::optional<Job> next();

    const WorkPoolOptions options_;
    mutable Mutex mutex_;
    CondVar wake_;
    std::deque<Job> jobs_ NEXA_GUARDED_BY(mutex_);
    bool stopped_ NEXA_GUARDED_BY(mutex_) = false;
    std::vector<std::thread> threads_ NEXA_GUARDED_BY(mutex_);
};

struct PoolsOptions {
    IoPoolOptions io;
    WorkPoolOptions cpu{.name = "cpu", .threads = 2, .queue_max = 1024};
    WorkPoolOptions db{.name = "db", .threads = 4, .queue_max = 1024};
};

/// The named pools of a program. Work pools end before io, so what they post still finds it.
struct Pools {
    explicit Pools(PoolsOptions options = {})
        : io(std::move(options.io)), cpu(std::move(options.cpu)), db(std::move(options.db)) {}

    IoPool io;
    WorkPool cpu;
    WorkPool db;
};

}  // namespace nexa::net
