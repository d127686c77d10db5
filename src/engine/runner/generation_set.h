// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "engine/runner/sequence.h"
#include "engine/runner/serving_model.h"
#include "protocol/runner_frames.h"

namespace nexa::runner {

struct GenerationLimits {
    std::size_t active_max = 8;    ///< sequences that advance together, each with its cache
    std::size_t waiting_max = 64;  ///< behind them; more are refused
};

/// All answers in the making: some advance by a token each round, the rest wait in their order.
///
/// Belongs to the model's thread; does no I/O. Invariant: every request that was accepted ends with
/// exactly one RunnerDone or RunnerFailed, unless it was cancelled.
class GenerationSet {
public:
    using Client = std::uint64_t;  ///< whose request it is; ids are unique for each
    using Emit = std::function<void(Client, protocol::RunnerSays)>;
    using MayAdvance = std::function<bool(Client)>;

    GenerationSet(const ServingModel& model, const GenerationLimits& limits)
        : model_(model), limits_(limits) {}

    /// Errors: kConflict (the client has a request of that id), kResourceExhausted (too many wait),
    /// and those of Sequence::create().
    Status add(Client client, const protocol::GenerateRequest& request);
    /// Nothing more is emitted for it. An unknown id is none of our business: it may have ended.
    void cancel(Client client, std::string_view id);
    void drop_client(Client client);

    /// One token for each active sequence whose client `may_advance`. True if there was any.
    bool advance_all(const Emit& emit, const MayAdvance& may_advance);

    bool empty() const { return active_.empty() && waiting_.empty(); }
    std::size_t active() const { return active_.size(); }
    std::size_t waiting() const { return waiting_.size(); }

private:
    struct Entry {
        Client client;
        std::string id;
        Sequence sequence;
    };
    /// False once the entry has ended.
    static bool advance(Entry& entry, const Emit& emit);
    void fill();
    void drop_if(const std::function<bool(const Entry&)>& is_meant);

    const ServingModel& model_;
    const GenerationLimits limits_;
    std::vector<Entry> active_;
    std::deque<Entry> waiting_;
};

/// How an error is said to the client.
protocol::RunnerFailed failure_of(std::string id, const Error& error);

}  // namespace nexa::runner
