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
    if (events_.size() >= kEventsMax) {
        const auto unoffered = events_.begin() + static_cast<std::ptrdiff_t>(offered_);
        const auto old_progress =
            std::ranges::find(unoffered, events_.end(), "progress", &protocol::EngineEvent::type);
        events_.erase(old_progress == events_.end() ? unoffered : old_progress);
        ++dropped_;
    }
    events_.push_back(std::move(event));
}

EventQueue::Batch EventQueue::front(std::size_t bytes_max) {
    Batch batch{.first = first_number_, .mark = first_number_ - 1};
    std::size_t bytes = 0;
    for (const protocol::EngineEvent& event : events_) {
        bytes += weight_of(event);
        if (batch.events.size() == kBatchMax || (!batch.events.empty() && bytes > bytes_max)) {
            break;
        }
        batch.events.push_back(event);
        ++batch.mark;
    }
    offered_ = std::max(offered_, batch.events.size());
    return batch;
}

void EventQueue::drop_through(std::int64_t mark) {
    while (!events_.empty() && first_number_ <= mark) {
        events_.pop_front();
        ++first_number_;
        offered_ -= offered_ > 0 ? 1 : 0;
    }
}

}  // namespace nexa::worker
