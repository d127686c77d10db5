// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include <ATen/core/Tensor.h>

namespace nexa::nets {

/// Attention of a few new tokens a row over what a cache holds, as one loop instead of fifteen
/// tensor operations: for small models the operations cost more than the arithmetic. All tensors
/// are float32 on the CPU and contiguous; no gradients.
struct CachedAttention {
    std::int64_t heads = 0;
    std::int64_t kv_heads = 0;
    std::int64_t head_dim = 0;
    at::Tensor cosines;  ///< [positions, head_dim / 2]
    at::Tensor sines;
    at::Tensor cached_keys;  ///< [rows, kv_heads, capacity, head_dim], as are the values
    at::Tensor cached_values;
    std::span<const std::int64_t> starts;  ///< per row: the first new token's position
    std::span<const std::int64_t> counts;  ///< per row: new tokens, the rest is padding
};

/// Turns `keys` and `values` ([rows, length, kv_heads * head_dim]) into the cache's next entries
/// and lets `queries` look at them: those of every new token, or with one query a row and more than
/// one key that of each row's last token. Overwrites queries and keys. Returns
/// [rows, queries, heads * head_dim], zero for padding.
at::Tensor attend_cached(
    const CachedAttention& with,
    const at::Tensor& queries,
    const at::Tensor& keys,
    const at::Tensor& values
);

}  // namespace nexa::nets
