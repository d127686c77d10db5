// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/result.h"

namespace nexa::data {

/// A run of tokens of one sequence.
struct Piece {
    std::int64_t sequence = 0;
    std::int64_t begin = 0;  ///< first token, within the sequence
    std::int64_t length = 0;

    friend bool operator==(const Piece&, const Piece&) = default;
};

/// One row of training: pieces one after the other, attention within each piece only.
struct Pack {
    std::vector<Piece> pieces;
    /// Where pieces begin, and the end: 0, l0, l0+l1, … as variable-length attention kernels take
    /// it.
    std::vector<std::int32_t> cu_seqlens;

    std::int64_t tokens() const { return cu_seqlens.empty() ? 0 : cu_seqlens.back(); }
    friend bool operator==(const Pack&, const Pack&) = default;
};

struct PackStatistics {
    std::int64_t packs = 0;
    std::int64_t tokens = 0;
    std::int64_t padding = 0;        ///< free places in all packs
    std::int64_t cut_sequences = 0;  ///< longer than a pack; no other is ever cut
    std::int64_t pieces = 0;

    /// Share of places that hold a token, 0 to 1.
    double utilization() const {
        const std::int64_t places = tokens + padding;
        return places == 0 ? 1 : static_cast<double>(tokens) / static_cast<double>(places);
    }
};

struct Packing {
    std::vector<Pack> packs;
    PackStatistics statistics;
};

/// Packs whole sequences by best-fit decreasing: each, the longest first, goes to the fullest pack
/// that can hold it. Sequences longer than `length_max` are cut into pieces of it, the rest is
/// packed like any other. Every token is in exactly one piece; empty sequences are in none. Ties go
/// to the earlier sequence and the earlier pack, so the result is a function of the lengths alone.
/// Packs hold long sequences first: shuffle the packs before training.
/// O(n log length_max) time. Errors: kInvalidArgument for a length below 0 or `length_max` outside
/// 1 to 2^30.
Result<Packing> pack_best_fit(std::span<const std::int64_t> lengths, std::int64_t length_max);

}  // namespace nexa::data
