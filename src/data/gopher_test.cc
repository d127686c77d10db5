// SPDX-License-Identifier: Apache-2.0
#include "data/gopher.h"

#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "data/gram_counts_internal.h"
#include "data/lines_internal.h"

namespace nexa::data {
namespace {

using Words = std::vector<std::string_view>;

std::string repeat(std::string_view piece, int times) {
    std::string text;
    for (int i = 0; i < times; ++i) {
        text += piece;
    }
    return text;
}

std::string_view quality(const std::string& text, const GopherQualityOptions& options = {}) {
    return gopher_quality(text, split_words(text), options).reason;
}

std::string_view repetition(const std::string& text) {
    return gopher_repetition(text, split_words(text)).reason;
}

// A text of `words` words that passes all rules: stop words, and a running number in letters.
std::string good_text(int words) {
    std::string text = "the story that they have told";
    for (int i = 6; i < words; ++i) {
        text += i % 12 == 0 ? "\n" : " ";
        for (int rest = i + 400; rest > 0; rest /= 7) {
            text += static_cast<char>('b' + rest % 7 * 3);
        }
    }
    return text;
}

TEST(GopherQuality, KeepsAGoodTextAndShowsItsMetrics) {
    const std::string text = good_text(60);
    const auto verdict = gopher_quality(text, split_words(text));
    EXPECT_TRUE(verdict.keep()) << verdict.reason;
    EXPECT_EQ(verdict.metrics.words, 60);
    EXPECT_EQ(verdict.metrics.non_symbol_words, 60);
    EXPECT_EQ(verdict.metrics.stop_words, 3);  // the, that, have
    EXPECT_DOUBLE_EQ(verdict.metrics.alphabetic_words, 1);
}

TEST(GopherQuality, EachRuleNamesItselfExactlyAboveItsLimit) {
    EXPECT_EQ(quality(""), "empty");
    EXPECT_EQ(quality(good_text(49)), "gopher_short_doc");
    EXPECT_EQ(quality(good_text(50)), "");
    EXPECT_EQ(quality(good_text(60), {.words_max = 59}), "gopher_long_doc");
    EXPECT_EQ(quality(good_text(60), {.words_max = 60}), "");
    EXPECT_EQ(quality("the and " + repeat("ab ", 60)), "gopher_below_avg_threshold");
    EXPECT_EQ(quality("the and " + repeat("abcdefghijklm ", 60)), "gopher_above_avg_threshold");
    // 8 marks for 80 words are a tenth, which is allowed; 9 for 81 are more.
    const std::string words = good_text(72);
    EXPECT_EQ(quality(words + repeat(" #", 8)), "");
    EXPECT_EQ(quality(words + repeat(" #", 9)), "gopher_too_many_hashes");
    EXPECT_EQ(quality(words + repeat(" ...", 8)), "");
    EXPECT_EQ(quality(words + repeat(" ...", 9)), "gopher_too_many_ellipsis");
    EXPECT_EQ(quality(words + repeat(" \xE2\x80\xA6", 9)), "gopher_too_many_ellipsis");
    EXPECT_EQ(
        quality(repeat("  - the cat and mouse\n", 19) + "words words"), "gopher_too_many_bullets"
    );
    EXPECT_EQ(quality(repeat("  \xE2\x80\xA2 the cat and mouse\n", 18) + "words\nwords words"), "");
    EXPECT_EQ(
        quality(
            repeat("the cat and mouse like old cheese more than new... \n", 7) +
            repeat("the cat and mouse agree\n", 14)
        ),
        "gopher_too_many_end_ellipsis"
    );
    EXPECT_EQ(quality(good_text(60) + repeat(" 1234", 16)), "gopher_below_alpha_threshold");
    EXPECT_EQ(quality(good_text(60) + repeat(" 1234", 15)), "");
}

TEST(GopherQuality, StopWordsCountOnceAndInLowerCaseOnly) {
    const std::string no_stop_words = repeat("plain words without any ", 20);
    EXPECT_EQ(quality(no_stop_words), "gopher_enough_stop_words");
    EXPECT_EQ(quality(no_stop_words + "the the the The AND"), "gopher_enough_stop_words");
    EXPECT_EQ(quality(no_stop_words + "the and"), "");
    EXPECT_EQ(quality(no_stop_words, {.stop_words_min = std::nullopt}), "");
}

TEST(GopherQuality, LengthsAreCharactersNotBytes) {
    // Nine characters in eighteen bytes a word.
    const std::string word = repeat("\xC3\xA9", 9) + " ";
    const std::string text = repeat(word, 60) + "the and";
    EXPECT_EQ(quality(text), "");
    EXPECT_NEAR(gopher_quality(text, split_words(text)).metrics.mean_word_length, 8.8, 0.05);
}

TEST(GopherRepetition, EachRuleNamesItself) {
    EXPECT_EQ(repetition(""), "empty");
    const std::string filler = good_text(400);
    EXPECT_EQ(repetition(filler), "");
    EXPECT_EQ(repetition("aa\n\naa\n\naa\n\nbb\n\ncc"), "dup_para_frac");
    EXPECT_EQ(
        repetition(repeat("a long paragraph here\n\n", 2) + "b\n\nc\n\nd\n\ne"),
        "dup_para_char_frac"
    );
    EXPECT_EQ(repetition("aa\naa\naa\nbb\ncc"), "dup_line_frac");
    EXPECT_EQ(
        repetition(repeat("a long line this is here\n", 2) + "b\nc\nd\ne"), "dup_line_char_frac"
    );
    EXPECT_EQ(repetition("two words"), "top_2_gram");  // also if it is there once
    EXPECT_EQ(repetition("one"), "");                  // no n-gram at all
}

TEST(GopherRepetition, DuplicateGramsAreJoinedWithoutSpacesAndSteppedOver) {
    const Words words{"ab", "c", "d", "a", "bc", "d", "ab", "c", "d"};
    internal::GramCounts joined(words, "");
    // "abcd" at 0, again at 3 although cut otherwise, and at 6.
    EXPECT_EQ(joined.duplicate_chars(3), 8);
    EXPECT_EQ(joined.duplicate_chars(10), 0);
    internal::GramCounts spaced(words, " ");
    EXPECT_EQ(spaced.top_chars(3), 12);  // "ab c d" twice, 6 characters each
    EXPECT_EQ(spaced.top_chars(2), 8);   // "ab c" and "c d" twice: the first one counts
    EXPECT_EQ(spaced.top_chars(10), 0);
}

// As find_all_duplicate and find_top_duplicate say it, with strings.
TEST(GopherRepetition, CountsAgreeWithTheDefinitionOnRandomWords) {
    std::mt19937_64 random(4);
    const std::vector<std::string> pool{"a", "b", "ab", "ba", "\xC3\xA9", "aab"};
    for (int round = 0; round < 500; ++round) {
        Words words;
        for (std::size_t size = random() % 60; words.size() < size;) {
            words.push_back(pool[random() % pool.size()]);
        }
        internal::GramCounts joined(words, "");
        for (std::size_t n = 2; n <= 6; ++n) {
            std::vector<std::string> seen;
            std::int64_t chars = 0;
            for (std::size_t i = 0; i + n <= words.size();) {
                std::string gram;
                for (std::size_t k = 0; k < n; ++k) {
                    gram += words[i + k];
                }
                const bool known = std::find(seen.begin(), seen.end(), gram) != seen.end();
                chars +=
                    known ? static_cast<std::int64_t>(std::count_if(
                                gram.begin(), gram.end(), [](char c) { return (c & 0xC0) != 0x80; }
                            ))
                          : 0;
                i += known ? n : 1;
                seen.push_back(gram);
            }
            ASSERT_EQ(joined.duplicate_chars(n), chars);
        }
    }
}

TEST(Lines, AreCutAsPythonCutsThem) {
    using internal::split_lines;
    EXPECT_EQ(split_lines("a\nb\r\nc\rd\n"), (Words{"a", "b", "c", "d"}));
    EXPECT_EQ(
        split_lines("a\n\n\xE2\x80\xA8"
                    "b\xC2\x85"
                    "c\x1E\x1F"),
        (Words{"a", "", "", "b", "c", "\x1F"})
    );
    EXPECT_TRUE(split_lines("").empty());
    EXPECT_EQ(split_lines("\n"), Words{""});
    EXPECT_EQ(internal::split_at_newlines("\na\n\n\nb\n", 1), (Words{"", "a", "b", ""}));
    EXPECT_EQ(internal::split_at_newlines("a\nb\n\n\nc", 2), (Words{"a\nb", "c"}));
    EXPECT_EQ(internal::split_at_newlines("", 1), Words{""});
    EXPECT_EQ(
        internal::strip_left(" \xE3\x80\x80\x1C"
                             "a "),
        "a "
    );
    EXPECT_EQ(internal::strip_right(" a\xC2\xA0\x1F\n"), " a");
    EXPECT_EQ(internal::strip_right("a\xFF"), "a\xFF");
    EXPECT_EQ(internal::strip_right("\xC2\xA0"), "");
}

TEST(SplitWords, TakesPunctuationOffTheEnds) {
    EXPECT_EQ(
        split_words("(He said:  \"don't!!\") \xE2\x80\x94 then..."),
        (Words{
            "(", "He", "said", ":", "\"", "don't", "!!", "\"", ")", "\xE2\x80\x94", "then", "..."
        })
    );
    EXPECT_EQ(split_words("3.14 e-mail\xE3\x80\x80x"), (Words{"3.14", "e-mail", "x"}));
    EXPECT_TRUE(split_words(" \n\t").empty());
}

}  // namespace
}  // namespace nexa::data
