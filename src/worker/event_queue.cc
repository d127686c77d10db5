// SPDX-License-Identifier: Apache-2.0
#include "worker/event_queue.h"

#include <algorithm>
#include <utility>

namespace nexa::worker {

namespace {

std::size_t weight_of(const protocol::EngineEvent& event) {
    constexpr std::size_t kFrame = 160;
    constexpr std::size_t kNumber = 32;
    // Escapes can double a text.
    std::size_t bytes =
        kFrame + 2 * (event.message.size() + event.phase.size() + event.unit.size());
    for (const auto& [name, value] : event.metrics) {
        bytes += 2 * name.size() + kNumber;
    }
    return bytes;
}

}  // namespace

void EventQueue::add(protocol::EngineEvent event) {
    if (entries_.size() >= kEventsMax) {
        const auto old_progress = std::ranges::find(entries_, "progress", [](const Entry& entry) {
            return std::string_view(entry.event.type);
        });
        entries_.erase(old_progress == entries_.end() ? entries_.begin() : old_progress);
        ++dropped_;
    }
    entries_.push_back({.number = ++last_number_, .event = std::move(event)});
}

EventQueue::Batch EventQueue::front(std::size_t bytes_max) const {
    Batch batch;
    std::size_t bytes = 0;
    for (const Entry& entry : entries_) {
        bytes += weight_of(entry.event);
        if (!batch.events.empty() && bytes > bytes_max) {
            break;
        }
        batch.events.push_back(entry.event);
        batch.mark = entry.number;
    }
    return batch;
}

void EventQueue::drop_through(std::uint64_t mark) {
    while (!entries_.empty() && entries_.front().number <= mark) {
        entries_.pop_front();
    }
}

}  // namespace nexa::worker
