// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "core/fields.h"

namespace nexa::protocol {

/// What to make a dataset of.
struct GenerateSpec {
    static constexpr std::string_view kName = "GenerateSpec";
    std::string domain;
    std::int64_t num_samples = 0;
    std::optional<std::uint64_t> seed;
    std::optional<std::string> dataset_uri;
    std::optional<std::string> teacher;
    int digits = 3;
    int min_digits = 1;
    std::string operation = "add";
    bool reverse_answer = false;
    double temperature = 0.9;
    int max_new_tokens = 2048;
    double max_cost_usd = 0;
    double validation_fraction = 0.05;
    double test_fraction = 0.05;

    bool operator==(const GenerateSpec&) const = default;
    static constexpr auto fields() {
        return std::tuple{
            field(
                "domain",
                &GenerateSpec::domain,
                "arithmetic, sort, reverse, count or dates: answers are verified; documents: "
                "questions about your own "
                "text; any other subject needs a teacher"
            )
                .required()
                .length(1, 200)
                .example("arithmetic"),
            field("num_samples", &GenerateSpec::num_samples, "Rows to make")
                .required()
                .within(1, 100'000'000)
                .example(1000),
            field(
                "seed",
                &GenerateSpec::seed,
                "Same seed, same rows; without one each job has its own"
            ),
            field("dataset_uri", &GenerateSpec::dataset_uri, "Documents to ask about")
                .alias("dataset_id"),
            field(
                "teacher",
                &GenerateSpec::teacher,
                "Model that writes the rows: provider/name, a deployment or a URL"
            )
                .alias("teacher_model"),
            field("digits", &GenerateSpec::digits, "arithmetic: most digits of an operand")
                .within(1, 9),
            field("min_digits", &GenerateSpec::min_digits, "arithmetic: least digits of an operand")
                .within(1, 9),
            field("operation", &GenerateSpec::operation, "arithmetic: add, subtract or multiply")
                .one_of({"add", "subtract", "multiply"}),
            field(
                "reverse_answer",
                &GenerateSpec::reverse_answer,
                "arithmetic: write the answer's digits from the lowest up, which small models "
                "learn faster"
            ),
            field("temperature", &GenerateSpec::temperature, "teacher: 0 is greedy").within(0, 2),
            field("max_new_tokens", &GenerateSpec::max_new_tokens, "teacher: longest answer")
                .within(1, 131'072)
                .unit("tokens"),
            field(
                "max_cost_usd",
                &GenerateSpec::max_cost_usd,
                "teacher: end with what there is once this is spent; 0: no cap"
            )
                .within(0, 1'000'000)
                .unit("USD"),
            field(
                "validation_fraction",
                &GenerateSpec::validation_fraction,
                "Part held out for validation"
            )
                .within(0, 0.5),
            field("test_fraction", &GenerateSpec::test_fraction, "Part held out for evaluation")
                .within(0, 0.5),
        };
    }
};

}  // namespace nexa::protocol
