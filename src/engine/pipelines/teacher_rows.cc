// SPDX-License-Identifier: Apache-2.0
#include "engine/pipelines/teacher_rows.h"

#include <algorithm>
#include <array>

#include "core/json.h"
#include "core/json_codec.h"
#include "core/json_writer.h"
#include "core/mix_bits.h"
#include "core/trim.h"
#include "core/utf8.h"
#include "data/lint.h"

namespace nexa::pipelines {

namespace {

struct TeacherLine {
    static constexpr std::string_view kName = "TeacherLine";
    std::string question;
    std::string answer;

    static constexpr auto fields() {
        return std::tuple{
            field("question", &TeacherLine::question, "What is asked").required(),
            field("answer", &TeacherLine::answer, "The right answer").required(),
        };
    }
};
NEXA_JSON_CODEC(TeacherLine);

constexpr std::array<std::string_view, 13> kAngles{
    "definitions and what sets them apart",
    "causes and effects",
    "comparisons of two things",
    "how something is done, step by step",
    "numbers, units and rough estimates",
    "common mistakes and how to notice them",
    "how it came about",
    "limits and exceptions",
    "cases from practice",
    "why something works",
    "choosing between alternatives",
    "what follows from given facts",
    "terms that are easily confused",
};
constexpr std::array<std::string_view, 5> kReaders{
    "a curious beginner",
    "a student before an examination",
    "somebody who works with it every day",
    "an expert",
    "somebody who explains it to others",
};
constexpr std::array<std::string_view, 7> kForms{
    "short factual questions with answers of one sentence",
    "questions that take two or three steps of reasoning, with the steps in the answer",
    "short scenarios that end in a question",
    "questions that ask for an explanation in plain words",
    "questions that ask to judge whether a statement holds, and why",
    "questions that ask for an example, with one that is worked out",
    "questions a person would type into a search box",
};

constexpr std::size_t kShownMax = 400;

/// The lists have lengths without a common divisor, so stepping through all three at once meets
/// every combination before one comes again.
template <std::size_t N>
std::string_view pick(
    const std::array<std::string_view, N>& list, std::uint64_t start, std::int64_t number
) {
    return list[(start + static_cast<std::uint64_t>(number)) % N];
}

std::string example_lines(std::span<const MadeRow> examples) {
    if (examples.empty()) {
        return {};
    }
    std::string text = "\nThese rows are there already; write others:\n";
    for (const MadeRow& row : examples) {
        text += to_json(TeacherLine{.question = row.prompt, .answer = row.answer}) + "\n";
    }
    return text;
}

WrittenRow read_row(std::string_view line) {
    WrittenRow written{.text = quotable(line, kShownMax)};
    auto read = from_json<TeacherLine>(line);
    if (!read) {
        written.reason = read.error().to_string();
        return written;
    }
    const data::QuestionAnswerRow row{.question = read->question, .answer = read->answer};
    for (const data::LintFinding& finding : data::lint_row(0, row)) {
        if (data::severity_of(finding.rule) == data::LintSeverity::kError ||
            finding.rule == data::LintRule::kAnswerIsPrompt) {
            written.reason = fmt::format("{}: {}", finding.field, finding.message);
            return written;
        }
    }
    written.row = MadeRow{
        .prompt = std::string(trimmed(read->question)), .answer = std::string(trimmed(read->answer))
    };
    return written;
}

}  // namespace

protocol::LlmRequest ask_for_rows(
    const RowRecipe& recipe, std::int64_t number, std::span<const MadeRow> examples
) {
    const std::uint64_t seed = mix_bits(recipe.seed);
    const std::string system =
        "You write rows of a dataset from which a language model learns. Every answer is right, "
        "stands alone and needs no source. Write one JSON object a line, each with exactly two "
        "keys, \"question\" and \"answer\", both strings. Write nothing else: no introduction, no "
        "numbering, no code fence.";
    const std::string user = fmt::format(
        "Subject: {}\nWrite {} rows for {}, about {}, as {}. This is part {} of the dataset.{}",
        recipe.subject,
        recipe.rows,
        pick(kReaders, seed % 1009, number),
        pick(kAngles, seed % 2003, number),
        pick(kForms, seed % 4001, number),
        number + 1,
        example_lines(examples)
    );
    return {
        .messages = {{.role = "system", .content = system}, {.role = "user", .content = user}},
        .seed = mix_bits(recipe.seed ^ mix_bits(static_cast<std::uint64_t>(number))) >> 1U,
    };
}

std::vector<WrittenRow> read_rows(std::string_view answer, bool is_cut) {
    std::vector<WrittenRow> rows;
    while (!answer.empty()) {
        const std::size_t end = answer.find('\n');
        const std::string_view line = trimmed(answer.substr(0, end));
        answer.remove_prefix(end == std::string_view::npos ? answer.size() : end + 1);
        if (line.empty() || line.starts_with("```")) {
            continue;
        }
        rows.push_back(read_row(line));
        if (is_cut && answer.empty() && !rows.back().row) {
            rows.back().reason = "the answer ended at its limit, in the middle of this row";
        }
    }
    return rows;
}

bool SeenQuestions::add(std::string_view question) {
    std::string key;
    for (const char c : trimmed(question)) {
        const bool is_space = c == ' ' || c == '\t' || c == '\n' || c == '\r';
        if (is_space && key.ends_with(' ')) {
            continue;
        }
        key += is_space ? ' ' : (c >= 'A' && c <= 'Z') ? static_cast<char>(c - 'A' + 'a') : c;
    }
    return !seen_.add(data::hash_bytes(key), seen_.rows()).has_value();
}

}  // namespace nexa::pipelines
