// SPDX-License-Identifier: Apache-2.0
#include "db/writer.h"

#include <algorithm>

#include "core/check.h"
#include "core/guard.h"
#include "db/writing_connection_internal.h"

namespace nexa::db {

namespace {

/// Waits that end with someone's notice. The deadline only bounds how long a lost notice could
/// hurt. A thread really waits here, so this is real time, not the injected clock's.
std::chrono::steady_clock::time_point far_deadline() {
    return std::chrono::steady_clock::now() + std::chrono::minutes(1);
}

/// What run() waits for. Shared with the callback, which may still hold it when run() has returned.
class Answer {
public:
    void set(Status status) NEXA_EXCLUDES(mutex_) {
        {
            const Lock lock(mutex_);
            status_ = std::move(status);
        }
        given_.notify_all();
    }
    Status wait() NEXA_EXCLUDES(mutex_) {
        const Lock lock(mutex_);
        while (!status_) {
            static_cast<void>(given_.wait_until(mutex_, far_deadline()));
        }
        return *std::move(status_);
    }
    bool is_given() const NEXA_EXCLUDES(mutex_) {
        const Lock lock(mutex_);
        return status_.has_value();
    }

private:
    mutable Mutex mutex_;
    CondVar given_;
    std::optional<Status> status_ NEXA_GUARDED_BY(mutex_);
};

}  // namespace

Writer::Writer(Database& database, WriterOptions options)
    : options_(options), connection_(std::make_unique<WritingConnection>(database)) {
    NEXA_CHECK(options_.queue_max >= 1 && options_.batch_max >= 1);
    batch_max_ = std::min(options_.batch_max, (*connection_)->entries_max());
}

Writer::~Writer() {
    stop(StopMode::kCancel);
}

Status Writer::submit(Apply apply, Done done) {
    std::vector<Work> one;
    one.push_back({.apply = std::move(apply), .done = std::move(done)});
    return submit_all(std::move(one));
}

Status Writer::submit_all(std::vector<Work> works) {
    bool first = false;
    {
        const Lock lock(mutex_);
        if (state_ != State::kOpen) {
            return Error::cancelled("cannot write: the database's writer was stopped");
        }
        if (queue_.size() + works.size() > options_.queue_max) {
            return Error::resource_exhausted(
                "cannot write: {} writes already wait for the database", queue_.size()
            );
        }
        first = queue_.empty() && !works.empty();
        for (Work& work : works) {
            NEXA_CHECK(work.apply && work.done);
            queue_.push_back(
                Entry{.apply = std::move(work.apply), .done = std::move(work.done), .answer = {}}
            );
        }
    }
    if (first) {
        work_.notify_one();
    }
    return {};
}

Status Writer::run_status(Apply apply) {
    check_not_in_batch();
    auto answer = std::make_shared<Answer>();
    TRY_STATUS(submit(std::move(apply), [answer](Status status) { answer->set(std::move(status)); })
    );
    while (!is_started() && !answer->is_given()) {
        step();
    }
    return answer->wait();
}

std::size_t Writer::step() {
    check_not_in_batch();
    std::vector<Entry> batch = take_batch();
    const std::size_t entries = batch.size();
    if (entries > 0) {
        const Status status = commit_batch(batch);
        if (!status) {
            // Also who was refused in it: that may have been for what another entry did.
            for (Entry& entry : batch) {
                entry.answer = status;
            }
        }
        count(batch, status.has_value());
        answer(std::move(batch));
    }
    end_turn();
    return entries;
}

std::vector<Writer::Entry> Writer::take_batch() {
    const Lock lock(mutex_);
    while (stepping_) {
        static_cast<void>(turn_.wait_until(mutex_, far_deadline()));
    }
    stepping_ = std::this_thread::get_id();
    std::vector<Entry> batch;
    if (state_ != State::kCancelling) {
        batch.reserve(std::min(queue_.size(), batch_max_));
        while (!queue_.empty() && batch.size() < batch_max_) {
            batch.push_back(std::move(queue_.front()));
            queue_.pop_front();
        }
    }
    return batch;
}

/// Commits the batch, trying again while others are in the way.
Status Writer::commit_batch(std::vector<Entry>& batch) {
    Connection& connection = **connection_;
    Patience patience{.next = options_.pause_first};
    while (true) {
        Status status = try_batch(batch);
        if (status) {
            return status;
        }
        if (connection.commit_is_open()) {
            const Outcome outcome = settle(patience);
            if (outcome == Outcome::kCommitted) {
                return {};
            }
            if (outcome != Outcome::kRolledBack) {
                connection.rollback();
                return Error::unavailable(
                           "the connection to the database was lost during COMMIT, and it is not "
                           "known whether the change was made"
                )
                    .hint("look before it is made again");
            }
        }
        const bool again = connection.may_work_again();
        connection.rollback();
        if (!again || !pause(patience)) {
            return status;
        }
    }
}

/// Asks until it is known how the COMMIT ended that got no answer, or there is no more time.
Outcome Writer::settle(Patience& patience) {
    Connection& connection = **connection_;
    Outcome outcome = connection.find_outcome();
    while (outcome == Outcome::kNotYetKnown && pause(patience)) {
        outcome = connection.find_outcome();
    }
    return outcome;
}

Status Writer::try_batch(std::vector<Entry>& batch) {
    Connection& connection = **connection_;
    TRY_STATUS(connection.begin(Access::kWrite));
    for (Entry& entry : batch) {
        TRY_STATUS(apply_entry(entry));
    }
    return connection.commit();
}

/// Leaves the entry's own answer in it. Returns an error if the whole transaction is lost.
Status Writer::apply_entry(Entry& entry) {
    Connection& connection = **connection_;
    TRY_STATUS(connection.begin_entry());
    Tx tx(connection);
    entry.answer = guard([&] { return entry.apply(tx); });
    if (const Error* const failure = tx.failure(); failure != nullptr) {
        if (connection.may_work_again()) {
            return *failure;  // not the entry's fault: the batch starts again
        }
        if (entry.answer) {
            entry.answer = *failure;
        }
    }
    // A full disk makes SQLite roll back everything, and the next savepoint would silently open a
    // transaction of its own.
    if (!connection.in_transaction()) {
        return Error::unavailable(
            "the database rolled the transaction back: {}",
            entry.answer ? "for no stated reason" : entry.answer.error().message
        );
    }
    if (entry.answer) {
        entry.answer = connection.keep_entry();
        if (entry.answer || connection.may_work_again()) {
            return entry.answer;
        }
    }
    return connection.undo_entry();
}

/// Waits a little longer each time. False if there is no time left.
bool Writer::pause(Patience& patience) {
    if (patience.paused >= options_.busy_max) {
        return false;
    }
    const auto deadline = std::chrono::steady_clock::now() + patience.next;
    patience.paused += patience.next;
    patience.next = std::min(patience.next * 2, options_.pause_last);
    const Lock lock(mutex_);
    ++stats_.busy_retries;
    while (state_ != State::kCancelling) {
        if (!hurried_.wait_until(mutex_, deadline)) {
            return state_ != State::kCancelling;
        }
    }
    return false;
}

void Writer::count(const std::vector<Entry>& batch, bool committed) {
    const Lock lock(mutex_);
    if (!committed) {
        stats_.lost += batch.size();
        if (state_ == State::kDraining) {
            state_ = State::kCancelling;
        }
        return;
    }
    ++stats_.batches;
    for (const Entry& entry : batch) {
        ++(entry.answer ? stats_.committed : stats_.refused);
    }
}

void Writer::answer(std::vector<Entry> batch) {
    std::uint64_t broken = 0;
    for (Entry& entry : batch) {
        const Status status = guard([&] { entry.done(std::move(entry.answer)); });
        broken += status ? 0 : 1;
    }
    const Lock lock(mutex_);
    stats_.broken_answers += broken;
}

void Writer::end_turn() {
    {
        const Lock lock(mutex_);
        stepping_.reset();
    }
    turn_.notify_all();
}

void Writer::start() {
    {
        const Lock lock(mutex_);
        NEXA_CHECK(!started_ && state_ == State::kOpen);
        started_ = true;
    }
    thread_ = std::thread([this] {
        // What this lets through is our own: entries and callbacks are fenced one by one.
        NEXA_CHECK(guard([this] { run_thread(); }).has_value());
    });
}

void Writer::run_thread() {
    while (wait_for_work()) {
        step();
    }
}

bool Writer::wait_for_work() {
    const Lock lock(mutex_);
    while (queue_.empty() && state_ == State::kOpen) {
        static_cast<void>(work_.wait_until(mutex_, far_deadline()));
    }
    return !queue_.empty() && state_ != State::kCancelling;
}

void Writer::stop(StopMode mode) {
    check_not_in_batch();
    {
        const Lock lock(mutex_);
        if (state_ != State::kOpen) {
            return;
        }
        state_ = mode == StopMode::kDrain ? State::kDraining : State::kCancelling;
    }
    work_.notify_all();
    hurried_.notify_all();
    if (thread_.joinable()) {
        thread_.join();
    }
    while (is_draining() && step() > 0) {
    }
    cancel_waiting();
}

void Writer::cancel_waiting() {
    std::vector<Entry> waiting;
    {
        const Lock lock(mutex_);
        waiting.assign(
            std::make_move_iterator(queue_.begin()), std::make_move_iterator(queue_.end())
        );
        queue_.clear();
    }
    for (Entry& entry : waiting) {
        entry.answer = Error::cancelled("not written: the database's writer was stopped");
    }
    answer(std::move(waiting));
}

bool Writer::is_started() const {
    const Lock lock(mutex_);
    return started_;
}

bool Writer::is_draining() const {
    const Lock lock(mutex_);
    return state_ == State::kDraining;
}

void Writer::check_not_in_batch() const {
    const Lock lock(mutex_);
    NEXA_CHECK(stepping_ != std::this_thread::get_id());
}

WriterStats Writer::stats() const {
    const Lock lock(mutex_);
    WriterStats stats = stats_;
    stats.waiting = queue_.size();
    return stats;
}

}  // namespace nexa::db
