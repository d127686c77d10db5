// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <barrier>
#include <cstddef>
#include <functional>
#include <thread>
#include <vector>

namespace nexa::training {

/// Threads that work side by side on parts of one thing and wait for each other twice a round. They
/// live as long as the team: libtorch keeps memory for each thread that has computed. Used by one
/// thread.
class ThreadTeam {
public:
    /// `size` is at least 1, the calling thread counted in.
    explicit ThreadTeam(std::size_t size);
    ~ThreadTeam();
    ThreadTeam(const ThreadTeam&) = delete;
    ThreadTeam& operator=(const ThreadTeam&) = delete;

    std::size_t size() const { return threads_.size() + 1; }
    /// Calls task(i) for every i below size(), task(0) on the calling thread, and returns when all
    /// have returned. The task must not throw.
    void run(const std::function<void(std::size_t)>& task);

private:
    void work(std::size_t index);

    std::barrier<> begin_;
    std::barrier<> end_;
    const std::function<void(std::size_t)>* task_ = nullptr;  ///< null in a round: go home
    std::vector<std::jthread> threads_;
};

}  // namespace nexa::training
