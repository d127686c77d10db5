// SPDX-License-Identifier: Apache-2.0
#include "data/pack.h"

#include <algorithm>
#include <functional>
#include <map>
#include <queue>

namespace nexa::data {
namespace {

constexpr std::int64_t kLengthMax = std::int64_t{1} << 30U;

// Packs with free places, by how many: the fullest one that fits is the first not below.
class FreePlaces {
public:
    // The pack that is left with the fewest free places; -1 if none fits.
    std::int64_t take(std::int64_t length) {
        const auto found = packs_.lower_bound(length);
        if (found == packs_.end()) {
            return -1;
        }
        const std::int64_t pack = found->second.top();
        found->second.pop();
        if (found->second.empty()) {
            packs_.erase(found);
        }
        return pack;
    }

    void put(std::int64_t free, std::int64_t pack) {
        if (free > 0) {
            packs_[free].push(pack);
        }
    }

private:
    using EarliestFirst =
        std::priority_queue<std::int64_t, std::vector<std::int64_t>, std::greater<>>;
    std::map<std::int64_t, EarliestFirst> packs_;
};

void append(Pack& pack, const Piece& piece) {
    if (pack.cu_seqlens.empty()) {
        pack.cu_seqlens.push_back(0);
    }
    pack.pieces.push_back(piece);
    pack.cu_seqlens.push_back(pack.cu_seqlens.back() + static_cast<std::int32_t>(piece.length));
}

// All pieces, the longest first.
Result<std::vector<Piece>> pieces_of(
    std::span<const std::int64_t> lengths, std::int64_t length_max, PackStatistics& statistics
) {
    std::vector<Piece> pieces;
    pieces.reserve(lengths.size());
    for (std::size_t i = 0; i < lengths.size(); ++i) {
        if (lengths[i] < 0) {
            return Error::invalid_argument("must not be negative, is {}", lengths[i])
                .at(fmt::format("lengths[{}]", i));
        }
        statistics.cut_sequences += lengths[i] > length_max ? 1 : 0;
        statistics.tokens += lengths[i];
        for (std::int64_t begin = 0; begin < lengths[i]; begin += length_max) {
            pieces.push_back({
                .sequence = static_cast<std::int64_t>(i),
                .begin = begin,
                .length = std::min(length_max, lengths[i] - begin),
            });
        }
    }
    std::ranges::sort(pieces, [](const Piece& a, const Piece& b) {
        if (a.length != b.length) {
            return a.length > b.length;
        }
        return a.sequence != b.sequence ? a.sequence < b.sequence : a.begin < b.begin;
    });
    return pieces;
}

}  // namespace

Result<Packing> pack_best_fit(std::span<const std::int64_t> lengths, std::int64_t length_max) {
    if (length_max < 1 || length_max > kLengthMax) {
        return Error::invalid_argument("must be 1 to {}, is {}", kLengthMax, length_max)
            .at("length_max");
    }
    Packing packing;
    PackStatistics& statistics = packing.statistics;
    TRY(const std::vector<Piece> pieces, pieces_of(lengths, length_max, statistics));
    FreePlaces free_places;
    for (const Piece& piece : pieces) {
        std::int64_t pack = free_places.take(piece.length);
        if (pack < 0) {
            pack = static_cast<std::int64_t>(packing.packs.size());
            packing.packs.emplace_back();
        }
        Pack& chosen = packing.packs[static_cast<std::size_t>(pack)];
        append(chosen, piece);
        free_places.put(length_max - chosen.tokens(), pack);
    }
    statistics.pieces = static_cast<std::int64_t>(pieces.size());
    statistics.packs = static_cast<std::int64_t>(packing.packs.size());
    statistics.padding = statistics.packs * length_max - statistics.tokens;
    return packing;
}

}  // namespace nexa::data
