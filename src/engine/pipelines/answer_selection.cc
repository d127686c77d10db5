// SPDX-License-Identifier: Apache-2.0
#include "engine/pipelines/answer_selection.h"

#include <algorithm>
#include <map>
#include <vector>

#include "core/trim.h"
#include "data/generators.h"
#include "engine/pipelines/row_meta.h"
#include "evaluation/task.h"

namespace nexa::pipelines {

namespace {

/// The numbers of the answers that ended by themselves.
std::vector<std::size_t> complete_ones(std::span<const Answer> answers) {
    std::vector<std::size_t> complete;
    for (std::size_t i = 0; i < answers.size(); ++i) {
        if (answers[i].complete && !trimmed(answers[i].text).empty()) {
            complete.push_back(i);
        }
    }
    return complete;
}

std::size_t most_frequent(std::span<const Answer> answers, std::span<const std::size_t> among) {
    std::map<std::string_view, int> votes;
    for (const std::size_t i : among) {
        ++votes[trimmed(answers[i].text)];
    }
    return *std::ranges::max_element(among, {}, [&](std::size_t i) {
        return votes[trimmed(answers[i].text)];
    });
}

Result<bool> is_right(const columnar::SourceRow& row, std::string_view answer) {
    const std::string_view prompt = columnar::prompt_of(row.row);
    if (const auto domain = data::domain_from(meta_of(row.meta, "domain"))) {
        const auto order = meta_of(row.meta, evaluation::kAnswerOrder) == evaluation::kReversed
                               ? data::AnswerOrder::kReversed
                               : data::AnswerOrder::kForward;
        TRY(const data::Verdict verdict, data::verify(*domain, prompt, answer, order));
        return verdict.correct;
    }
    const std::string_view reference = trimmed(columnar::answer_of(row.row));
    if (reference.empty()) {
        return Error::invalid_argument("there is nothing to check an answer by")
            .at("selection")
            .hint("rows without an answer of their own take 'majority' or 'first'");
    }
    return trimmed(answer) == reference;
}

}  // namespace

Selection selection_from(std::string_view name) {
    if (name == "majority") {
        return Selection::kMajority;
    }
    return name == "first" ? Selection::kFirst : Selection::kVerifier;
}

Result<Selected> select_answer(
    const columnar::SourceRow& row, std::span<const Answer> answers, Selection selection
) {
    const std::vector<std::size_t> complete = complete_ones(answers);
    if (complete.empty()) {
        for (const Answer& answer : answers) {
            if (!answer.failure.empty()) {
                return Selected{.answer = {}, .reason = answer.failure};
            }
        }
        return Selected{.answer = {}, .reason = "no answer came to an end"};
    }
    switch (selection) {
        case Selection::kFirst:
            return Selected{.answer = complete.front(), .reason = {}};
        case Selection::kMajority:
            return Selected{.answer = most_frequent(answers, complete), .reason = {}};
        case Selection::kVerifier:
            break;
    }
    for (const std::size_t i : complete) {
        TRY(const bool right, is_right(row, answers[i].text));
        if (right) {
            return Selected{.answer = i, .reason = {}};
        }
    }
    return Selected{.answer = {}, .reason = "no answer is right"};
}

}  // namespace nexa::pipelines
