// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace nexa::text::internal {

inline constexpr std::uint32_t kNoRank = std::numeric_limits<std::uint32_t>::max();

/// What two neighboring tokens become. `rank` is kNoRank if they do not merge.
struct Merge {
    std::uint32_t rank = kNoRank;
    std::int32_t id = -1;
};

constexpr std::uint64_t pair_key(std::int32_t left, std::int32_t right) {
    return (static_cast<std::uint64_t>(static_cast<std::uint32_t>(left)) << 32U) |
           static_cast<std::uint32_t>(right);
}

/// Hash table from a pair of ids to its merge: open addressing, at most half full. Built once,
/// then read by any number of threads.
class PairTable {
public:
    explicit PairTable(std::size_t pairs_max)
        : slots_(std::bit_ceil(pairs_max * 2 + 2)), mask_(slots_.size() - 1) {}

    /// False if the pair is already there.
    bool insert(std::int32_t left, std::int32_t right, Merge merge) {
        const std::uint64_t key = pair_key(left, right);
        std::size_t at = home_of(key);
        while (slots_[at].key != kEmpty) {
            if (slots_[at].key == key) {
                return false;
            }
            at = (at + 1) & mask_;
        }
        slots_[at] = {key, merge};
        return true;
    }

    Merge find(std::int32_t left, std::int32_t right) const {
        const std::uint64_t key = pair_key(left, right);
        std::size_t at = home_of(key);
        while (slots_[at].key != kEmpty) {
            if (slots_[at].key == key) {
                return slots_[at].merge;
            }
            at = (at + 1) & mask_;
        }
        return {};
    }

private:
    static constexpr std::uint64_t kEmpty = std::numeric_limits<std::uint64_t>::max();
    struct Slot {
        std::uint64_t key = kEmpty;  // no pair has it: ids are not negative
        Merge merge;
    };

    std::size_t home_of(std::uint64_t key) const {
        key *= 0x9E3779B97F4A7C15ULL;
        return static_cast<std::size_t>(key ^ (key >> 32U)) & mask_;
    }

    std::vector<Slot> slots_;
    std::size_t mask_;
};

}  // namespace nexa::text::internal
