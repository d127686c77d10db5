// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "protocol/engine.h"

namespace nexa::worker {

/// Events of one job that the server has not confirmed, oldest first. Bounded: when it is full, the
/// oldest progress goes, since a newer one says the same and more; then the oldest of all. What has
/// been in a batch stays, with its number, since the server may have it. Not thread-safe.
class EventQueue {
public:
    static constexpr std::size_t kEventsMax = 512;
    static constexpr std::size_t kBatchMax = kEventsMax / 2;
    /// About what one event may weigh; a longer message is cut by whoever reads events.
    static constexpr std::size_t kMessageBytesMax = 4096;

    struct Batch {
        std::vector<protocol::EngineEvent> events;
        std::int64_t first = 0;  ///< number of the first; they rise by one
        std::int64_t mark = 0;   ///< for drop_through()
    };

    void add(protocol::EngineEvent event);
    /// The oldest events, up to about `bytes_max` as JSON, at least one if there are any. They stay
    /// here, and get their numbers now.
    Batch front(std::size_t bytes_max);
    /// The batch with this mark has arrived.
    void drop_through(std::int64_t mark);

    bool empty() const { return events_.empty(); }
    std::size_t size() const { return events_.size(); }
    std::uint64_t dropped() const { return dropped_; }

private:
    std::deque<protocol::EngineEvent> events_;
    std::size_t offered_ = 0;        ///< the first ones, which were in a batch
    std::int64_t first_number_ = 1;  ///< of the oldest
    std::uint64_t dropped_ = 0;
};

}  // namespace nexa::worker
