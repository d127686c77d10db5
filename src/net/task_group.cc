// SPDX-License-Identifier: Apache-2.0
#include "net/task_group.h"

#include <unordered_map>
#include <vector>

#include <boost/asio/bind_executor.hpp>

#include "core/check.h"
#include "core/mutex.h"

namespace nexa::net {

namespace internal {

struct GroupEntry {
    std::string name;
    asio::any_io_executor executor;
    // Both touched on `executor` only.
    asio::cancellation_signal signal;
    bool ended = false;
    bool cancelled = false;
};

struct GroupState {
    TaskGroup::OnError on_error;
    Mutex mutex;
    bool closed NEXA_GUARDED_BY(mutex) = false;
    std::unordered_map<GroupEntry*, std::shared_ptr<GroupEntry>> entries NEXA_GUARDED_BY(mutex);
    std::vector<Done<void>> waiting_for_empty NEXA_GUARDED_BY(mutex);
};

namespace {

void cancel_here(GroupEntry& entry) {
    if (!entry.ended) {
        entry.cancelled = true;
        entry.signal.emit(asio::cancellation_type::terminal);
    }
}

void cancel_entry(const std::shared_ptr<GroupEntry>& entry) {
    asio::post(entry->executor, [entry] { cancel_here(*entry); });
}

void cancel_all(GroupState& state) {
    const Lock lock(state.mutex);
    for (const auto& [key, entry] : state.entries) {
        cancel_entry(entry);
    }
}

void end_entry(GroupState& state, GroupEntry& entry, const Status& status) {
    entry.ended = true;
    const bool asked_to =
        entry.cancelled && !status && status.error().code == ErrorCode::kCancelled;
    if (!status && !asked_to && state.on_error) {
        state.on_error(entry.name, status.error());
    }
    std::vector<Done<void>> waiting;
    {
        const Lock lock(state.mutex);
        state.entries.erase(&entry);
        if (state.entries.empty()) {
            waiting.swap(state.waiting_for_empty);
        }
    }
    for (const Done<void>& done : waiting) {
        done(ok());
    }
}

Task<void> wait_until_empty(std::shared_ptr<GroupState> state) {
    return await_callback<void>([state = std::move(state)](Done<void> done) {
        {
            const Lock lock(state->mutex);
            if (!state->entries.empty()) {
                state->waiting_for_empty.push_back(std::move(done));
                return;
            }
        }
        done(ok());
    });
}

}  // namespace
}  // namespace internal

void TaskHandle::cancel() const {
    if (const auto entry = entry_.lock()) {
        internal::cancel_entry(entry);
    }
}

void TaskHandle::cancel_now() const {
    if (const auto entry = entry_.lock()) {
        internal::cancel_here(*entry);
    }
}

TaskGroup::TaskGroup(IoPool& io, OnError on_error)
    : io_(io), state_(std::make_shared<internal::GroupState>()) {
    state_->on_error = std::move(on_error);
}

TaskGroup::~TaskGroup() {
    NEXA_CHECK(running() == 0);
}

Result<TaskHandle> TaskGroup::spawn(std::string name, Task<void> task) {
    return spawn_on(io_.serial_executor(), std::move(name), std::move(task));
}

Result<TaskHandle> TaskGroup::spawn_on(
    const asio::any_io_executor& executor, std::string name, Task<void> task
) {
    const auto entry = std::make_shared<internal::GroupEntry>();
    entry->name = std::move(name);
    entry->executor = executor;
    {
        const Lock lock(state_->mutex);
        if (state_->closed) {
            return Error::cancelled(
                "task '{}' was not started: its group is stopping", entry->name
            );
        }
        state_->entries.emplace(entry.get(), entry);
    }
    auto on_end = [state = state_, entry](const std::exception_ptr&, const Status& status) {
        internal::end_entry(*state, *entry, status);
    };
    asio::co_spawn(
        executor,
        guarded(std::move(task)),
        asio::bind_cancellation_slot(
            entry->signal.slot(), asio::bind_executor(executor, std::move(on_end))
        )
    );
    return TaskHandle(entry);
}

void TaskGroup::cancel() const {
    internal::cancel_all(*state_);
}

void TaskGroup::close() {
    const Lock lock(state_->mutex);
    state_->closed = true;
}

Task<void> TaskGroup::stop(std::chrono::nanoseconds grace) {
    const std::shared_ptr<internal::GroupState> state = state_;
    close();
    if (grace > std::chrono::nanoseconds::zero()) {
        const Status ended = co_await with_deadline(internal::wait_until_empty(state), grace);
        if (ended) {
            co_return ok();
        }
    }
    internal::cancel_all(*state);
    co_return co_await internal::wait_until_empty(state);
}

std::size_t TaskGroup::running() const {
    const Lock lock(state_->mutex);
    return state_->entries.size();
}

namespace blocking {

void stop(IoPool& io, TaskGroup& group, std::chrono::nanoseconds grace) {
    const Status stopped = wait(io.serial_executor(), group.stop(grace));
    NEXA_CHECK(stopped.has_value());
}

}  // namespace blocking

}  // namespace nexa::net
