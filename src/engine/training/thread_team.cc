// SPDX-License-Identifier: Apache-2.0
#include "core/check.h"
#include "engine/training/thread_team_internal.h"

namespace nexa::training {

ThreadTeam::ThreadTeam(std::size_t size)
    : begin_(static_cast<std::ptrdiff_t>(size)), end_(static_cast<std::ptrdiff_t>(size)) {
    NEXA_CHECK(size >= 1);
    for (std::size_t index = 1; index < size; ++index) {
        threads_.emplace_back([this, index] { work(index); });
    }
}

ThreadTeam::~ThreadTeam() {
    task_ = nullptr;
    begin_.arrive_and_wait();
}

void ThreadTeam::run(const std::function<void(std::size_t)>& task) {
    task_ = &task;
    begin_.arrive_and_wait();
    task(0);
    end_.arrive_and_wait();
}

void ThreadTeam::work(std::size_t index) {
    for (begin_.arrive_and_wait(); task_ != nullptr; begin_.arrive_and_wait()) {
        (*task_)(index);
        end_.arrive_and_wait();
    }
}

}  // namespace nexa::training
