// SPDX-License-Identifier: Apache-2.0
#include "engine/runner/stop_filter.h"

#include <gtest/gtest.h>

#include "core/utf8.h"

namespace nexa::runner {
namespace {

/// What comes out if the text comes in pieces of `size` bytes, "|" between the pieces.
std::string in_pieces(std::string_view text, std::vector<std::string> stops, std::size_t size) {
    StopFilter filter(std::move(stops));
    std::string out;
    for (std::size_t at = 0; at < text.size() && !filter.stopped(); at += size) {
        out += filter.push(text.substr(at, size));
    }
    return out + filter.finish();
}

TEST(StopFilter, TheTextEndsBeforeTheStopHoweverItWasCut) {
    for (std::size_t size = 1; size <= 12; ++size) {
        EXPECT_EQ(in_pieces("one two three", {"two"}, size), "one ") << size;
        EXPECT_EQ(in_pieces("one two three", {"tree"}, size), "one two three") << size;
        EXPECT_EQ(in_pieces("aaab", {"aab"}, size), "a") << size;
        EXPECT_EQ(in_pieces("ababac", {"abac"}, size), "ab") << size;
        EXPECT_EQ(in_pieces("x", {}, size), "x") << size;
    }
}

TEST(StopFilter, OfSeveralStopsTheFirstInTheTextCounts) {
    for (std::size_t size = 1; size <= 12; ++size) {
        EXPECT_EQ(in_pieces("a.b!c", {"!", "."}, size), "a") << size;
        EXPECT_EQ(in_pieces("abcd", {"cd", "bcd"}, size), "a") << size;
    }
}

TEST(StopFilter, HoldsBackNoMoreThanMayBecomeAStop) {
    StopFilter filter({"\n\nQ"});
    EXPECT_EQ(filter.push("yes\n"), "yes");
    EXPECT_EQ(filter.push("\n"), "");
    EXPECT_EQ(filter.push("\n"), "\n");
    EXPECT_EQ(filter.push("A"), "\n\nA");
    EXPECT_FALSE(filter.stopped());
}

TEST(StopFilter, WhatWasHeldBackComesAtTheEnd) {
    StopFilter filter({"stop"});
    EXPECT_EQ(filter.push("no sto"), "no ");
    EXPECT_EQ(filter.finish(), "sto");
    EXPECT_EQ(filter.finish(), "");
}

TEST(StopFilter, AfterAStopNothingComes) {
    StopFilter filter({"!"});
    EXPECT_EQ(filter.push("a!b"), "a");
    EXPECT_TRUE(filter.stopped());
    EXPECT_EQ(filter.push("c"), "");
    EXPECT_EQ(filter.finish(), "");
}

TEST(StopFilter, NeverCutsACharacter) {
    // "€" and "™" begin with the same two bytes.
    StopFilter filter({"€uro"});
    for (const std::string_view character : {"a", "™", "€", "u", "™", "€"}) {
        EXPECT_FALSE(find_invalid_utf8(filter.push(character)));
    }
    EXPECT_EQ(filter.finish(), "€");
}

}  // namespace
}  // namespace nexa::runner
