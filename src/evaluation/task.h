// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.h"
#include "data/generators.h"
#include "data/lint.h"
#include "text/chat_template.h"

namespace nexa::evaluation {

/// Texts about a row by name, as generators write them: domain, operation, digits …
using Meta = std::vector<std::pair<std::string, std::string>>;

/// The name under which an arithmetic row says in which order its answer's digits stand.
inline constexpr std::string_view kAnswerOrder = "answer_order";
inline constexpr std::string_view kReversed = "reversed";

/// How a program solves a row's problem.
struct Verifier {
    data::Domain domain = data::Domain::kArithmetic;
    data::AnswerOrder order = data::AnswerOrder::kForward;
};

/// One question to a model and what is known about its answer.
struct TaskItem {
    std::vector<text::ChatMessage> question;  ///< the conversation up to the answer
    std::optional<std::string> reference;     ///< the answer that the row gives
    std::optional<Verifier> verifier;         ///< where the row is of a built-in domain

    /// What is asked last.
    std::string_view prompt() const { return question.back().content; }
};

/// Takes a row apart; of a chat the last message is the reference if the assistant says it. `meta`
/// says the domain; a prompt that its domain cannot solve has no verifier.
/// Errors: kInvalidArgument for a row that asks nothing (a text, an empty chat).
Result<TaskItem> task_of(const data::DatasetRow& row, const Meta& meta);

/// An answer beside what it should be; nothing where that is not known.
struct Judgment {
    std::optional<bool> exact;     ///< equals the reference but for white space around it
    std::optional<bool> verified;  ///< a program that solves the problem says so too
};

Judgment judge(const TaskItem& item, std::string_view answer);

}  // namespace nexa::evaluation
