// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "core/fields.h"

namespace nexa::protocol {

/// Which prompts a teacher is to answer, and which of its answers are kept.
struct DistillSpec {
    static constexpr std::string_view kName = "DistillSpec";
    std::string dataset_uri;
    std::string teacher;
    std::optional<std::string> student_model;
    int samples_per_prompt = 1;
    std::string selection = "verifier";
    double temperature = 0.7;
    double top_p = 1;
    int max_new_tokens = 256;
    std::optional<std::string> system_prompt;
    std::int64_t max_prompts = 0;
    double max_cost_usd = 0;
    std::optional<std::uint64_t> seed;
    bool reverse_answer = false;

    bool operator==(const DistillSpec&) const = default;
    static constexpr auto fields() {
        return std::tuple{
            field(
                "dataset_uri",
                &DistillSpec::dataset_uri,
                "Dataset whose prompts the teacher answers"
            )
                .required()
                .alias("dataset_id")
                .length(1, 2048)
                .example("ds_123"),
            field(
                "teacher",
                &DistillSpec::teacher,
                "A checkpoint, a deployment, or provider/name of a configured endpoint"
            )
                .required()
                .alias("teacher_model")
                .length(1, 2048)
                .example("openai/gpt-4o-mini"),
            field(
                "student_model",
                &DistillSpec::student_model,
                "Model the data is for: its tokenizer and template"
            ),
            field(
                "samples_per_prompt", &DistillSpec::samples_per_prompt, "Answers sampled per prompt"
            )
                .within(1, 256),
            field("selection", &DistillSpec::selection, "Which answers are kept")
                .one_of({"verifier", "majority", "first"}),
            field("temperature", &DistillSpec::temperature, "Of the teacher; 0 is greedy")
                .within(0, 2),
            field("top_p", &DistillSpec::top_p, "Nucleus of the teacher").within(0, 1),
            field("max_new_tokens", &DistillSpec::max_new_tokens, "Longest answer")
                .within(1, 131072)
                .unit("tokens"),
            field("system_prompt", &DistillSpec::system_prompt, "Put before every prompt")
                .length(0, 65536),
            field("max_prompts", &DistillSpec::max_prompts, "Take the first prompts only; 0: all")
                .within(0, 1'000'000'000),
            field(
                "max_cost_usd",
                &DistillSpec::max_cost_usd,
                "Stop before the teacher costs more; 0: no limit"
            )
                .within(0, 1'000'000)
                .unit("USD"),
            field("seed", &DistillSpec::seed, "Of the sampling"),
            field(
                "reverse_answer",
                &DistillSpec::reverse_answer,
                "arithmetic: write the kept answers from the lowest digit up"
            ),
        };
    }
};

}  // namespace nexa::protocol
