// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "protocol/engine.h"

namespace nexa::worker {

/// Events of one job that the server has not confirmed, oldest first. Bounded: when it is full, the
/// oldest progress goes, since a newer one says the same and more; then the oldest of all. Not
/// thread-safe.
class EventQueue {
public:
    static constexpr std::size_t kEventsMax = 512;
    /// About what one event may weigh; a longer message is cut by whoever reads events.
    static constexpr std::size_t kMessageBytesMax = 4096;

    struct Batch {
        std::vector<protocol::EngineEvent> events;
        std::uint64_t mark = 0;  ///< for drop_through()
    };

    void add(protocol::EngineEvent event);
    /// The oldest events, up to about `bytes_max` as JSON, at least one if there are any. They stay
    /// here.
    Batch front(std::size_t bytes_max) const;
    /// The batch with this mark has arrived.
    void drop_through(std::uint64_t mark);

    bool empty() const { return entries_.empty(); }
    std::size_t size() const { return entries_.size(); }
    std::uint64_t dropped() const { return dropped_; }

private:
    struct Entry {
        std::uint64_t number = 0;
        protocol::EngineEvent event;
    };
    std::deque<Entry> entries_;
    std::uint64_t last_number_ = 0;
    std::uint64_t dropped_ = 0;
};

}  // namespace nexa::worker
