// SPDX-License-Identifier: Apache-2.0
#include "worker/lease_watch.h"

namespace nexa::worker {

SteadyTime ReportPace::next_at(std::chrono::milliseconds shortest_lease, bool has_news) const {
    const std::chrono::milliseconds regular = std::max(kIntervalMin, shortest_lease / 3);
    if (failures_ > 0) {
        constexpr int kDoublingsMax = 8;
        const auto pause = kIntervalMin * (1 << std::min(failures_, kDoublingsMax));
        return last_ +
               std::min<std::chrono::milliseconds>(pause, std::max(kIntervalMin, regular / 2));
    }
    return last_ + (has_news ? kIntervalMin : regular);
}

}  // namespace nexa::worker
