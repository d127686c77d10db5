// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "core/result.h"
#include "data/lint.h"
#include "engine/pipelines/local_model.h"
#include "evaluation/likelihood.h"

namespace nexa::pipelines {

/// Tokens that a model reads at once, and which of them it is to predict: at most as many as it has
/// positions.
struct TextChunk {
    std::vector<std::int32_t> ids;
    std::vector<std::uint8_t> counted;  ///< as long as ids; never the first
    std::int64_t tokens = 0;            ///< that are counted
    std::int64_t bytes = 0;             ///< of text that they stand for
};

/// Cuts a row into chunks. Of a text every token counts but its first, which has nothing before it;
/// of a conversation or pair the tokens of the assistant's answers. Special tokens stand for no
/// text and never count. Each chunk begins with the last token of the one before, so that each
/// token is predicted once. Chunks without a counted token are left out.
/// Errors: kInvalidArgument (an unknown role, an empty conversation).
Result<std::vector<TextChunk>> chunks_of(
    const data::DatasetRow& row, const models::TextCodec& codec, std::int64_t tokens_max
);

/// What the model makes of each chunk, in their order. Chunks of like length are computed side by
/// side. Blocks; asks `stop_requested` between batches. Errors: kCancelled; libtorch's exceptions
/// pass through.
Result<std::vector<evaluation::ChunkLikelihood>> measure_chunks(
    const nets::Decoder& decoder,
    std::span<const TextChunk> chunks,
    const std::function<bool()>& stop_requested = {}
);

}  // namespace nexa::pipelines
