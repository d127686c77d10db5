// SPDX-License-Identifier: Apache-2.0
#include "data/pack.h"

#include <algorithm>
#include <numeric>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace nexa::data {
namespace {

using Lengths = std::vector<std::int64_t>;

// Every token once, none over the limit, boundaries at the pieces.
void expect_sound(const Lengths& lengths, std::int64_t length_max, const Packing& packing) {
    std::vector<std::vector<int>> seen;
    for (const std::int64_t length : lengths) {
        seen.emplace_back(static_cast<std::size_t>(length), 0);
    }
    for (const Pack& pack : packing.packs) {
        ASSERT_FALSE(pack.pieces.empty());
        ASSERT_LE(pack.tokens(), length_max);
        ASSERT_EQ(pack.cu_seqlens.size(), pack.pieces.size() + 1);
        ASSERT_EQ(pack.cu_seqlens.front(), 0);
        for (std::size_t i = 0; i < pack.pieces.size(); ++i) {
            const Piece& piece = pack.pieces[i];
            ASSERT_GT(piece.length, 0);
            ASSERT_EQ(pack.cu_seqlens[i + 1] - pack.cu_seqlens[i], piece.length);
            auto& tokens = seen.at(static_cast<std::size_t>(piece.sequence));
            for (std::int64_t t = piece.begin; t < piece.begin + piece.length; ++t) {
                ++tokens.at(static_cast<std::size_t>(t));
            }
            // Only what is longer than a pack may be cut.
            ASSERT_TRUE(
                lengths[static_cast<std::size_t>(piece.sequence)] > length_max ||
                (piece.begin == 0 &&
                 piece.length == lengths[static_cast<std::size_t>(piece.sequence)])
            );
        }
    }
    for (const auto& tokens : seen) {
        ASSERT_TRUE(std::ranges::all_of(tokens, [](int times) { return times == 1; }));
    }
    EXPECT_EQ(packing.statistics.tokens, std::reduce(lengths.begin(), lengths.end()));
}

// The definition, by looking at every pack.
std::vector<std::int64_t> fill_by_definition(Lengths lengths, std::int64_t length_max) {
    std::ranges::sort(lengths, std::greater<>());
    std::vector<std::int64_t> packs;
    for (const std::int64_t length : lengths) {
        auto best = packs.end();
        for (auto pack = packs.begin(); pack != packs.end(); ++pack) {
            if (*pack + length <= length_max && (best == packs.end() || *pack > *best)) {
                best = pack;
            }
        }
        if (best == packs.end()) {
            packs.push_back(length);
        } else {
            *best += length;
        }
    }
    return packs;
}

TEST(PackBestFit, TheFullestPackThatFitsTakesTheNextLongest) {
    const Lengths lengths{4, 7, 3, 6, 0, 2};
    const Packing packing = pack_best_fit(lengths, 10).value();
    expect_sound(lengths, 10, packing);
    ASSERT_EQ(packing.packs.size(), 3U);
    EXPECT_EQ(packing.packs[0].pieces, (std::vector<Piece>{{1, 0, 7}, {2, 0, 3}}));
    EXPECT_EQ(packing.packs[1].pieces, (std::vector<Piece>{{3, 0, 6}, {0, 0, 4}}));
    EXPECT_EQ(packing.packs[2].pieces, (std::vector<Piece>{{5, 0, 2}}));
    EXPECT_EQ(packing.packs[0].cu_seqlens, (std::vector<std::int32_t>{0, 7, 10}));
    EXPECT_EQ(packing.statistics.padding, 8);
    EXPECT_DOUBLE_EQ(packing.statistics.utilization(), 22.0 / 30);
}

TEST(PackBestFit, EveryTokenIsThereOnceAndNoPackIsOverLength) {
    std::mt19937_64 random(12);
    for (int round = 0; round < 400; ++round) {
        const auto length_max = static_cast<std::int64_t>(1 + random() % 64);
        Lengths lengths;
        for (std::size_t count = random() % 80; lengths.size() < count;) {
            lengths.push_back(static_cast<std::int64_t>(random() % 100));
        }
        const Packing packing = pack_best_fit(lengths, length_max).value();
        expect_sound(lengths, length_max, packing);
        EXPECT_EQ(pack_best_fit(lengths, length_max)->packs, packing.packs);
    }
}

TEST(PackBestFit, AgreesWithTheDefinition) {
    std::mt19937_64 random(13);
    for (int round = 0; round < 200; ++round) {
        const auto length_max = static_cast<std::int64_t>(20 + random() % 50);
        Lengths lengths;
        for (std::size_t count = random() % 120; lengths.size() < count;) {
            lengths.push_back(static_cast<std::int64_t>(1 + random() % 20));
        }
        std::vector<std::int64_t> fill;
        for (const Pack& pack : pack_best_fit(lengths, length_max)->packs) {
            fill.push_back(pack.tokens());
        }
        ASSERT_EQ(fill, fill_by_definition(lengths, length_max));
    }
}

TEST(PackBestFit, CutsOnlySequencesLongerThanAPack) {
    const Lengths lengths{25, 10, 9};
    const Packing packing = pack_best_fit(lengths, 10).value();
    expect_sound(lengths, 10, packing);
    EXPECT_EQ(packing.statistics.cut_sequences, 1);
    EXPECT_EQ(packing.statistics.pieces, 5);
    EXPECT_EQ(packing.statistics.packs, 5);
}

TEST(PackBestFit, FillsRealisticLengthsAlmostFully) {
    std::mt19937_64 random(14);
    std::lognormal_distribution<double> distribution(6.2, 1.1);
    Lengths lengths;
    for (int i = 0; i < 50000; ++i) {
        lengths.push_back(1 + static_cast<std::int64_t>(distribution(random)));
    }
    EXPECT_GT(pack_best_fit(lengths, 2048)->statistics.utilization(), 0.999);
    EXPECT_GT(pack_best_fit(lengths, 8192)->statistics.utilization(), 0.999);
}

TEST(PackBestFit, TakesNothingAndRefusesTheImpossible) {
    EXPECT_TRUE(pack_best_fit({}, 5)->packs.empty());
    EXPECT_DOUBLE_EQ(pack_best_fit({}, 5)->statistics.utilization(), 1);
    EXPECT_TRUE(pack_best_fit(Lengths{0, 0}, 5)->packs.empty());
    EXPECT_EQ(
        pack_best_fit(Lengths{3, -1}, 5).error().to_string(),
        "lengths[1]: must not be negative, is -1"
    );
    EXPECT_EQ(
        pack_best_fit({}, 0).error().to_string(), "length_max: must be 1 to 1073741824, is 0"
    );
    EXPECT_FALSE(pack_best_fit({}, (1LL << 30) + 1));
}

}  // namespace
}  // namespace nexa::data
