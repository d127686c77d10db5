// SPDX-License-Identifier: Apache-2.0
#include "engine/pipelines/audit_row.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/file.h"
#include "core/utf8.h"
#include "data/gopher.h"
#include "data/quality_score.h"
#include "text/tokenizer_json.h"

namespace nexa::pipelines {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kBytes = "bytes";
constexpr std::string_view kTokenizerFile = "tokenizer.json";
constexpr std::uint64_t kTokenizerBytesMax = std::uint64_t{256} << 20U;
/// A whole document is one field; a message of a megabyte is a mistake.
constexpr std::size_t kDocumentBytesMax = std::size_t{64} << 20U;

bool is_within(const fs::path& relative) {
    return relative.is_relative() &&
           std::ranges::none_of(relative, [](const fs::path& part) { return part == ".."; });
}

std::optional<fs::path> find_tokenizer(const fs::path& dataset, const fs::path& name) {
    if (!is_within(name)) {
        return std::nullopt;
    }
    std::error_code ignored;
    for (const fs::path& path : {dataset / name, dataset / name / kTokenizerFile}) {
        if (fs::is_regular_file(path, ignored)) {
            return path;
        }
    }
    return std::nullopt;
}

std::string_view reason_of(std::string_view text) {
    const auto words = data::split_words(text);
    const auto quality = data::gopher_quality(text, words);
    // A text of too many words is dropped before the rule that takes memory for each of them.
    return quality.keep() ? data::gopher_repetition(text, words).reason : quality.reason;
}

data::Hash128 hash_of(const data::DatasetRow& row) {
    std::vector<std::string_view> fields;
    if (const auto* chat = std::get_if<data::ChatRow>(&row)) {
        for (const text::ChatMessage& message : chat->messages) {
            fields.insert(fields.end(), {message.role, message.content});
        }
    } else {
        for (const auto& [name, text] : texts_of(row)) {
            fields.push_back(text);
        }
    }
    return data::hash_fields(fields);
}

}  // namespace

Result<TokenCounter> TokenCounter::create(
    const std::optional<std::string>& name, const fs::path& dataset
) {
    TokenCounter counter;
    if (!name || *name == kBytes) {
        return counter;
    }
    const auto path = find_tokenizer(dataset, *name);
    if (!path) {
        return Error::invalid_argument("there is no tokenizer '{}'", quotable(*name))
            .at("tokenizer")
            .hint(
                "leave it out to count bytes, or put a tokenizer.json into the dataset's folder "
                "and give its name there"
            );
    }
    TRY(const std::string json, read_file(*path, kTokenizerBytesMax));
    auto tokenizer = text::read_tokenizer_json(json);
    if (!tokenizer) {
        return std::move(tokenizer).error().at("tokenizer");
    }
    counter.tokenizer_ = *std::move(tokenizer);
    return counter;
}

std::int64_t TokenCounter::count(std::string_view text) {
    if (!tokenizer_) {
        return static_cast<std::int64_t>(text.size());
    }
    ids_.clear();
    tokenizer_->encode_to(text, text::SpecialTokens::kPlainText, cache_, ids_);
    return static_cast<std::int64_t>(ids_.size());
}

std::vector<std::pair<std::string, std::string_view>> texts_of(const data::DatasetRow& row) {
    if (const auto* chat = std::get_if<data::ChatRow>(&row)) {
        std::vector<std::pair<std::string, std::string_view>> texts;
        texts.reserve(chat->messages.size());
        for (const text::ChatMessage& message : chat->messages) {
            texts.emplace_back(fmt::format("messages[{}].content", texts.size()), message.content);
        }
        return texts;
    }
    if (const auto* pair = std::get_if<data::PromptCompletionRow>(&row)) {
        return {{"prompt", pair->prompt}, {"completion", pair->completion}};
    }
    if (const auto* pair = std::get_if<data::QuestionAnswerRow>(&row)) {
        return {{"question", pair->question}, {"answer", pair->answer}};
    }
    return {{"text", std::get<data::TextRow>(row).text}};
}

Result<RowVerdict> RowAuditor::judge(std::int64_t number, const data::DatasetRow& row) {
    RowVerdict verdict;
    for (const auto& [name, text] : texts_of(row)) {
        verdict.chars += static_cast<std::int64_t>(utf8_length(text));
        verdict.bytes += static_cast<std::int64_t>(text.size());
        verdict.tokens += tokens_.count(text);
    }
    verdict.answer_tokens = tokens_.count(columnar::answer_of(row));
    verdict.duplicate_of = seen_.add(hash_of(row), number);

    const auto* document = std::get_if<data::TextRow>(&row);
    data::LintOptions options;
    options.field_bytes_max = document != nullptr ? kDocumentBytesMax : options.field_bytes_max;
    verdict.lint = data::lint_row(number, row, options);
    verdict.well_formed = std::ranges::none_of(verdict.lint, [](const data::LintFinding& finding) {
        return data::severity_of(finding.rule) == data::LintSeverity::kError;
    });

    data::QualityComponents components{
        .well_formed = verdict.well_formed ? 1 : 0,
        .distinct = verdict.duplicate_of ? 0 : 1,
    };
    verdict.keep = verdict.well_formed && !verdict.duplicate_of;
    if (document != nullptr) {
        verdict.filter_reason = reason_of(document->text);
        verdict.keep = verdict.keep && verdict.filter_reason->empty();
        components.filtered_in = verdict.filter_reason->empty() ? 1 : 0;
    }
    TRY(const data::QualityScore score, data::quality_score(components));
    verdict.score = score.overall;
    return verdict;
}

}  // namespace nexa::pipelines
