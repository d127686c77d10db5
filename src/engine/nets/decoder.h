// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <ATen/core/Tensor.h>

#include "core/result.h"
#include "engine/nets/parameters.h"
#include "models/config.h"

namespace nexa::nets {

/// What matrix products are computed in. Weights, the residual stream and the loss are float32
/// either way; kBf16 casts the inputs of each product, as autocast does.
enum class Precision : std::uint8_t { kFloat32, kBfloat16 };

/// Token sequences side by side, padded on the right. What pads does not matter: no position sees
/// what comes after it.
struct TokenBatch {
    at::Tensor ids;        ///< [rows, length], int64
    at::Tensor positions;  ///< [rows, length], int64; undefined: 0, 1, 2, … in every row
    at::Tensor documents;  ///< [rows, length], int64: which of the packed documents a token belongs
                           ///< to; undefined: one a row
};

/// Keys and values of the tokens already seen, row by row. Made by Decoder::prefill.
class KvCache {
public:
    std::int64_t rows() const { return static_cast<std::int64_t>(lengths.size()); }
    /// Keeps only these rows, in this order.
    void keep(std::span<const std::int64_t> kept);

    struct Layer {
        at::Tensor keys;  ///< [rows, kv_heads, capacity, head_dim]
        at::Tensor values;
    };
    std::vector<Layer> layers;
    std::vector<std::int64_t> lengths;  ///< tokens seen, per row
};

/// A decoder-only Transformer of one of models::kFamilies on libtorch: RMSNorm, rotary positions,
/// grouped-query causal attention, SwiGLU, head tied or not.
///
/// Initial weights: products normal with deviation 1/sqrt(inputs), those that write to the residual
/// stream divided by sqrt(2 * layers); the embedding normal with 0.02 (1/sqrt(hidden) where it is
/// the head too); norms one; biases zero. Each tensor draws from a seed of its own, derived from
/// its name.
///
/// Copies share their weights. Not thread-safe while weights change; forward passes alone may run
/// side by side. Calls block for as long as they compute. Libtorch's exceptions (out of memory)
/// pass through: the engine's entry points guard.
class Decoder {
public:
    /// Errors: kInvalidArgument as ModelConfig::validate.
    static Result<Decoder> create(const models::ModelConfig& config, std::uint64_t seed);

    const models::ModelConfig& config() const { return config_; }
    /// Embedding, blocks from first to last, final norm, head (absent where tied).
    const Parameters& parameters() const { return parameters_; }
    at::Device device() const;

    void set_precision(Precision precision) { precision_ = precision; }
    /// Moves the weights. Gradients are dropped.
    void to(const at::Device& device);
    /// A decoder with the same weights in the same memory, but gradients of its own: another thread
    /// can train with it at the same time. Moving either parts them.
    Decoder fork() const;

    /// The final norm's output, [rows, length, hidden], float32. Differentiable. Ids must lie in
    /// the vocabulary and rows fit max_positions (CHECKed: the callers' examples are validated).
    at::Tensor hidden_states(const TokenBatch& batch) const;
    /// [..., hidden] to [..., vocab], float32.
    at::Tensor logits(const at::Tensor& hidden) const;

    /// Runs right-padded prompts of `lengths` tokens, and returns the cache with room for
    /// `capacity` tokens a row and the logits after each row's last token, [rows, vocab].
    struct Prefilled {
        KvCache cache;
        at::Tensor logits;
    };
    Prefilled prefill(
        const at::Tensor& ids, std::span<const std::int64_t> lengths, std::int64_t capacity
    ) const;
    /// Appends one token to every row: `ids` is [rows]. Returns the logits after it, [rows, vocab].
    at::Tensor step(const at::Tensor& ids, KvCache& cache) const;

private:
    struct Block {
        at::Tensor input_norm, q, k, v, q_bias, k_bias, v_bias, o, post_norm, gate, up, down;
    };
    /// What all blocks of one pass share.
    struct Pass {
        at::Tensor cosines, sines;  ///< [rows or 1, 1, length, head_dim / 2]
        at::Tensor mask;            ///< undefined: plain causal
        at::Tensor slots;           ///< where the step's keys go, [rows, 1, 1, 1]
        at::Tensor ends;            ///< of a prompt's rows the last position, [rows, 1, 1]: the
                                    ///< last block answers for these alone
        std::int64_t visible = 0;   ///< cached positions in use
        KvCache* cache = nullptr;
        std::span<const std::int64_t> counts;  ///< new tokens of each row of the cache
        bool appends = false;
    };

    explicit Decoder(const models::ModelConfig& config) : config_(config) {}
    void bind();
    void make_rotations();
    at::Tensor product(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) const;
    at::Tensor norm(const at::Tensor& x, const at::Tensor& weight) const;
    /// Of the positions in `asking` over those in `x`: the same, or the ends of them.
    at::Tensor attention(
        std::size_t layer, const at::Tensor& asking, const at::Tensor& x, const Pass& pass
    ) const;
    at::Tensor cached_attention(
        std::size_t layer, const at::Tensor& asking, const at::Tensor& x, const Pass& pass
    ) const;
    bool is_short(const at::Tensor& x, const Pass& pass) const;
    at::Tensor feed_forward(const Block& block, const at::Tensor& x) const;
    at::Tensor run(const at::Tensor& ids, const Pass& pass) const;
    Pass training_pass(const TokenBatch& batch) const;

    models::ModelConfig config_;
    Precision precision_ = Precision::kFloat32;
    Parameters parameters_;
    std::vector<Block> blocks_;
    at::Tensor embedding_, final_norm_, head_;
    at::Tensor cosines_, sines_;  ///< [max_positions, head_dim / 2]
};

}  // namespace nexa::nets
