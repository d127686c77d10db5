// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "data/exact_dedup.h"
#include "data/lint.h"
#include "engine/columnar/dataset_reader.h"
#include "text/bpe_tokenizer.h"

namespace nexa::pipelines {

/// Counts tokens: those of a tokenizer.json, or bytes. One thread.
class TokenCounter {
public:
    /// `name`: none or "bytes"; else a tokenizer.json, or a folder with one, in the dataset's
    /// folder. Errors: kInvalidArgument for any other name; those of the file.
    static Result<TokenCounter> create(
        const std::optional<std::string>& name, const std::filesystem::path& dataset
    );

    std::int64_t count(std::string_view text);

private:
    std::optional<text::BpeTokenizer> tokenizer_;
    text::EncodeCache cache_;
    std::vector<std::int32_t> ids_;
};

/// What an audit says about one row.
struct RowVerdict {
    std::int64_t chars = 0;
    std::int64_t bytes = 0;
    std::int64_t tokens = 0;
    std::int64_t answer_tokens = 0;
    std::optional<std::int64_t> duplicate_of;  ///< the first row that is the same
    std::vector<data::LintFinding> lint;
    std::optional<std::string_view> filter_reason;  ///< texts: why the quality rules drop it, empty
                                                    ///< if they keep it; nothing for other rows
    bool well_formed = true;                        ///< no lint error
    bool keep = true;
    double score = 0;  ///< 0 to 5, as of a dataset of this row alone
};

/// Judges rows one after the other; remembers which there were. One thread.
class RowAuditor {
public:
    explicit RowAuditor(TokenCounter tokens) : tokens_(std::move(tokens)) {}

    /// `number` is the row's in the audit, from 1 and rising.
    Result<RowVerdict> judge(std::int64_t number, const data::DatasetRow& row);

private:
    TokenCounter tokens_;
    data::ExactDeduplicator seen_;
};

/// The texts of a row in their order, each with its name: "messages[0].content", "prompt" …
std::vector<std::pair<std::string, std::string_view>> texts_of(const data::DatasetRow& row);

}  // namespace nexa::pipelines
