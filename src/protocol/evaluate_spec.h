// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "core/fields.h"

namespace nexa::protocol {

/// Which model to measure on what.
struct EvaluateSpec {
    static constexpr std::string_view kName = "EvaluateSpec";
    std::string model_id;
    std::string benchmark = "heldout";
    std::optional<std::string> dataset_uri;
    std::int64_t max_samples = 0;
    int max_new_tokens = 64;
    double temperature = 0;
    std::uint64_t seed = 0;

    bool operator==(const EvaluateSpec&) const = default;
    static constexpr auto fields() {
        return std::tuple{
            field("model_id", &EvaluateSpec::model_id, "Checkpoint to evaluate")
                .required()
                .alias("model")
                .alias("checkpoint_id")
                .length(1, 2048)
                .example("ckpt_456"),
            field(
                "benchmark",
                &EvaluateSpec::benchmark,
                "heldout: exact match on the test split; perplexity: loss and bits per byte of text"
            )
                .one_of({"heldout", "perplexity"}),
            field(
                "dataset_uri",
                &EvaluateSpec::dataset_uri,
                "Rows to evaluate on; default: what the model was trained on"
            )
                .alias("dataset_id"),
            field("max_samples", &EvaluateSpec::max_samples, "Take the first rows only; 0: all")
                .within(0, 1'000'000'000),
            field("max_new_tokens", &EvaluateSpec::max_new_tokens, "Longest answer")
                .within(1, 131072)
                .unit("tokens"),
            field("temperature", &EvaluateSpec::temperature, "0 is greedy").within(0, 2),
            field("seed", &EvaluateSpec::seed, "Of the sampling"),
        };
    }
};

}  // namespace nexa::protocol
