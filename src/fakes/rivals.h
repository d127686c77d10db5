// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <latch>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>

#include <gtest/gtest.h>

#include "core/check.h"
#include "db/tx.h"
#include "db/writer.h"

namespace nexa::fakes {

/// Runs two transactions of two coordinators on one PostgreSQL such that they meet: the first has
/// done its work and not committed when the second begins, and commits when that waits for it, or
/// has ended without waiting. Returns what both returned.
template <class First, class Second>
auto as_rivals(db::Writer& one, First first, db::Writer& other, Second second) {
    constexpr std::chrono::seconds kPatience{30};
    constexpr db::Sql kWaiting{
        .name = "waiting",
        .sqlite = "",
        .postgres = "SELECT count(*) AS n FROM pg_locks WHERE NOT granted",
    };
    std::latch begun(1);
    std::atomic<bool> ended = false;
    std::optional<std::invoke_result_t<Second&, db::Tx&>> later;
    std::thread rival([&] {
        begun.wait();
        later.emplace(other.run(std::move(second)));
        ended = true;
    });
    bool met = false;
    auto earlier = one.run([&](db::Tx& tx) {
        auto result = first(tx);
        if (!std::exchange(met, true)) {
            begun.count_down();
            const auto until = std::chrono::steady_clock::now() + kPatience;
            while (!ended) {
                const auto row = tx.query_one(kWaiting);
                if (!row || (*row)->int64("n") > 0) {
                    break;
                }
                if (std::chrono::steady_clock::now() > until) {
                    ADD_FAILURE() << "the second neither waits nor ends";
                    break;
                }
                std::this_thread::yield();
            }
        }
        return result;
    });
    if (!met) {
        begun.count_down();
    }
    rival.join();
    NEXA_CHECK(later.has_value());
    return std::pair(std::move(earlier), *std::move(later));
}

}  // namespace nexa::fakes
