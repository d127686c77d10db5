// SPDX-License-Identifier: Apache-2.0
#include "net/pools.h"

#include <pthread.h>

#include <chrono>
#include <utility>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>

#include "core/check.h"
#include "core/guard.h"

namespace nexa::net {

namespace {

thread_local bool on_io_thread = false;

void name_this_thread(const std::string& name) {
    // Linux refuses names of more than 15 characters.
    pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
}

}  // namespace

bool is_on_io_thread() noexcept {
    return on_io_thread;
}

void assert_may_block() noexcept {
    NEXA_CHECK(!on_io_thread);
}

struct IoPool::Context {
    explicit Context(std::size_t threads)
        : io(static_cast<int>(threads)), work(asio::make_work_guard(io)) {}

    asio::io_context io;
    asio::executor_work_guard<asio::io_context::executor_type> work;
};

IoPool::IoPool(IoPoolOptions options) : options_(std::move(options)) {
    NEXA_CHECK(options_.threads > 0);
    context_ = std::make_unique<Context>(options_.threads);
    for (std::size_t i = 0; i < options_.threads; ++i) {
        threads_.emplace_back([this] {
            on_io_thread = true;
            name_this_thread("io");
            for (;;) {
                const Status status = guard([this] { context_->io.run(); });
                if (status) {
                    return;
                }
                NEXA_CHECK(options_.on_error != nullptr);
                options_.on_error(status.error());
            }
        });
    }
}

IoPool::~IoPool() {
    stop();
}

asio::any_io_executor IoPool::executor() const {
    return context_->io.get_executor();
}

asio::any_io_executor IoPool::serial_executor() const {
    if (options_.threads == 1) {
        return context_->io.get_executor();
    }
    return asio::make_strand(context_->io);
}

void IoPool::stop() {
    NEXA_CHECK_NOT_ON_IO();
    context_->work.reset();
    context_->io.stop();
    for (std::thread& thread : threads_) {
        thread.join();
    }
    threads_.clear();
}

WorkPool::WorkPool(WorkPoolOptions options) : options_(std::move(options)) {
    NEXA_CHECK(options_.threads > 0);
    const Lock lock(mutex_);
    for (std::size_t i = 0; i < options_.threads; ++i) {
        threads_.emplace_back([this] {
            name_this_thread(options_.name);
            run();
        });
    }
}

WorkPool::~WorkPool() {
    stop();
}

Status WorkPool::submit(Job job) {
    {
        const Lock lock(mutex_);
        if (stopped_) {
            return Error::cancelled("pool '{}' is stopped", options_.name);
        }
        if (jobs_.size() >= options_.queue_max) {
            return Error::resource_exhausted(
                       "the queue of pool '{}' is full with {} jobs", options_.name, jobs_.size()
            )
                .hint("try again in a moment");
        }
        jobs_.push_back(std::move(job));
    }
    wake_.notify_one();
    return {};
}

void WorkPool::stop() {
    std::deque<Job> dropped;
    std::vector<std::thread> threads;
    {
        const Lock lock(mutex_);
        stopped_ = true;
        dropped.swap(jobs_);
        threads.swap(threads_);
    }
    wake_.notify_all();
    // Whoever waits for a dropped job learns of it by the job's destructor, outside the lock.
    dropped.clear();
    for (std::thread& thread : threads) {
        thread.join();
    }
}

std::size_t WorkPool::queued() const {
    const Lock lock(mutex_);
    return jobs_.size();
}

std::optional<WorkPool::Job> WorkPool::next() {
    const Lock lock(mutex_);
    while (!stopped_ && jobs_.empty()) {
        // Woken by every submit() and by stop(); the deadline is only CondVar's way.
        static_cast<void>(
            wake_.wait_until(mutex_, std::chrono::steady_clock::now() + std::chrono::minutes(1))
        );
    }
    if (stopped_) {
        return std::nullopt;
    }
    std::optional<Job> job = std::move(jobs_.front());
    jobs_.pop_front();
    return job;
}

void WorkPool::run() {
    while (std::optional<Job> job = next()) {
        (*job)();
    }
}

}  // namespace nexa::net
