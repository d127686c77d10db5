// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include <ATen/Parallel.h>
#include <ATen/ops/tensor.h>

#include "core/check.h"
#include "engine/nets/decoder.h"

namespace nexa::nets {

/// A model of a few thousand parameters with grouped queries, for this module's tests.
inline models::ModelConfig test_config() {
    return {
        .layers = 2,
        .hidden = 16,
        .heads = 4,
        .kv_heads = 2,
        .head_dim = 4,
        .ffn = 24,
        .vocab = 20,
        .max_positions = 32,
    };
}

/// On one thread: threads that wait for each other on a busy machine make these tests slow.
inline Decoder test_decoder(std::uint64_t seed = 1) {
    at::set_num_threads(1);
    Result<Decoder> decoder = Decoder::create(test_config(), seed);
    NEXA_CHECK(decoder.has_value());
    return *std::move(decoder);
}

inline at::Tensor row_of(const std::vector<std::int64_t>& ids) {
    return at::tensor(ids).unsqueeze(0);
}

}  // namespace nexa::nets
