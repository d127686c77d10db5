// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/mutex.h"
#include "core/result.h"
#include "db/database.h"
#include "db/tx.h"

namespace nexa::db {

class WritingConnection;
enum class Outcome : std::uint8_t;

struct WriterOptions {
    std::size_t queue_max = 4'096;  ///< entries that wait; at least 1
    std::size_t batch_max = 256;    ///< entries in one transaction; at least 1
    /// How long a batch tries again while others are in the way (a lock of another process, a
    /// deadlock, a server that is away), in steps that double from the first to the last. Comes on
    /// top of the driver's own wait for each try.
    std::chrono::milliseconds busy_max{10'000};
    std::chrono::milliseconds pause_first{2};
    std::chrono::milliseconds pause_last{200};
};

/// What happened since the writer was made.
struct WriterStats {
    std::uint64_t batches = 0;         ///< committed transactions
    std::uint64_t committed = 0;       ///< entries answered with success
    std::uint64_t refused = 0;         ///< entries that failed alone
    std::uint64_t lost = 0;            ///< entries that failed with their whole batch
    std::uint64_t busy_retries = 0;    ///< batches tried again
    std::uint64_t broken_answers = 0;  ///< callbacks that threw
    std::size_t waiting = 0;           ///< entries in the queue now
};

enum class StopMode : std::uint8_t {
    kDrain,   ///< commit what waits; give up at the first batch that fails
    kCancel,  ///< answer what waits with kCancelled
};

/// The only one who opens a write transaction. Takes whatever waits, up to `batch_max` entries,
/// into one transaction and answers all of them once it is on the disk (group commit), so many
/// small writes cost one sync.
///
/// Each entry has a savepoint of its own: one that fails leaves nothing behind and gets its own
/// error, while the others go on. If the transaction as a whole fails (disk full, disk error) every
/// entry of the batch gets kUnavailable; after an error during COMMIT it is not known whether the
/// batch will be there after a crash, so what is submitted must bear being submitted again. If
/// others are in the way, the batch is tried again from the start. With PostgreSQL that goes also
/// for a connection that is lost, and after a COMMIT without answer the server is asked how it
/// ended: only if that cannot be known in time is the answer kUnavailable, and says so.
///
/// Thread-safe, except start() and stop(), which belong to the owner. Outlived by the database.
class Writer {
public:
    /// What an entry does. Owns its data, may run several times (each time from the same state of
    /// the database, or a newer one; earlier runs left nothing), does no other I/O and cannot be
    /// cancelled once handed over. Runs on the writer's thread.
    using Transaction = Tx;
    using Apply = std::move_only_function<Status(Transaction&)>;
    /// Gets the answer, exactly once, on the writer's thread (or the one in stop()), with no lock
    /// held: may submit(), may not block, run() or step().
    using Done = std::move_only_function<void(Status)>;

    /// Takes the database's writing connection: one Writer a database at a time.
    explicit Writer(Database& database, WriterOptions options = {});
    /// stop(kCancel).
    ~Writer();
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;

    /// Hands an entry over; does not block. Errors, after which `done` is never called:
    /// kResourceExhausted (the queue is full), kCancelled (the writer was stopped).
    [[nodiscard]] Status submit(Apply apply, Done done) NEXA_EXCLUDES(mutex_);

    /// One entry of several that come together.
    struct Work {
        Apply apply;
        Done done;
    };
    /// Hands all of them over at once, in order, so that they share a transaction where there is
    /// room in it; each is still answered by itself. Errors: those of submit(), then of none `done`
    /// is called.
    [[nodiscard]] Status submit_all(std::vector<Work> works) NEXA_EXCLUDES(mutex_);

    /// Blocks until `apply` is committed, and returns what it returned: a Result of anything.
    /// Where start() was not called it steps on this thread. Errors: `apply`'s own, and those of
    /// submit() and of the class.
    template <class F>
        requires std::is_invocable_v<F&, Tx&>
    auto run(F apply) -> std::invoke_result_t<F&, Tx&> {
        using Returned = std::invoke_result_t<F&, Tx&>;
        if constexpr (std::is_same_v<Returned, Status>) {
            return run_status(Apply(std::move(apply)));
        } else {
            auto value = std::make_shared<std::optional<typename Returned::value_type>>();
            Status status = run_status([value, apply = std::move(apply)](Tx& tx) mutable {
                auto result = apply(tx);
                if (!result) {
                    return Status(std::move(result).error());
                }
                value->emplace(*std::move(result));
                return Status();
            });
            if (!status) {
                return std::move(status).error();
            }
            // NOLINTNEXTLINE(bugprone-unchecked-optional-access): `apply` has run and succeeded
            return std::move(**value);
        }
    }
    template <class T>
    Result<T> run(std::function<Result<T>(Tx&)> apply) {
        return run<std::function<Result<T>(Tx&)>>(std::move(apply));
    }

    /// Runs one batch on the caller's thread and returns how many entries it answered: 0 if none
    /// waited. Blocks on the disk.
    std::size_t step() NEXA_EXCLUDES(mutex_);

    /// Starts the thread that runs batches from now on. Once.
    void start() NEXA_EXCLUDES(mutex_);
    /// Takes no new entries, answers those that wait, and ends the thread. Blocks, at most about
    /// `busy_max` longer than the disk takes. Not from a callback. Again: does nothing.
    void stop(StopMode mode = StopMode::kDrain) NEXA_EXCLUDES(mutex_);

    WriterStats stats() const NEXA_EXCLUDES(mutex_);

private:
    struct Entry {
        Apply apply;
        Done done;
        Status answer;
    };
    enum class State : std::uint8_t { kOpen, kDraining, kCancelling };
    /// How long a batch has paused, and how long it pauses next.
    struct Patience {
        std::chrono::milliseconds paused{0};
        std::chrono::milliseconds next{0};
    };

    Status run_status(Apply apply) NEXA_EXCLUDES(mutex_);
    void run_thread();
    bool wait_for_work() NEXA_EXCLUDES(mutex_);
    std::vector<Entry> take_batch() NEXA_EXCLUDES(mutex_);
    Status commit_batch(std::vector<Entry>& batch);
    Status try_batch(std::vector<Entry>& batch);
    Status apply_entry(Entry& entry);
    Outcome settle(Patience& patience);
    bool pause(Patience& patience) NEXA_EXCLUDES(mutex_);
    void count(const std::vector<Entry>& batch, bool committed) NEXA_EXCLUDES(mutex_);
    void answer(std::vector<Entry> batch) NEXA_EXCLUDES(mutex_);
    void end_turn() NEXA_EXCLUDES(mutex_);
    void cancel_waiting() NEXA_EXCLUDES(mutex_);
    bool is_started() const NEXA_EXCLUDES(mutex_);
    bool is_draining() const NEXA_EXCLUDES(mutex_);
    void check_not_in_batch() const NEXA_EXCLUDES(mutex_);

    const WriterOptions options_;
    const std::unique_ptr<WritingConnection> connection_;  ///< touched by whoever runs the batch
    std::size_t batch_max_ = 1;  ///< never more than the driver takes well
    std::thread thread_;

    mutable Mutex mutex_;
    CondVar work_;     ///< the queue is no longer empty, or the state changed
    CondVar turn_;     ///< nobody runs a batch any more
    CondVar hurried_;  ///< the state changed
    std::deque<Entry> queue_ NEXA_GUARDED_BY(mutex_);
    State state_ NEXA_GUARDED_BY(mutex_) = State::kOpen;
    bool started_ NEXA_GUARDED_BY(mutex_) = false;
    /// Who runs a batch now: one at a time.
    std::optional<std::thread::id> stepping_ NEXA_GUARDED_BY(mutex_);
    WriterStats stats_ NEXA_GUARDED_BY(mutex_);
};

}  // namespace nexa::db
