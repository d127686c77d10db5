// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace nexa::data {

/// Gopher's rules (Rae et al. 2021, table A1) as datatrove 0.10 applies them. Lengths are in code
/// points, comparisons strict on IEEE doubles; Python's ideas of lines and white space are kept. A
/// threshold without a value switches its rule off. All functions here are pure and take any bytes.
struct GopherQualityOptions {
    std::optional<std::int64_t> words_min = 50;
    std::optional<std::int64_t> words_max = 100000;
    std::optional<double> mean_word_length_min = 3;
    std::optional<double> mean_word_length_max = 10;
    std::optional<double> symbols_per_word_max = 0.1;
    std::optional<double> bullet_lines_max = 0.9;
    std::optional<double> ellipsis_lines_max = 0.3;
    std::optional<double> alphabetic_words_min = 0.8;
    std::optional<int> stop_words_min = 2;
};

struct GopherQualityMetrics {
    std::int64_t words = 0;             ///< all, punctuation too
    std::int64_t non_symbol_words = 0;  ///< with a character that is no punctuation
    double mean_word_length = 0;        ///< of the non-symbol words
    double hashes_per_word = 0;
    double ellipses_per_word = 0;
    double bullet_lines = 0;      ///< share of lines that start with a bullet
    double ellipsis_lines = 0;    ///< share of lines that end with an ellipsis
    double alphabetic_words = 0;  ///< share of words with a letter
    int stop_words = 0;           ///< distinct, of eight English ones, in lower case

    friend bool operator==(const GopherQualityMetrics&, const GopherQualityMetrics&) = default;
};

struct GopherRepetitionOptions {
    std::optional<double> duplicate_paragraphs_max = 0.3;
    std::optional<double> duplicate_paragraph_chars_max = 0.2;
    std::optional<double> duplicate_lines_max = 0.3;
    std::optional<double> duplicate_line_chars_max = 0.2;
    std::array<std::optional<double>, 3> top_grams_max{0.2, 0.18, 0.16};  ///< of 2, 3, 4 words
    /// Of 5 to 10 words.
    std::array<std::optional<double>, 6> duplicate_grams_max{0.15, 0.14, 0.13, 0.12, 0.11, 0.10};
};

struct GopherRepetitionMetrics {
    double duplicate_paragraphs = 0;
    double duplicate_paragraph_chars = 0;
    double duplicate_lines = 0;
    double duplicate_line_chars = 0;
    std::array<double, 3> top_grams{};        ///< share of characters in the most frequent n-gram
    std::array<double, 6> duplicate_grams{};  ///< share of characters in repeated n-grams

    friend bool operator==(const GopherRepetitionMetrics&, const GopherRepetitionMetrics&) =
        default;
};

/// `reason` is the first rule that fails, by datatrove's name ("gopher_short_doc", "top_2_gram"),
/// "empty" for an empty text, and empty if the text is kept. Metrics are always all there.
template <class Metrics>
struct GopherVerdict {
    std::string_view reason;
    Metrics metrics;

    bool keep() const { return reason.empty(); }
};

/// `words` are the words of `text`, in order, as any splitter sees them: spaCy's for datatrove's
/// own decisions, split_words() for ours.
GopherVerdict<GopherQualityMetrics> gopher_quality(
    std::string_view text,
    std::span<const std::string_view> words,
    const GopherQualityOptions& options = {}
);

/// Time linear in the text but for hashing; memory in proportion to the words.
GopherVerdict<GopherRepetitionMetrics> gopher_repetition(
    std::string_view text,
    std::span<const std::string_view> words,
    const GopherRepetitionOptions& options = {}
);

/// Words at white space, with the punctuation at either end taken off; a run of one punctuation
/// character is a word. Near to spaCy's English tokens, without their exceptions.
std::vector<std::string_view> split_words(std::string_view text);

/// Punctuation as the rules count it: datatrove's set, control characters among it.
bool is_punctuation(char32_t code_point);

}  // namespace nexa::data
