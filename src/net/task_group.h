// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "net/pools.h"
#include "net/task.h"

namespace nexa::net {

namespace internal {
struct GroupState;
struct GroupEntry;
}  // namespace internal

/// A running task of a TaskGroup. Copyable, thread-safe, may outlive the task.
class TaskHandle {
public:
    TaskHandle() = default;
    /// Asks the task to end; it unwinds from the wait it is in. Does nothing once it has ended.
    void cancel() const;
    /// The same without a detour: only on the task's executor, and not from the task itself.
    void cancel_now() const;

private:
    friend class TaskGroup;
    explicit TaskHandle(std::weak_ptr<internal::GroupEntry> entry) : entry_(std::move(entry)) {}
    std::weak_ptr<internal::GroupEntry> entry_;
};

/// The owner of background tasks: a gate, cancellation, and a place where their errors go. The only
/// way to start a coroutine that nobody awaits.
///
/// Thread-safe. Invariant: the destructor finds no task running; whoever owns the group calls
/// stop() before.
class TaskGroup {
public:
    /// Told of every task that ends with an error, on the task's executor. A task that ends because
    /// it was asked to is no error.
    using OnError = std::function<void(std::string_view task, const Error& error)>;

    TaskGroup(IoPool& io, OnError on_error);
    ~TaskGroup();
    TaskGroup(const TaskGroup&) = delete;
    TaskGroup& operator=(const TaskGroup&) = delete;

    /// Starts `task` on a serial executor of its own. Errors: kCancelled if the group is stopping;
    /// `task` is then destroyed without having run.
    Result<TaskHandle> spawn(std::string name, Task<void> task);
    /// The same on `executor`, which must be serial and of the group's pool.
    Result<TaskHandle> spawn_on(
        const asio::any_io_executor& executor, std::string name, Task<void> task
    );

    /// Asks every task to end; new ones may still start.
    void cancel() const;

    /// Closes the gate, gives running tasks `grace` to end by themselves, cancels those that have
    /// not, and returns when all have ended. Repeatable. Not from a task of the group itself.
    Task<void> stop(std::chrono::nanoseconds grace = std::chrono::nanoseconds::zero());
    /// Closes the gate only.
    void close();

    std::size_t running() const;

private:
    IoPool& io_;
    std::shared_ptr<internal::GroupState> state_;  // the tasks' completions share it
};

namespace blocking {
/// TaskGroup::stop() for owners without a coroutine. Not on an io thread.
void stop(IoPool& io, TaskGroup& group, std::chrono::nanoseconds grace = {});
}  // namespace blocking

}  // namespace nexa::net
