// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "core/fields.h"

namespace nexa::protocol {

/// Names that TrainSpec::model_id takes beside checkpoints: the sizes that a training can begin
/// with.
inline constexpr std::array<std::string_view, 4> kModelPresets{
    "nexa-tiny", "nexa-small", "nexa-medium", "nexa-base"
};

/// What to train on what, and how.
struct TrainSpec {
    static constexpr std::string_view kName = "TrainSpec";
    std::string dataset_uri;
    std::string model_id;
    double epochs = 3;
    std::string objective = "auto";
    std::int64_t max_steps = 0;
    int batch_size = 32;
    int max_seq_len = 512;
    double learning_rate = 3e-4;
    double min_learning_rate_ratio = 0.1;
    double warmup_ratio = 0.03;
    double weight_decay = 0.1;
    double gradient_clip = 1;
    std::string dtype = "auto";
    std::string tokenizer = "auto";
    int vocab_size = 1024;
    std::uint64_t seed = 0;
    int checkpoint_every = 200;
    std::optional<std::string> validation_uri;

    bool operator==(const TrainSpec&) const = default;
    static constexpr auto fields() {
        return std::tuple{
            field("dataset_uri", &TrainSpec::dataset_uri, "Dataset id or URI to train on")
                .required()
                .alias("dataset_id")
                .length(1, 2048)
                .example("ds_123"),
            field("model_id", &TrainSpec::model_id, "Preset, folder, hf:// name or checkpoint")
                .required()
                .alias("model")
                .alias("checkpoint_id")
                .length(1, 2048)
                .example("nexa-small"),
            field("epochs", &TrainSpec::epochs, "Passes over the data")
                .required()
                .within(0.001, 10000)
                .example(3),
            field(
                "objective",
                &TrainSpec::objective,
                "Loss on every token, or on answers only; auto: by the rows"
            )
                .one_of({"auto", "pretrain", "sft"}),
            field(
                "max_steps",
                &TrainSpec::max_steps,
                "Stop after so many optimizer steps; 0: by epochs"
            )
                .within(0, 1'000'000'000),
            field("batch_size", &TrainSpec::batch_size, "Sequences per optimizer step")
                .within(1, 65536),
            field("max_seq_len", &TrainSpec::max_seq_len, "Longest sequence")
                .within(8, 131072)
                .unit("tokens"),
            field("learning_rate", &TrainSpec::learning_rate, "Peak of the schedule").within(0, 1),
            field(
                "min_learning_rate_ratio",
                &TrainSpec::min_learning_rate_ratio,
                "End of the cosine, as part of the peak"
            )
                .within(0, 1),
            field("warmup_ratio", &TrainSpec::warmup_ratio, "Part of the steps with a rising rate")
                .within(0, 1),
            field("weight_decay", &TrainSpec::weight_decay, "Of AdamW, on matrices only")
                .within(0, 10),
            field("gradient_clip", &TrainSpec::gradient_clip, "Largest gradient norm; 0: no limit")
                .within(0, 1000),
            field(
                "dtype",
                &TrainSpec::dtype,
                "Of the arithmetic; weights are kept in fp32; auto: the faster here"
            )
                .one_of({"auto", "fp32", "bf16"}),
            field(
                "tokenizer",
                &TrainSpec::tokenizer,
                "auto, bpe (trained on the data) or a tokenizer.json; auto: the model's"
            )
                .length(1, 2048),
            field("vocab_size", &TrainSpec::vocab_size, "Of a tokenizer trained here")
                .within(260, 1'000'000),
            field("seed", &TrainSpec::seed, "Of weights and order"),
            field("checkpoint_every", &TrainSpec::checkpoint_every, "Steps between checkpoints")
                .within(1, 1'000'000),
            field(
                "validation_uri",
                &TrainSpec::validation_uri,
                "Held-out rows; default: the dataset's validation split"
            ),
        };
    }
};

}  // namespace nexa::protocol
