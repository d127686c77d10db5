// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

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

}  // namespace nexa::net
