// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <vector>

#include "core/result.h"
#include "data/generators.h"
#include "engine/columnar/row_format.h"
#include "engine/training/examples.h"
#include "models/text_codec.h"

namespace nexa::pipelines {

/// Texts are read in pieces of this size, so that part of a single long one can be held out.
inline constexpr std::size_t kTextChunkBytes = 1024;

/// Which rows become examples, and how.
struct TrainingRowsWish {
    std::filesystem::path folder;
    columnar::RowFormat format = columnar::RowFormat::kAuto;
    data::Split split = data::Split::kTrain;
    std::int64_t length_max = 512;  ///< tokens of an example
    std::int64_t examples_max = 0;  ///< 0: all
    bool learn_everything = false;  ///< loss on every token, not on answers only
};

/// Tokenized rows of one split.
struct TrainingRows {
    training::ExampleSet examples;
    std::int64_t rows = 0;
    std::int64_t too_long = 0;      ///< rows left out
    std::int64_t target_bytes = 0;  ///< of text that the counted targets spell
    double target_tokens = 0;
};

/// Called now and then with the rows read; an error ends the reading.
using RowsProgress = std::function<Status(std::int64_t rows, std::int64_t total)>;

/// Reads a split and tokenizes it. Documents are packed into examples of `length_max` tokens, each
/// seeing nothing of the others; a longer document is cut. Conversations and pairs are an example
/// each, with loss on what the assistant says; longer ones are left out and counted. No rows is no
/// error. Blocks. Errors: those of the reader.
Result<TrainingRows> read_training_rows(
    const models::TextCodec& codec, const TrainingRowsWish& wish, const RowsProgress& progress
);

/// Of a dataset that has rows, but none to train on.
Error no_training_rows();

/// Learns a byte-level BPE on a split's rows, digits single, with the special tokens of the form
/// that suits them. Errors: those of the reader, no_training_rows(), kCancelled by `progress`.
Result<models::TextCodec> learn_codec(
    const std::filesystem::path& folder, std::int32_t vocab_size, const RowsProgress& progress
);

}  // namespace nexa::pipelines
