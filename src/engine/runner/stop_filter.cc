// SPDX-License-Identifier: Apache-2.0
#include "engine/runner/stop_filter.h"

#include <algorithm>
#include <utility>

namespace nexa::runner {

namespace {

/// How long the longest end of `text` is with which `stop` begins, but which is not all of it.
std::size_t overlap(std::string_view text, std::string_view stop) {
    for (std::size_t length = std::min(text.size(), stop.size() - 1); length > 0; --length) {
        if (text.ends_with(stop.substr(0, length))) {
            return length;
        }
    }
    return 0;
}

}  // namespace

std::string StopFilter::push(std::string_view text) {
    if (stopped_) {
        return {};
    }
    held_ += text;
    std::size_t first = std::string::npos;
    std::size_t kept = 0;
    for (const std::string& stop : stops_) {
        first = std::min(first, held_.find(stop));
        kept = std::max(kept, overlap(held_, stop));
    }
    if (first != std::string::npos) {
        stopped_ = true;
        held_.resize(first);
        return std::exchange(held_, {});
    }
    std::string shown = held_.substr(0, held_.size() - kept);
    held_.erase(0, shown.size());
    return shown;
}

std::string StopFilter::finish() {
    return std::exchange(held_, {});
}

}  // namespace nexa::runner
