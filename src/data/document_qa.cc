// SPDX-License-Identifier: Apache-2.0
#include "data/document_qa.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <unordered_map>
#include <utility>

#include "core/mix_bits.h"
#include "data/shuffle.h"
#include "text/unicode_class.h"
#include "text/utf8.h"

namespace nexa::data {
namespace {

constexpr std::string_view kContinuationFrame = "Continue the text:\n\n";
constexpr std::string_view kMissingWordFrame =
    "Which word is missing at the gap? Answer with the word alone.\n\n";
constexpr std::string_view kSectionFrame = "Under which heading does this sentence stand?\n\n";
constexpr std::string_view kGap = "____";
constexpr std::size_t kPassageWordsMin = 4;
constexpr std::size_t kSentenceWordsMin = 5;

struct Range {
    std::size_t begin = 0;
    std::size_t end = 0;

    std::string_view in(std::string_view text) const { return text.substr(begin, end - begin); }
};

struct Paragraph {
    Range bytes;
    std::optional<std::size_t> heading;  // the one it stands under
    std::vector<Range> words;
};

struct Document {
    std::string_view text;
    std::vector<Range> headings;  // titles
    std::vector<Paragraph> paragraphs;
};

bool is_space_at(std::string_view text, std::size_t at, std::size_t& length) {
    const text::DecodedChar step = text::decode_char(text, at);
    length = step.length;
    return step.valid && text::class_of(step.code_point) == text::CharClass::kSpace;
}

std::vector<Range> words_in(std::string_view text, Range range) {
    std::vector<Range> words;
    bool in_word = false;
    for (std::size_t at = range.begin; at < range.end;) {
        std::size_t length = 1;
        const bool is_space = is_space_at(text, at, length);
        if (!is_space && !in_word) {
            words.push_back({at, at});
        }
        in_word = !is_space;
        at += length;
        if (in_word) {
            words.back().end = at;
        }
    }
    return words;
}

// The title of a Markdown heading; nothing if the line is none.
std::optional<Range> heading_in(std::string_view text, Range line) {
    std::size_t at = line.begin;
    while (at < line.end && text[at] == '#') {
        ++at;
    }
    const std::size_t level = at - line.begin;
    if (level == 0 || level > 6 || at == line.end || text[at] != ' ') {
        return std::nullopt;
    }
    const std::vector<Range> words = words_in(text, {at, line.end});
    return words.empty() ? std::nullopt
                         : std::optional(Range{words.front().begin, words.back().end});
}

Document parse(std::string_view text) {
    Document document{text, {}, {}};
    std::optional<Range> open;  // the paragraph at hand
    bool in_code = false;
    const auto close = [&] {
        if (open) {
            document.paragraphs.push_back({
                *open,
                document.headings.empty() ? std::nullopt
                                          : std::optional(document.headings.size() - 1),
                words_in(text, *open),
            });
        }
        open.reset();
    };
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        const Range line{at, end};
        at = end + 1;
        const bool is_fence = line.in(text).starts_with("```");
        in_code = in_code != is_fence;
        const std::optional<Range> heading = heading_in(text, line);
        if (in_code || is_fence || heading || words_in(text, line).empty()) {
            close();
            if (heading && !in_code) {
                document.headings.push_back(*heading);
            }
            continue;
        }
        open = Range{open ? open->begin : line.begin, line.end};
    }
    close();
    return document;
}

bool ends_sentence(std::string_view word) {
    return word.ends_with('.') || word.ends_with('!') || word.ends_with('?');
}

// Sentences as runs of words: [first, last].
std::vector<Range> sentences_of(const Document& document, const Paragraph& paragraph) {
    std::vector<Range> sentences;
    std::size_t first = 0;
    for (std::size_t i = 0; i < paragraph.words.size(); ++i) {
        if (ends_sentence(paragraph.words[i].in(document.text))) {
            if (i + 1 - first >= kSentenceWordsMin) {
                sentences.push_back({paragraph.words[first].begin, paragraph.words[i].end});
            }
            first = i + 1;
        }
    }
    return sentences;
}

// The letters of a word without the punctuation around them; nothing if that is not at least four
// letters in a row.
std::optional<Range> letters_of(std::string_view text, Range word) {
    std::optional<Range> letters;
    std::size_t count = 0;
    bool ended = false;
    for (std::size_t at = word.begin; at < word.end;) {
        const text::DecodedChar step = text::decode_char(text, at);
        const bool is_letter = text::class_of(step.code_point) == text::CharClass::kLetter;
        if (is_letter) {
            if (ended) {
                return std::nullopt;
            }
            ++count;
            letters = Range{letters ? letters->begin : at, at + step.length};
        } else if (letters) {
            ended = true;
        }
        at += step.length;
    }
    return count >= 4 ? letters : std::nullopt;
}

class Questioner {
public:
    Questioner(const Document& document, const DocumentQaOptions& options, std::uint64_t seed)
        : document_(document), options_(options), seed_(seed) {
        for (const Paragraph& paragraph : document_.paragraphs) {
            for (const Range sentence : sentences_of(document_, paragraph)) {
                ++sentence_counts_[sentence.in(document_.text)];
            }
        }
        const auto& headings = document_.headings;
        has_sections_ = std::ranges::any_of(headings, [&](Range heading) {
            return heading.in(document_.text) != headings.front().in(document_.text);
        });
    }

    std::vector<DocumentQaRow> ask() {
        for (std::size_t p = 0; p < document_.paragraphs.size(); ++p) {
            if (document_.paragraphs[p].words.size() <
                static_cast<std::size_t>(options_.paragraph_words_min)) {
                continue;
            }
            if (wants(DocumentQuestion::kContinuation)) {
                ask_continuations(p);
            }
            if (wants(DocumentQuestion::kMissingWord)) {
                ask_missing_words(p);
            }
            if (wants(DocumentQuestion::kSection) && has_sections_) {
                ask_sections(p);
            }
        }
        return std::move(rows_);
    }

private:
    bool wants(DocumentQuestion question) const {
        return std::ranges::find(options_.questions, question) != options_.questions.end();
    }

    // Some of `count` candidates, each once, in random order.
    std::vector<std::size_t> choose(
        std::size_t count, std::size_t paragraph, DocumentQuestion question
    ) const {
        const std::uint64_t part = paragraph * 4 + static_cast<std::uint64_t>(question);
        const IndexPermutation order(count, mix_bits(seed_) ^ mix_bits(part));
        std::vector<std::size_t> chosen;
        const auto wanted = static_cast<std::size_t>(options_.per_paragraph);
        chosen.reserve(std::min(count, wanted));
        for (std::size_t i = 0; i < std::min(count, wanted); ++i) {
            chosen.push_back(order.at(i));
        }
        return chosen;
    }

    void add(DocumentQuestion question, std::size_t paragraph, std::string prompt, Range answer) {
        rows_.push_back({
            .prompt = std::move(prompt),
            .answer = std::string(answer.in(document_.text)),
            .question = question,
            .paragraph = paragraph,
            .answer_begin = answer.begin,
            .answer_bytes = answer.end - answer.begin,
        });
    }

    void ask_continuations(std::size_t p) {
        const std::vector<Range>& words = document_.paragraphs[p].words;
        const std::size_t first = std::max(kPassageWordsMin, words.size() / 3);
        const std::size_t cuts = words.size() > first ? words.size() - first : 0;
        for (const std::size_t choice : choose(cuts, p, DocumentQuestion::kContinuation)) {
            const std::size_t cut = first + choice;
            const auto shown = static_cast<std::size_t>(options_.prompt_words_max);
            const std::size_t from = cut > shown ? cut - shown : 0;
            const Range passage{words[from].begin, words[cut - 1].end};
            add(DocumentQuestion::kContinuation,
                p,
                fmt::format("{}{}", kContinuationFrame, passage.in(document_.text)),
                {words[cut].begin, words[answer_end(words, cut)].end});
        }
    }

    // The last word of an answer that starts at `cut`: the end of a sentence if one is near.
    std::size_t answer_end(const std::vector<Range>& words, std::size_t cut) const {
        const std::size_t last =
            std::min(words.size(), cut + static_cast<std::size_t>(options_.answer_words_max)) - 1;
        for (std::size_t i = cut; i <= last; ++i) {
            if (ends_sentence(words[i].in(document_.text))) {
                return i;
            }
        }
        return last;
    }

    void ask_missing_words(std::size_t p) {
        const std::vector<Range>& words = document_.paragraphs[p].words;
        const std::size_t shown =
            std::min(words.size(), static_cast<std::size_t>(options_.prompt_words_max));
        const Range passage{words[0].begin, words[shown - 1].end};
        const std::string_view passage_text = passage.in(document_.text);
        if (passage_text.find(kGap) != std::string_view::npos) {
            return;
        }
        std::unordered_map<std::string_view, int> counts;
        std::vector<Range> candidates;
        for (std::size_t i = 0; i < shown; ++i) {
            if (const auto letters = letters_of(document_.text, words[i])) {
                ++counts[letters->in(document_.text)];
                candidates.push_back(*letters);
            }
        }
        std::erase_if(candidates, [&](Range word) { return counts[word.in(document_.text)] > 1; });
        for (const std::size_t choice :
             choose(candidates.size(), p, DocumentQuestion::kMissingWord)) {
            const Range word = candidates[choice];
            add(DocumentQuestion::kMissingWord,
                p,
                fmt::format(
                    "{}{}{}{}",
                    kMissingWordFrame,
                    passage_text.substr(0, word.begin - passage.begin),
                    kGap,
                    passage_text.substr(word.end - passage.begin)
                ),
                word);
        }
    }

    void ask_sections(std::size_t p) {
        const Paragraph& paragraph = document_.paragraphs[p];
        if (!paragraph.heading) {
            return;
        }
        std::vector<Range> sentences = sentences_of(document_, paragraph);
        std::erase_if(sentences, [&](Range sentence) {
            return sentence_counts_[sentence.in(document_.text)] > 1 ||
                   words_in(document_.text, sentence).size() >
                       static_cast<std::size_t>(options_.prompt_words_max);
        });
        for (const std::size_t choice : choose(sentences.size(), p, DocumentQuestion::kSection)) {
            add(DocumentQuestion::kSection,
                p,
                fmt::format("{}{}", kSectionFrame, sentences[choice].in(document_.text)),
                document_.headings[*paragraph.heading]);
        }
    }

    const Document& document_;
    const DocumentQaOptions& options_;
    std::uint64_t seed_;
    bool has_sections_ = false;
    std::unordered_map<std::string_view, int> sentence_counts_;
    std::vector<DocumentQaRow> rows_;
};

Status check_options(const DocumentQaOptions& options) {
    struct Limit {
        std::string_view name;
        int value;
        int min;
        int max;
    };
    const std::array limits{
        Limit{"per_paragraph", options.per_paragraph, 1, 100},
        Limit{"paragraph_words_min", options.paragraph_words_min, 8, 10000},
        Limit{"answer_words_max", options.answer_words_max, 1, 1000},
        Limit{"prompt_words_max", options.prompt_words_max, 8, 10000},
    };
    for (const Limit& limit : limits) {
        if (limit.value < limit.min || limit.value > limit.max) {
            return Error::invalid_argument(
                       "must be {} to {}, is {}", limit.min, limit.max, limit.value
            )
                .at(limit.name);
        }
    }
    if (options.questions.empty()) {
        return Error::invalid_argument("must name a question").at("questions");
    }
    return {};
}

// The text of the prompt after its frame; nothing if the frame is not there.
std::optional<std::string_view> framed(std::string_view prompt, std::string_view frame) {
    return prompt.starts_with(frame) ? std::optional(prompt.substr(frame.size())) : std::nullopt;
}

bool continues(std::string_view document, std::string_view passage, std::size_t answer_begin) {
    std::string_view before = document.substr(0, answer_begin);
    const std::vector<Range> words = words_in(before, {0, before.size()});
    return !words.empty() && before.substr(0, words.back().end).ends_with(passage);
}

bool fills(std::string_view document, std::string_view passage, const DocumentQaRow& row) {
    const std::size_t gap = passage.find(kGap);
    if (gap == std::string_view::npos || gap > row.answer_begin) {
        return false;
    }
    const std::string_view before = passage.substr(0, gap);
    const std::string_view after = passage.substr(gap + kGap.size());
    return document.substr(row.answer_begin - gap, gap) == before &&
           document.substr(row.answer_begin + row.answer_bytes).starts_with(after);
}

bool governs(std::string_view text, std::string_view sentence, const DocumentQaRow& row) {
    const Document document = parse(text);
    return std::ranges::any_of(document.paragraphs, [&](const Paragraph& paragraph) {
        if (!paragraph.heading || paragraph.bytes.in(text).find(sentence) == sentence.npos) {
            return false;
        }
        const Range title = document.headings[*paragraph.heading];
        return title.begin == row.answer_begin && title.end == title.begin + row.answer_bytes;
    });
}

}  // namespace

std::string_view to_string(DocumentQuestion question) {
    constexpr std::array<std::string_view, 3> kNames{"continuation", "missing_word", "section"};
    return kNames[static_cast<std::size_t>(question)];
}

Result<std::vector<DocumentQaRow>> questions_about(
    std::string_view document, const DocumentQaOptions& options, std::uint64_t seed
) {
    TRY_STATUS(check_options(options));
    if (const auto bad = find_invalid_utf8(document)) {
        return Error::invalid_argument("the document is not UTF-8 at byte {}", *bad).at("document");
    }
    const Document parsed = parse(document);
    return Questioner(parsed, options, seed).ask();
}

bool verify(std::string_view document, const DocumentQaRow& row) {
    if (row.answer_begin > document.size() ||
        document.substr(row.answer_begin, row.answer_bytes) != row.answer || row.answer.empty()) {
        return false;
    }
    switch (row.question) {
        case DocumentQuestion::kContinuation: {
            const auto passage = framed(row.prompt, kContinuationFrame);
            return passage && continues(document, *passage, row.answer_begin);
        }
        case DocumentQuestion::kMissingWord: {
            const auto passage = framed(row.prompt, kMissingWordFrame);
            return passage && fills(document, *passage, row);
        }
        case DocumentQuestion::kSection:
            break;
    }
    const auto sentence = framed(row.prompt, kSectionFrame);
    return sentence && governs(document, *sentence, row);
}

}  // namespace nexa::data
