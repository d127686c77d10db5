// SPDX-License-Identifier: Apache-2.0
#include "data/gopher.h"

#include <algorithm>
#include <string>
#include <unordered_set>

#include "data/gram_counts_internal.h"
#include "data/lines_internal.h"
#include "text/unicode_class.h"
#include "text/utf8.h"

namespace nexa::data {
namespace {

constexpr std::array<std::string_view, 8> kStopWords{
    "the", "be", "to", "of", "and", "that", "have", "with"
};
constexpr std::string_view kDots = "...";
constexpr std::string_view kEllipsis = "\xE2\x80\xA6";  // …
constexpr std::string_view kBullet = "\xE2\x80\xA2";    // •

struct CodePoints {
    char32_t first;
    char32_t last;
};

// Terminal punctuation of many scripts, common punctuation, control characters.
// clang-format off
constexpr std::array kPunctuation = std::to_array<CodePoints>({
    {0x0, 0x8}, {0xB, 0x1F}, {0x21, 0x2F}, {0x3A, 0x40}, {0x5B, 0x60}, {0x7B, 0x9F}, {0xAB, 0xAB},
    {0xB4, 0xB4}, {0xBB, 0xBB}, {0x589, 0x589}, {0x61D, 0x61F}, {0x6D4, 0x6D4}, {0x700, 0x702},
    {0x7F9, 0x7F9}, {0x837, 0x837}, {0x839, 0x839}, {0x83D, 0x83E}, {0x964, 0x965},
    {0x104A, 0x104B}, {0x1362, 0x1362}, {0x1367, 0x1368}, {0x166E, 0x166E}, {0x1735, 0x1736},
    {0x17D4, 0x17D6}, {0x17D9, 0x17DA}, {0x1803, 0x1803}, {0x1809, 0x1809}, {0x1944, 0x1945},
    {0x1AA8, 0x1AAB}, {0x1B5A, 0x1B5B}, {0x1B5E, 0x1B5F}, {0x1B7D, 0x1B7E}, {0x1C3B, 0x1C3C},
    {0x1C7E, 0x1C7F}, {0x2013, 0x2014}, {0x2019, 0x2019}, {0x201C, 0x201E}, {0x2026, 0x2026},
    {0x203C, 0x203D}, {0x2047, 0x2049}, {0x2236, 0x2236}, {0x2501, 0x2501}, {0x25BA, 0x25BA},
    {0x2E2E, 0x2E2E}, {0x2E3C, 0x2E3C}, {0x2E53, 0x2E54}, {0x3001, 0x3002}, {0x3008, 0x300D},
    {0x3010, 0x3011}, {0xA4FF, 0xA4FF}, {0xA60E, 0xA60F}, {0xA6F3, 0xA6F3}, {0xA6F7, 0xA6F7},
    {0xA876, 0xA877}, {0xA8CE, 0xA8CF}, {0xA92F, 0xA92F}, {0xA9C8, 0xA9C9}, {0xAA5D, 0xAA5F},
    {0xAAF0, 0xAAF1}, {0xABEB, 0xABEB}, {0xFE52, 0xFE52}, {0xFE56, 0xFE57}, {0xFF01, 0xFF01},
    {0xFF05, 0xFF05}, {0xFF08, 0xFF09}, {0xFF0C, 0xFF0C}, {0xFF0E, 0xFF0E}, {0xFF11, 0xFF11},
    {0xFF1A, 0xFF1B}, {0xFF1F, 0xFF1F}, {0xFF5E, 0xFF5E}, {0xFF61, 0xFF61}, {0x10A56, 0x10A57},
    {0x10F55, 0x10F59}, {0x10F86, 0x10F89}, {0x11047, 0x11048}, {0x110BE, 0x110C1},
    {0x11141, 0x11143}, {0x111C5, 0x111C6}, {0x111CD, 0x111CD}, {0x111DE, 0x111DF},
    {0x11238, 0x11239}, {0x1123B, 0x1123C}, {0x112A9, 0x112A9}, {0x1144B, 0x1144C},
    {0x115C2, 0x115C3}, {0x115C9, 0x115D7}, {0x11641, 0x11642}, {0x1173C, 0x1173E},
    {0x11944, 0x11944}, {0x11946, 0x11946}, {0x11A42, 0x11A43}, {0x11A9B, 0x11A9C},
    {0x11C41, 0x11C42}, {0x11EF7, 0x11EF8}, {0x11F43, 0x11F44}, {0x16A6E, 0x16A6F},
    {0x16AF5, 0x16AF5}, {0x16B37, 0x16B38}, {0x16B44, 0x16B44}, {0x16E98, 0x16E98},
    {0x1BC9F, 0x1BC9F}, {0x1DA88, 0x1DA88},
});
// clang-format on

template <class Predicate>
bool any_char(std::string_view word, const Predicate& predicate) {
    for (std::size_t at = 0; at < word.size();) {
        const text::DecodedChar step = text::decode_char(word, at);
        if (predicate(step.code_point)) {
            return true;
        }
        at += step.length;
    }
    return false;
}

double ratio(std::int64_t part, std::int64_t whole) {
    return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

// Without overlaps, as Python's str.count: "......" holds "..." twice.
std::int64_t count_of(std::string_view text, std::string_view what) {
    std::int64_t count = 0;
    for (std::size_t at = text.find(what); at != std::string_view::npos;
         at = text.find(what, at + what.size())) {
        ++count;
    }
    return count;
}

bool starts_with_bullet(std::string_view line) {
    const std::string_view stripped = internal::strip_left(line);
    return stripped.starts_with(kBullet) || stripped.starts_with('-');
}

bool ends_with_ellipsis(std::string_view line) {
    const std::string_view stripped = internal::strip_right(line);
    return stripped.ends_with(kDots) || stripped.ends_with(kEllipsis);
}

GopherQualityMetrics measure_quality(
    std::string_view text, std::span<const std::string_view> words
) {
    GopherQualityMetrics metrics;
    metrics.words = static_cast<std::int64_t>(words.size());
    std::int64_t chars = 0;
    std::int64_t alphabetic = 0;
    std::array<bool, kStopWords.size()> stop_words{};
    for (const std::string_view word : words) {
        if (any_char(word, [](char32_t c) { return !is_punctuation(c); })) {
            ++metrics.non_symbol_words;
            chars += static_cast<std::int64_t>(text::count_code_points(word));
        }
        const bool has_letter = any_char(word, [](char32_t c) {
            return text::class_of(c) == text::CharClass::kLetter;
        });
        alphabetic += has_letter ? 1 : 0;
        const auto stop_word = std::ranges::find(kStopWords, word);
        if (stop_word != kStopWords.end()) {
            stop_words[static_cast<std::size_t>(stop_word - kStopWords.begin())] = true;
        }
    }
    const std::vector<std::string_view> lines = internal::split_lines(text);
    const auto line_count = static_cast<std::int64_t>(lines.size());
    metrics.mean_word_length = ratio(chars, metrics.non_symbol_words);
    metrics.hashes_per_word = ratio(count_of(text, "#"), metrics.words);
    metrics.ellipses_per_word =
        ratio(count_of(text, kDots) + count_of(text, kEllipsis), metrics.words);
    metrics.bullet_lines =
        ratio(std::count_if(lines.begin(), lines.end(), starts_with_bullet), line_count);
    metrics.ellipsis_lines =
        ratio(std::count_if(lines.begin(), lines.end(), ends_with_ellipsis), line_count);
    metrics.alphabetic_words = ratio(alphabetic, metrics.words);
    metrics.stop_words = static_cast<int>(std::count(stop_words.begin(), stop_words.end(), true));
    return metrics;
}

template <class Value, class Limit>
bool below(Value value, const std::optional<Limit>& limit) {
    return limit && value < *limit;
}

template <class Value, class Limit>
bool above(Value value, const std::optional<Limit>& limit) {
    return limit && value > *limit;
}

struct Check {
    bool failed;
    std::string_view reason;
};

template <std::size_t kSize>
std::string_view first_failure(const std::array<Check, kSize>& checks) {
    const auto found = std::ranges::find(checks, true, &Check::failed);
    return found == checks.end() ? std::string_view() : found->reason;
}

struct Duplicates {
    double elements = 0;
    double chars = 0;
};

// Second and later copies, as shares of all pieces and of all characters.
Duplicates duplicates_in(const std::vector<std::string_view>& pieces, std::int64_t text_chars) {
    std::unordered_set<std::string_view> seen;
    std::int64_t elements = 0;
    std::int64_t chars = 0;
    for (const std::string_view piece : pieces) {
        if (!seen.insert(piece).second) {
            ++elements;
            chars += static_cast<std::int64_t>(text::count_code_points(piece));
        }
    }
    return {ratio(elements, static_cast<std::int64_t>(pieces.size())), ratio(chars, text_chars)};
}

GopherRepetitionMetrics measure_repetition(
    std::string_view text, std::span<const std::string_view> words
) {
    const auto text_chars = static_cast<std::int64_t>(text::count_code_points(text));
    GopherRepetitionMetrics metrics;
    const std::string_view stripped = internal::strip_left(internal::strip_right(text));
    const Duplicates paragraphs =
        duplicates_in(internal::split_at_newlines(stripped, 2), text_chars);
    metrics.duplicate_paragraphs = paragraphs.elements;
    metrics.duplicate_paragraph_chars = paragraphs.chars;
    const Duplicates lines = duplicates_in(internal::split_at_newlines(text, 1), text_chars);
    metrics.duplicate_lines = lines.elements;
    metrics.duplicate_line_chars = lines.chars;

    internal::GramCounts spaced(words, " ");
    for (std::size_t i = 0; i < metrics.top_grams.size(); ++i) {
        metrics.top_grams[i] = ratio(spaced.top_chars(i + 2), text_chars);
    }
    internal::GramCounts joined(words, "");
    for (std::size_t i = 0; i < metrics.duplicate_grams.size(); ++i) {
        metrics.duplicate_grams[i] = ratio(joined.duplicate_chars(i + 5), text_chars);
    }
    return metrics;
}

}  // namespace

bool is_punctuation(char32_t code_point) {
    const auto found = std::ranges::lower_bound(kPunctuation, code_point, {}, &CodePoints::last);
    return found != kPunctuation.end() && found->first <= code_point;
}

GopherVerdict<GopherQualityMetrics> gopher_quality(
    std::string_view text,
    std::span<const std::string_view> words,
    const GopherQualityOptions& options
) {
    const GopherQualityMetrics m = measure_quality(text, words);
    const std::array checks{
        Check{text.empty(), "empty"},
        Check{below(m.non_symbol_words, options.words_min), "gopher_short_doc"},
        Check{above(m.non_symbol_words, options.words_max), "gopher_long_doc"},
        Check{
            below(m.mean_word_length, options.mean_word_length_min), "gopher_below_avg_threshold"
        },
        Check{
            above(m.mean_word_length, options.mean_word_length_max), "gopher_above_avg_threshold"
        },
        Check{above(m.hashes_per_word, options.symbols_per_word_max), "gopher_too_many_hashes"},
        Check{above(m.ellipses_per_word, options.symbols_per_word_max), "gopher_too_many_ellipsis"},
        Check{above(m.bullet_lines, options.bullet_lines_max), "gopher_too_many_bullets"},
        Check{above(m.ellipsis_lines, options.ellipsis_lines_max), "gopher_too_many_end_ellipsis"},
        Check{
            below(m.alphabetic_words, options.alphabetic_words_min), "gopher_below_alpha_threshold"
        },
        Check{below(m.stop_words, options.stop_words_min), "gopher_enough_stop_words"},
    };
    return {first_failure(checks), m};
}

GopherVerdict<GopherRepetitionMetrics> gopher_repetition(
    std::string_view text,
    std::span<const std::string_view> words,
    const GopherRepetitionOptions& options
) {
    const GopherRepetitionMetrics m = measure_repetition(text, words);
    const auto top = [&](std::size_t i) { return above(m.top_grams[i], options.top_grams_max[i]); };
    const auto duplicate = [&](std::size_t i) {
        return above(m.duplicate_grams[i], options.duplicate_grams_max[i]);
    };
    const std::array checks{
        Check{text.empty(), "empty"},
        Check{above(m.duplicate_paragraphs, options.duplicate_paragraphs_max), "dup_para_frac"},
        Check{
            above(m.duplicate_paragraph_chars, options.duplicate_paragraph_chars_max),
            "dup_para_char_frac"
        },
        Check{above(m.duplicate_lines, options.duplicate_lines_max), "dup_line_frac"},
        Check{
            above(m.duplicate_line_chars, options.duplicate_line_chars_max), "dup_line_char_frac"
        },
        Check{top(0), "top_2_gram"},
        Check{top(1), "top_3_gram"},
        Check{top(2), "top_4_gram"},
        Check{duplicate(0), "duplicated_5_n_grams"},
        Check{duplicate(1), "duplicated_6_n_grams"},
        Check{duplicate(2), "duplicated_7_n_grams"},
        Check{duplicate(3), "duplicated_8_n_grams"},
        Check{duplicate(4), "duplicated_9_n_grams"},
        Check{duplicate(5), "duplicated_10_n_grams"},
    };
    return {first_failure(checks), m};
}

namespace {

// Takes runs of one punctuation character off the front; the rest of `word` is what it is about.
void take_leading_punctuation(std::string_view& word, std::vector<std::string_view>& out) {
    while (!word.empty()) {
        const text::DecodedChar first = text::decode_char(word, 0);
        if (!is_punctuation(first.code_point)) {
            return;
        }
        std::size_t end = first.length;
        const std::string_view character = word.substr(0, end);
        while (word.substr(end).starts_with(character)) {
            end += character.size();
        }
        out.push_back(word.substr(0, end));
        word.remove_prefix(end);
    }
}

// Where the punctuation at the end of `word` begins.
std::size_t end_of_core(std::string_view word) {
    std::size_t end = 0;
    for (std::size_t at = 0; at < word.size();) {
        const text::DecodedChar step = text::decode_char(word, at);
        at += step.length;
        end = is_punctuation(step.code_point) ? end : at;
    }
    return end;
}

}  // namespace

std::vector<std::string_view> split_words(std::string_view text) {
    std::vector<std::string_view> words;
    for (std::size_t at = 0; at < text.size();) {
        std::size_t end = at;
        std::uint8_t length = 1;
        for (; end < text.size(); end += length) {
            const text::DecodedChar step = text::decode_char(text, end);
            length = step.length;
            if (step.valid && internal::is_python_space(step.code_point)) {
                break;
            }
        }
        std::string_view word = text.substr(at, end - at);
        take_leading_punctuation(word, words);
        if (const std::size_t core = end_of_core(word); core > 0) {
            words.push_back(word.substr(0, core));
            word.remove_prefix(core);
            take_leading_punctuation(word, words);
        }
        at = end + (end < text.size() ? length : 0);
    }
    return words;
}

}  // namespace nexa::data
