// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/exact_dedup.h"
#include "engine/pipelines/dataset_writer.h"
#include "protocol/llm_messages.h"

namespace nexa::pipelines {

/// What rows a teacher is to write.
struct RowRecipe {
    std::string subject;
    int rows = 10;  ///< wanted of one request
    std::uint64_t seed = 0;
};

/// Asks for rows of JSON lines. Each `number` has an angle, a reader and a form of its own, in an
/// order that the seed fixes, and shows `examples` of rows that are there already. The same
/// arguments give the same request, so that an answer that was paid for is found again. Plain.
protocol::LlmRequest ask_for_rows(
    const RowRecipe& recipe, std::int64_t number, std::span<const MadeRow> examples
);

/// One line of an answer: a row, or why it is none.
struct WrittenRow {
    std::optional<MadeRow> row;
    std::string reason;  ///< of a row that is none
    std::string text;    ///< the line, cut to what a person wants to see
};

/// Reads the lines of an answer, strictly: each is a JSON object of "question" and "answer", both
/// strings and nothing else, fit for training. Empty lines and the fences that teachers put around
/// code are passed over. `is_cut`: the answer ended at its limit, so its last line is not whole.
std::vector<WrittenRow> read_rows(std::string_view answer, bool is_cut);

/// Remembers questions, so that each is taken once; case and white space do not make a new one.
class SeenQuestions {
public:
    /// False if it was there before.
    bool add(std::string_view question);

private:
    data::ExactDeduplicator seen_;
};

}  // namespace nexa::pipelines
