// SPDX-License-Identifier: Apache-2.0
#include "evaluation/task.h"

#include <algorithm>
#include <variant>

#include "core/trim.h"

namespace nexa::evaluation {

namespace {

const std::string* find(const Meta& meta, std::string_view name) {
    const auto found = std::ranges::find(meta, name, &Meta::value_type::first);
    return found == meta.end() ? nullptr : &found->second;
}

std::optional<Verifier> verifier_of(const TaskItem& item, const Meta& meta) {
    const std::string* name = find(meta, "domain");
    const auto domain = name != nullptr ? data::domain_from(*name) : std::nullopt;
    if (!domain || item.question.size() != 1 || !data::verify(*domain, item.prompt(), "")) {
        return std::nullopt;
    }
    const std::string* order = find(meta, kAnswerOrder);
    const bool reversed =
        domain == data::Domain::kArithmetic && order != nullptr && *order == kReversed;
    return Verifier{
        .domain = *domain,
        .order = reversed ? data::AnswerOrder::kReversed : data::AnswerOrder::kForward,
    };
}

struct TakeApart {
    TaskItem operator()(const data::ChatRow& row) const {
        TaskItem item{.question = row.messages};
        if (!item.question.empty() && item.question.back().role == "assistant") {
            item.reference = std::move(item.question.back().content);
            item.question.pop_back();
        }
        return item;
    }
    TaskItem operator()(const data::PromptCompletionRow& row) const {
        return pair(row.prompt, row.completion);
    }
    TaskItem operator()(const data::QuestionAnswerRow& row) const {
        return pair(row.question, row.answer);
    }
    TaskItem operator()(const data::TextRow&) const { return {}; }

    static TaskItem pair(const std::string& prompt, const std::string& answer) {
        return {.question = {{.role = "user", .content = prompt}}, .reference = answer};
    }
};

}  // namespace

Result<TaskItem> task_of(const data::DatasetRow& row, const Meta& meta) {
    TaskItem item = std::visit(TakeApart{}, row);
    if (item.question.empty()) {
        return Error::invalid_argument("asks nothing: it is text, or a chat without a question");
    }
    item.verifier = verifier_of(item, meta);
    return item;
}

Judgment judge(const TaskItem& item, std::string_view answer) {
    Judgment judgment;
    const std::string_view said = trimmed(answer);
    if (item.reference) {
        judgment.exact = said == trimmed(*item.reference);
    }
    if (item.verifier) {
        const auto verdict =
            data::verify(item.verifier->domain, item.prompt(), said, item.verifier->order);
        judgment.verified = verdict && verdict->correct;
    }
    return judgment;
}

}  // namespace nexa::evaluation
