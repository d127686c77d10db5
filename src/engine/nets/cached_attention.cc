// SPDX-License-Identifier: Apache-2.0
#include "engine/nets/cached_attention_internal.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include <ATen/Parallel.h>
#include <ATen/ops/zeros.h>

#include "core/check.h"

namespace nexa::nets {
namespace {

/// Rows that are worth a thread of their own.
constexpr std::int64_t kRowsPerThread = 16;

/// Eight sums side by side, which the compiler keeps in vector registers; one sum it may not
/// reorder.
float dot(const float* a, const float* b, std::int64_t size) {
    constexpr std::int64_t kLanes = 8;
    std::array<float, kLanes> sums{};
    std::int64_t i = 0;
    for (; i + kLanes <= size; i += kLanes) {
        for (std::int64_t lane = 0; lane < kLanes; ++lane) {
            sums[static_cast<std::size_t>(lane)] += a[i + lane] * b[i + lane];
        }
    }
    float total = 0;
    for (const float sum : sums) {
        total += sum;
    }
    for (; i < size; ++i) {
        total += a[i] * b[i];
    }
    return total;
}

struct Pointers {
    float* queries;
    float* keys;
    const float* values;
    float* cached_keys;
    float* cached_values;
    float* out;
};

class Attention {
public:
    Attention(const CachedAttention& with, const Pointers& at, std::int64_t length)
        : with_(with),
          at_(at),
          length_(length),
          half_(with.head_dim / 2),
          scale_(1.0F / std::sqrt(static_cast<float>(with.head_dim))),
          cosines_(with.cosines.const_data_ptr<float>()),
          sines_(with.sines.const_data_ptr<float>()) {}

    void row(
        std::int64_t row, std::int64_t queries, std::int64_t capacity, std::vector<float>& scores
    ) const {
        const std::int64_t start = with_.starts[static_cast<std::size_t>(row)];
        const std::int64_t count = with_.counts[static_cast<std::size_t>(row)];
        store(row, start, count, capacity);
        const bool last_only = queries == 1;
        const std::int64_t asked = last_only ? 1 : count;
        for (std::int64_t i = 0; i < asked; ++i) {
            const std::int64_t position = last_only ? start + count - 1 : start + i;
            for (std::int64_t head = 0; head < with_.heads; ++head) {
                const std::int64_t offset =
                    ((row * queries + i) * with_.heads + head) * with_.head_dim;
                rotate(at_.queries + offset, position);
                look(offset, cache_offset(row, head, capacity), position + 1, scores);
            }
        }
    }

private:
    std::int64_t cache_offset(std::int64_t row, std::int64_t head, std::int64_t capacity) const {
        const std::int64_t read = head / (with_.heads / with_.kv_heads);
        return (row * with_.kv_heads + read) * capacity * with_.head_dim;
    }

    void rotate(float* x, std::int64_t position) const {
        const float* cosines = cosines_ + position * half_;
        const float* sines = sines_ + position * half_;
        for (std::int64_t i = 0; i < half_; ++i) {
            const float a = x[i];
            const float b = x[i + half_];
            x[i] = a * cosines[i] - b * sines[i];
            x[i + half_] = b * cosines[i] + a * sines[i];
        }
    }

    void store(std::int64_t row, std::int64_t start, std::int64_t count, std::int64_t capacity)
        const {
        const std::int64_t size = with_.head_dim;
        for (std::int64_t i = 0; i < count; ++i) {
            for (std::int64_t head = 0; head < with_.kv_heads; ++head) {
                const std::int64_t from = ((row * length_ + i) * with_.kv_heads + head) * size;
                const std::int64_t to =
                    ((row * with_.kv_heads + head) * capacity + start + i) * size;
                rotate(at_.keys + from, start + i);
                std::copy_n(at_.keys + from, size, at_.cached_keys + to);
                std::copy_n(at_.values + from, size, at_.cached_values + to);
            }
        }
    }

    void look(
        std::int64_t query, std::int64_t cached, std::int64_t visible, std::vector<float>& scores
    ) const {
        const std::int64_t size = with_.head_dim;
        const float* keys = at_.cached_keys + cached;
        float most = -INFINITY;
        for (std::int64_t j = 0; j < visible; ++j) {
            const float score = scale_ * dot(at_.queries + query, keys + j * size, size);
            scores[static_cast<std::size_t>(j)] = score;
            most = std::max(most, score);
        }
        float total = 0;
        for (std::int64_t j = 0; j < visible; ++j) {
            float& score = scores[static_cast<std::size_t>(j)];
            score = std::exp(score - most);
            total += score;
        }
        float* out = at_.out + query;
        const float* values = at_.cached_values + cached;
        for (std::int64_t j = 0; j < visible; ++j) {
            const float weight = scores[static_cast<std::size_t>(j)] / total;
            for (std::int64_t d = 0; d < size; ++d) {
                out[d] += weight * values[j * size + d];
            }
        }
    }

    const CachedAttention& with_;
    const Pointers& at_;
    std::int64_t length_;
    std::int64_t half_;
    float scale_;
    const float* cosines_;
    const float* sines_;
};

}  // namespace

at::Tensor attend_cached(
    const CachedAttention& with,
    const at::Tensor& queries,
    const at::Tensor& keys,
    const at::Tensor& values
) {
    for (const at::Tensor& tensor : {queries, keys, values, with.cached_keys, with.cached_values}) {
        NEXA_CHECK(tensor.is_contiguous() && tensor.scalar_type() == at::kFloat);
    }
    const std::int64_t rows = queries.size(0);
    const std::int64_t asked = queries.size(1);
    const std::int64_t capacity = with.cached_keys.size(2);
    at::Tensor out = at::zeros({rows, asked, with.heads * with.head_dim}, queries.options());
    const Pointers pointers{
        .queries = queries.mutable_data_ptr<float>(),
        .keys = keys.mutable_data_ptr<float>(),
        .values = values.const_data_ptr<float>(),
        .cached_keys = with.cached_keys.mutable_data_ptr<float>(),
        .cached_values = with.cached_values.mutable_data_ptr<float>(),
        .out = out.mutable_data_ptr<float>(),
    };
    const Attention attention(with, pointers, keys.size(1));
    at::parallel_for(0, rows, kRowsPerThread, [&](std::int64_t begin, std::int64_t end) {
        std::vector<float> scores(static_cast<std::size_t>(capacity));
        for (std::int64_t row = begin; row < end; ++row) {
            attention.row(row, asked, capacity, scores);
        }
    });
    return out;
}

}  // namespace nexa::nets
