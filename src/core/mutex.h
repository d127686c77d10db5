// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

/// Annotations that clang's -Wthread-safety checks; nothing for other compilers.
#if defined(__clang__)
#define NEXA_THREAD_ANNOTATION(x) __attribute__((x))
#else
#define NEXA_THREAD_ANNOTATION(x)
#endif

#define NEXA_CAPABILITY(name) NEXA_THREAD_ANNOTATION(capability(name))
#define NEXA_SCOPED_CAPABILITY NEXA_THREAD_ANNOTATION(scoped_lockable)
/// On a member: only touched while `mutex` is held.
#define NEXA_GUARDED_BY(mutex) NEXA_THREAD_ANNOTATION(guarded_by(mutex))
/// On a pointer member: what it points to is only touched while `mutex` is held.
#define NEXA_PT_GUARDED_BY(mutex) NEXA_THREAD_ANNOTATION(pt_guarded_by(mutex))
/// On a function: the caller holds these.
#define NEXA_REQUIRES(...) NEXA_THREAD_ANNOTATION(requires_capability(__VA_ARGS__))
/// On a function: the caller does not hold these, because the function takes them.
#define NEXA_EXCLUDES(...) NEXA_THREAD_ANNOTATION(locks_excluded(__VA_ARGS__))
#define NEXA_ACQUIRE(...) NEXA_THREAD_ANNOTATION(acquire_capability(__VA_ARGS__))
#define NEXA_TRY_ACQUIRE(...) NEXA_THREAD_ANNOTATION(try_acquire_capability(__VA_ARGS__))
#define NEXA_RELEASE(...) NEXA_THREAD_ANNOTATION(release_capability(__VA_ARGS__))
/// For the rare function that the analysis cannot follow; say why beside it.
#define NEXA_NO_THREAD_SAFETY_ANALYSIS NEXA_THREAD_ANNOTATION(no_thread_safety_analysis)

namespace nexa {

/// std::mutex that clang can reason about. Hold it by a Lock, for a few instructions; never across
/// co_await, I/O or a call of foreign code.
class NEXA_CAPABILITY("mutex") Mutex {
public:
    Mutex() = default;
    Mutex(const Mutex&) = delete;
    Mutex& operator=(const Mutex&) = delete;

    void lock() NEXA_ACQUIRE() { mutex_.lock(); }
    void unlock() NEXA_RELEASE() { mutex_.unlock(); }
    [[nodiscard]] bool try_lock() NEXA_TRY_ACQUIRE(true) { return mutex_.try_lock(); }

private:
    friend class CondVar;
    std::mutex mutex_;
};

/// Holds a Mutex from here to the end of the block.
class NEXA_SCOPED_CAPABILITY Lock {
public:
    explicit Lock(Mutex& mutex) NEXA_ACQUIRE(mutex) : mutex_(mutex) { mutex_.lock(); }
    ~Lock() NEXA_RELEASE() { mutex_.unlock(); }
    Lock(const Lock&) = delete;
    Lock& operator=(const Lock&) = delete;

private:
    Mutex& mutex_;
};

/// Waits for a change of what a Mutex guards. There is no wait without a deadline. A wait may wake
/// early for no reason: call it in a loop that looks at the condition,
///
///     while (!ready_) {
///         if (!changed_.wait_until(mutex_, deadline)) {
///             return Error::deadline_exceeded(…);
///         }
///     }
class CondVar {
public:
    CondVar() = default;
    CondVar(const CondVar&) = delete;
    CondVar& operator=(const CondVar&) = delete;

    /// Releases `mutex`, waits, takes it again. False once `deadline` has passed.
    [[nodiscard]] bool wait_until(Mutex& mutex, std::chrono::steady_clock::time_point deadline)
        NEXA_REQUIRES(mutex) {
        std::unique_lock<std::mutex> held(mutex.mutex_, std::adopt_lock);
        const std::cv_status status = condition_.wait_until(held, deadline);
        held.release();
        return status == std::cv_status::no_timeout;
    }
    void notify_one() { condition_.notify_one(); }
    void notify_all() { condition_.notify_all(); }

private:
    std::condition_variable condition_;
};

}  // namespace nexa
