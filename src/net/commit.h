// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "net/task.h"

namespace nexa::net {

namespace internal {
template <class F, class Writer>
using CommitResult = std::invoke_result_t<F&, typename Writer::Transaction&>;
}  // namespace internal

/// Waits, without blocking a thread, until `writer` (a db::Writer) has committed `apply`, and gives
/// what it returned. `apply(Transaction&)` returns a Result and is repeatable, as the writer asks.
/// A waiter that is cancelled stops waiting; what was handed over is still committed. Errors:
/// `apply`'s own and the writer's.
template <class Writer, class F>
Task<typename internal::CommitResult<F, Writer>::value_type> commit(Writer& writer, F apply) {
    using T = typename internal::CommitResult<F, Writer>::value_type;
    using Slot = std::conditional_t<std::is_void_v<T>, std::monostate, std::optional<T>>;
    auto slot = std::make_shared<Slot>();
    auto start = [&writer, slot, apply = std::move(apply)](Done<T> done) mutable {
        auto entry = [slot, apply = std::move(apply)](typename Writer::Transaction& tx
                     ) mutable -> Status {
            auto result = apply(tx);
            if (!result) {
                return std::move(result).error();
            }
            if constexpr (!std::is_void_v<T>) {
                slot->emplace(*std::move(result));
            }
            return {};
        };
        auto answer = [slot, done](Status status) {
            if (!status) {
                done(std::move(status).error());
            } else if constexpr (std::is_void_v<T>) {
                done({});
            } else {
                done(std::move(**slot));
            }
        };
        const Status accepted = writer.submit(std::move(entry), std::move(answer));
        if (!accepted) {
            done(accepted.error());
        }
    };
    return await_callback<T>(std::move(start));
}

/// Several at once, each answered by itself and all committed together where they fit into one
/// transaction. Gives their results in order; an error of the whole only if the waiter is
/// cancelled.
template <class Writer, class F>
Task<std::vector<Result<typename internal::CommitResult<F, Writer>::value_type>>> commit_all(
    Writer& writer, std::vector<F> applies
) {
    using T = typename internal::CommitResult<F, Writer>::value_type;
    using Results = std::vector<Result<T>>;
    /// Each slot is touched by its own entry alone; the last answer hands all of them on.
    struct Gathered {
        std::vector<std::optional<T>> values;
        std::vector<Status> statuses;
        std::size_t answered = 0;
    };
    auto start = [&writer, applies = std::move(applies)](Done<Results> done) mutable {
        const std::size_t count = applies.size();
        if (count == 0) {
            done(Results());
            return;
        }
        auto gathered = std::make_shared<Gathered>();
        gathered->values.resize(count);
        gathered->statuses.resize(count);
        std::vector<typename Writer::Work> works;
        works.reserve(count);
        for (std::size_t i = 0; i < count; ++i) {
            auto entry = [gathered, i, apply = std::move(applies[i])](
                             typename Writer::Transaction& tx
                         ) mutable -> Status {
                auto result = apply(tx);
                if (!result) {
                    return std::move(result).error();
                }
                gathered->values[i].emplace(*std::move(result));
                return {};
            };
            // All answers come from the one thread that writes, one after the other.
            auto answer = [gathered, i, done](Status status) {
                gathered->statuses[i] = std::move(status);
                if (++gathered->answered < gathered->statuses.size()) {
                    return;
                }
                Results results;
                results.reserve(gathered->statuses.size());
                for (std::size_t j = 0; j < gathered->statuses.size(); ++j) {
                    if (gathered->statuses[j]) {
                        results.push_back(*std::move(gathered->values[j]));
                    } else {
                        results.push_back(std::move(gathered->statuses[j]).error());
                    }
                }
                done(std::move(results));
            };
            works.push_back({.apply = std::move(entry), .done = std::move(answer)});
        }
        const Status accepted = writer.submit_all(std::move(works));
        if (!accepted) {
            done(Results(count, accepted.error()));
        }
    };
    return await_callback<Results>(std::move(start));
}

}  // namespace nexa::net
