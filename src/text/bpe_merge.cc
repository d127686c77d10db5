// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <compare>
#include <functional>
#include <queue>

#include "core/check.h"
#include "text/bpe_merge_internal.h"

namespace nexa::text::internal {
namespace {

constexpr std::uint32_t kNone = 0xFFFFFFFF;

// Symbols as a doubly linked list over indices; a merged-away symbol is dead.
struct Node {
    std::int32_t id = 0;
    std::uint32_t previous = kNone;
    std::uint32_t next = kNone;
    Merge merge;  // of this symbol with the next one
};

struct Candidate {
    std::uint32_t rank = 0;
    std::uint32_t at = 0;
    friend auto operator<=>(const Candidate&, const Candidate&) = default;
};

class MergeList {
public:
    MergeList(const PairTable& merges, const std::vector<std::int32_t>& symbols)
        : merges_(merges), nodes_(symbols.size()) {
        NEXA_CHECK(symbols.size() < kNone);
        const auto count = static_cast<std::uint32_t>(symbols.size());
        for (std::uint32_t i = 0; i < count; ++i) {
            nodes_[i] = {symbols[i], i == 0 ? kNone : i - 1, i + 1 == count ? kNone : i + 1, {}};
        }
        for (std::uint32_t i = 0; i < count; ++i) {
            consider(i);
        }
    }

    void run() {
        while (!candidates_.empty()) {
            const Candidate best = candidates_.top();
            candidates_.pop();
            // Candidates are not taken out when a neighbor changes; then their rank is no longer
            // the node's own.
            if (nodes_[best.at].merge.rank == best.rank) {
                merge_at(best.at);
            }
        }
    }

    void write(std::vector<std::int32_t>& symbols) const {
        symbols.clear();
        for (std::uint32_t i = 0; i != kNone; i = nodes_[i].next) {
            symbols.push_back(nodes_[i].id);
        }
    }

private:
    void consider(std::uint32_t at) {
        Node& node = nodes_[at];
        node.merge = node.next == kNone ? Merge{} : merges_.find(node.id, nodes_[node.next].id);
        if (node.merge.rank != kNoRank) {
            candidates_.push({node.merge.rank, at});
        }
    }

    void merge_at(std::uint32_t at) {
        Node& node = nodes_[at];
        Node& gone = nodes_[node.next];
        node.id = node.merge.id;
        gone.merge = {};
        node.next = gone.next;
        if (node.next != kNone) {
            nodes_[node.next].previous = at;
        }
        consider(at);
        if (node.previous != kNone) {
            consider(node.previous);
        }
    }

    const PairTable& merges_;
    std::vector<Node> nodes_;
    std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> candidates_;
};

}  // namespace

void merge_by_scan(const PairTable& merges, std::vector<std::int32_t>& symbols) {
    if (symbols.size() < 2) {
        return;
    }
    NEXA_CHECK(symbols.size() <= kScanSymbolsMax);
    std::array<Merge, kScanSymbolsMax> with_next;
    std::size_t count = symbols.size();
    for (std::size_t i = 0; i + 1 < count; ++i) {
        with_next[i] = merges.find(symbols[i], symbols[i + 1]);
    }
    while (count > 1) {
        const auto end = with_next.begin() + static_cast<std::ptrdiff_t>(count) - 1;
        const auto best = std::ranges::min_element(with_next.begin(), end, {}, &Merge::rank);
        if (best->rank == kNoRank) {
            break;
        }
        const auto at = static_cast<std::size_t>(best - with_next.begin());
        symbols[at] = best->id;
        for (std::size_t i = at + 1; i + 1 < count; ++i) {
            symbols[i] = symbols[i + 1];
            with_next[i - 1] = with_next[i];
        }
        --count;
        if (at + 1 < count) {
            with_next[at] = merges.find(symbols[at], symbols[at + 1]);
        }
        if (at > 0) {
            with_next[at - 1] = merges.find(symbols[at - 1], symbols[at]);
        }
    }
    symbols.resize(count);
}

void merge_by_heap(const PairTable& merges, std::vector<std::int32_t>& symbols) {
    if (symbols.size() < 2) {
        return;
    }
    MergeList list(merges, symbols);
    list.run();
    list.write(symbols);
}

}  // namespace nexa::text::internal
