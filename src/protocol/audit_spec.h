// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "core/fields.h"

namespace nexa::protocol {

/// Which dataset to score.
struct AuditSpec {
    static constexpr std::string_view kName = "AuditSpec";
    std::string dataset_uri;
    std::string format = "auto";
    std::optional<std::string> tokenizer;
    std::int64_t max_rows = 0;
    std::optional<double> min_score;

    bool operator==(const AuditSpec&) const = default;
    static constexpr auto fields() {
        return std::tuple{
            field("dataset_uri", &AuditSpec::dataset_uri, "Dataset id or URI to audit")
                .required()
                .alias("dataset_id")
                .length(1, 2048)
                .example("ds_123"),
            field("format", &AuditSpec::format, "What a row is; auto looks at the first rows")
                .one_of({"auto", "chat", "prompt_completion", "question_answer", "text"}),
            field(
                "tokenizer",
                &AuditSpec::tokenizer,
                "Model or tokenizer.json whose tokens are counted; default: bytes"
            ),
            field("max_rows", &AuditSpec::max_rows, "Audit the first rows only; 0: all")
                .within(0, 1'000'000'000'000),
            field("min_score", &AuditSpec::min_score, "Fail the job below this overall score")
                .within(0, 5),
        };
    }
};

}  // namespace nexa::protocol
