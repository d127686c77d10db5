// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace nexa::data {

enum class DocumentQuestion : std::uint8_t {
    kContinuation,  ///< how does this passage go on?
    kMissingWord,   ///< which word stands at the gap?
    kSection,       ///< under which heading does this sentence stand?
};

std::string_view to_string(DocumentQuestion question);

struct DocumentQaOptions {
    std::vector<DocumentQuestion> questions = {
        DocumentQuestion::kContinuation, DocumentQuestion::kMissingWord, DocumentQuestion::kSection
    };
    int per_paragraph = 1;         ///< rows of each kind from a paragraph; 1 to 100
    int paragraph_words_min = 12;  ///< shorter paragraphs are passed over; 8 to 10000
    int answer_words_max = 24;     ///< of a continuation; 1 to 1000
    int prompt_words_max = 200;    ///< of the passage shown; 8 to 10000
};

/// A question about a document, and where its answer stands in it.
struct DocumentQaRow {
    std::string prompt;
    std::string answer;
    DocumentQuestion question = DocumentQuestion::kContinuation;
    std::size_t paragraph = 0;     ///< number of the paragraph asked about: the group for a split
    std::size_t answer_begin = 0;  ///< byte offset in the document
    std::size_t answer_bytes = 0;  ///< the answer is exactly these bytes of it

    friend bool operator==(const DocumentQaRow&, const DocumentQaRow&) = default;
};

/// Questions from a text, in its order. Paragraphs are parted by blank lines; a Markdown heading
/// ("## Title") opens a section. Which questions are asked depends on the text, the options and
/// the seed alone; no row is there twice. A missing word stands once in its passage, at least four
/// letters long; a section is asked for only where there are two, and only of sentences that stand
/// in the document once. Linear in the text, up to the number of rows.
/// Errors: kInvalidArgument naming the option, or if the text is not UTF-8.
Result<std::vector<DocumentQaRow>> questions_about(
    std::string_view document, const DocumentQaOptions& options, std::uint64_t seed
);

/// True if the answer stands in the document where the row says, and (for a heading) governs the
/// sentence, (for a continuation or a word) follows or fills the passage of the prompt.
bool verify(std::string_view document, const DocumentQaRow& row);

}  // namespace nexa::data
