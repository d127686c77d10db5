// SPDX-License-Identifier: Apache-2.0
#include "engine/nets/decoder.h"

#include <algorithm>
#include <map>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/outer.h>
#include <ATen/ops/pow.h>
#include <ATen/ops/rms_norm.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include "core/check.h"
#include "engine/nets/cached_attention_internal.h"
#include "engine/nets/init_internal.h"

namespace nexa::nets {
namespace {

/// Rotates [rows, heads, length, head_dim] with the two halves of each head as the coordinates.
at::Tensor rotate(const at::Tensor& x, const at::Tensor& cosines, const at::Tensor& sines) {
    const auto halves = x.chunk(2, -1);
    const at::Tensor rotated = at::cat(
        {halves[0] * cosines - halves[1] * sines, halves[1] * cosines + halves[0] * sines}, -1
    );
    return rotated.to(x.scalar_type());
}

/// Each key head once per query head that reads it.
at::Tensor repeat_heads(const at::Tensor& x, std::int64_t times) {
    if (times == 1) {
        return x;
    }
    const auto rows = x.size(0);
    const auto heads = x.size(1);
    return x.unsqueeze(2)
        .expand({rows, heads, times, x.size(2), x.size(3)})
        .reshape({rows, heads * times, x.size(2), x.size(3)});
}

at::Tensor as_tensor(std::span<const std::int64_t> values, const at::Device& device) {
    return at::tensor(at::IntArrayRef(values.data(), values.size())).to(device);
}

}  // namespace

void KvCache::keep(std::span<const std::int64_t> kept) {
    std::vector<std::int64_t> kept_lengths;
    for (const std::int64_t row : kept) {
        kept_lengths.push_back(lengths.at(static_cast<std::size_t>(row)));
    }
    lengths = std::move(kept_lengths);
    for (Layer& layer : layers) {
        const at::Tensor rows = as_tensor(kept, layer.keys.device());
        layer.keys = layer.keys.index_select(0, rows);
        layer.values = layer.values.index_select(0, rows);
    }
}

Result<Decoder> Decoder::create(const models::ModelConfig& config, std::uint64_t seed) {
    TRY_STATUS(config.validate());
    Decoder decoder(config);
    decoder.parameters_ = make_parameters(config, seed);
    decoder.bind();
    decoder.make_rotations();
    return decoder;
}

at::Device Decoder::device() const {
    return embedding_.device();
}

void Decoder::to(const at::Device& device) {
    const at::NoGradGuard no_grad;
    for (Parameter& parameter : parameters_) {
        parameter.value = parameter.value.detach().to(device).set_requires_grad(true);
    }
    cosines_ = cosines_.to(device);
    sines_ = sines_.to(device);
    bind();
}

Decoder Decoder::fork() const {
    Decoder forked = *this;
    for (Parameter& parameter : forked.parameters_) {
        parameter.value = parameter.value.detach().set_requires_grad(true);
    }
    forked.bind();
    return forked;
}

void Decoder::bind() {
    std::map<std::string_view, at::Tensor> by_name;
    for (const Parameter& parameter : parameters_) {
        by_name.emplace(parameter.name, parameter.value);
    }
    const auto find = [&](const std::string& name) {
        const auto found = by_name.find(name);
        return found == by_name.end() ? at::Tensor() : found->second;
    };
    embedding_ = find("model.embed_tokens.weight");
    final_norm_ = find("model.norm.weight");
    head_ = config_.tied_embeddings ? embedding_ : find("lm_head.weight");
    blocks_.clear();
    for (std::int64_t layer = 0; layer < config_.layers; ++layer) {
        const std::string prefix = fmt::format("model.layers.{}.", layer);
        const std::string heads = prefix + "self_attn.";
        blocks_.push_back({
            .input_norm = find(prefix + "input_layernorm.weight"),
            .q = find(heads + "q_proj.weight"),
            .k = find(heads + "k_proj.weight"),
            .v = find(heads + "v_proj.weight"),
            .q_bias = find(heads + "q_proj.bias"),
            .k_bias = find(heads + "k_proj.bias"),
            .v_bias = find(heads + "v_proj.bias"),
            .o = find(heads + "o_proj.weight"),
            .post_norm = find(prefix + "post_attention_layernorm.weight"),
            .gate = find(prefix + "mlp.gate_proj.weight"),
            .up = find(prefix + "mlp.up_proj.weight"),
            .down = find(prefix + "mlp.down_proj.weight"),
        });
    }
}

void Decoder::make_rotations() {
    const at::NoGradGuard no_grad;
    const at::Tensor exponents =
        at::arange(0, config_.head_dim, 2, at::kDouble) / static_cast<double>(config_.head_dim);
    const at::Tensor frequencies = at::pow(config_.rope_theta, -exponents);
    const at::Tensor angles =
        at::outer(at::arange(config_.max_positions, at::kDouble), frequencies);
    cosines_ = angles.cos().to(at::kFloat);
    sines_ = angles.sin().to(at::kFloat);
}

at::Tensor Decoder::product(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias)
    const {
    const std::optional<at::Tensor> added =
        bias.defined() ? std::optional<at::Tensor>(bias) : std::nullopt;
    if (precision_ == Precision::kFloat32) {
        return at::linear(x, weight, added);
    }
    const auto cast = [](const at::Tensor& tensor) { return tensor.to(at::kBFloat16); };
    return at::linear(
        cast(x), cast(weight), added ? std::optional<at::Tensor>(cast(*added)) : std::nullopt
    );
}

at::Tensor Decoder::norm(const at::Tensor& x, const at::Tensor& weight) const {
    return at::rms_norm(x, {config_.hidden}, weight, config_.norm_epsilon);
}

bool Decoder::is_short(const at::Tensor& x, const Pass& pass) const {
    // For long prompts libtorch's blocked attention is faster than a plain loop.
    constexpr std::int64_t kLoopTokensMax = 64;
    return pass.cache != nullptr && precision_ == Precision::kFloat32 && x.device().is_cpu() &&
           x.size(1) <= kLoopTokensMax;
}

at::Tensor Decoder::cached_attention(
    std::size_t layer, const at::Tensor& asking, const at::Tensor& x, const Pass& pass
) const {
    const Block& block = blocks_[layer];
    const KvCache::Layer& cached = pass.cache->layers[layer];
    const std::vector<std::int64_t> none(pass.counts.size(), 0);
    const CachedAttention with{
        .heads = config_.heads,
        .kv_heads = config_.kv_heads,
        .head_dim = config_.head_dim,
        .cosines = cosines_,
        .sines = sines_,
        .cached_keys = cached.keys,
        .cached_values = cached.values,
        .starts = pass.appends ? std::span<const std::int64_t>(pass.cache->lengths) : none,
        .counts = pass.counts,
    };
    const at::Tensor joined = attend_cached(
        with,
        product(asking, block.q, block.q_bias),
        product(x, block.k, block.k_bias),
        product(x, block.v, block.v_bias)
    );
    return product(joined, block.o, {});
}

at::Tensor Decoder::attention(
    std::size_t layer, const at::Tensor& asking, const at::Tensor& x, const Pass& pass
) const {
    if (is_short(x, pass)) {
        return cached_attention(layer, asking, x, pass);
    }
    const Block& block = blocks_[layer];
    const auto rows = x.size(0);
    const auto length = x.size(1);
    const auto asked = asking.size(1);
    const auto split = [&](const at::Tensor& y, std::int64_t heads) {
        return y.view({rows, y.size(1), heads, config_.head_dim}).transpose(1, 2);
    };
    at::Tensor queries = split(product(asking, block.q, block.q_bias), config_.heads);
    at::Tensor keys = split(product(x, block.k, block.k_bias), config_.kv_heads);
    at::Tensor values = split(product(x, block.v, block.v_bias), config_.kv_heads);
    keys = rotate(keys, pass.cosines, pass.sines);
    at::Tensor mask = pass.mask;
    if (asked == length) {
        queries = rotate(queries, pass.cosines, pass.sines);
    } else {
        const at::Tensor at_ends = pass.ends.view({rows});
        const auto turned = [&](const at::Tensor& table) {
            return table.index({at_ends}).view({rows, 1, 1, config_.head_dim / 2});
        };
        queries = rotate(queries, turned(cosines_), turned(sines_));
        mask = at::arange(length, at_ends.options()).le(pass.ends.view({rows, 1, 1, 1}));
    }

    if (pass.cache != nullptr) {
        KvCache::Layer& cached = pass.cache->layers[layer];
        if (pass.appends) {
            const at::Tensor slots = pass.slots.expand_as(keys);
            cached.keys.scatter_(2, slots, keys);
            cached.values.scatter_(2, slots, values);
            keys = cached.keys.narrow(2, 0, pass.visible);
            values = cached.values.narrow(2, 0, pass.visible);
        } else {
            cached.keys.narrow(2, 0, length).copy_(keys);
            cached.values.narrow(2, 0, length).copy_(values);
        }
    }
    const std::int64_t group = config_.heads / config_.kv_heads;
    const bool causal = !mask.defined();
    const at::Tensor mixed = at::scaled_dot_product_attention(
        queries,
        repeat_heads(keys, group),
        repeat_heads(values, group),
        causal ? std::nullopt : std::optional<at::Tensor>(mask),
        0.0,
        causal
    );
    const at::Tensor joined =
        mixed.transpose(1, 2).reshape({rows, asked, config_.heads * config_.head_dim});
    return product(joined, block.o, {});
}

at::Tensor Decoder::feed_forward(const Block& block, const at::Tensor& x) const {
    const at::Tensor gate = at::silu(product(x, block.gate, {}));
    return product(gate * product(x, block.up, {}), block.down, {});
}

at::Tensor Decoder::run(const at::Tensor& ids, const Pass& pass) const {
    at::Tensor x = at::embedding(embedding_, ids);
    for (std::size_t layer = 0; layer < blocks_.size(); ++layer) {
        const at::Tensor normed = norm(x, blocks_[layer].input_norm);
        at::Tensor asking = normed;
        if (pass.ends.defined() && layer + 1 == blocks_.size()) {
            const at::Tensor ends = pass.ends.expand({x.size(0), 1, config_.hidden});
            x = x.gather(1, ends);
            asking = normed.gather(1, ends);
        }
        x = x + attention(layer, asking, normed, pass);
        x = x + feed_forward(blocks_[layer], norm(x, blocks_[layer].post_norm));
    }
    return norm(x, final_norm_);
}

Decoder::Pass Decoder::training_pass(const TokenBatch& batch) const {
    const auto length = batch.ids.size(1);
    NEXA_CHECK(length <= config_.max_positions);
    Pass pass;
    if (batch.positions.defined()) {
        pass.cosines = cosines_.index({batch.positions}).unsqueeze(1);
        pass.sines = sines_.index({batch.positions}).unsqueeze(1);
    } else {
        pass.cosines = cosines_.narrow(0, 0, length).unsqueeze(0).unsqueeze(0);
        pass.sines = sines_.narrow(0, 0, length).unsqueeze(0).unsqueeze(0);
    }
    if (batch.documents.defined()) {
        const at::Tensor same = batch.documents.unsqueeze(2).eq(batch.documents.unsqueeze(1));
        const at::Tensor past =
            at::ones({length, length}, batch.ids.options().dtype(at::kBool)).tril();
        pass.mask = same.logical_and(past).unsqueeze(1);
    }
    return pass;
}

at::Tensor Decoder::hidden_states(const TokenBatch& batch) const {
    NEXA_CHECK(batch.ids.dim() == 2);
    return run(batch.ids, training_pass(batch));
}

at::Tensor Decoder::logits(const at::Tensor& hidden) const {
    return product(hidden, head_, {}).to(at::kFloat);
}

Decoder::Prefilled Decoder::prefill(
    const at::Tensor& ids, std::span<const std::int64_t> lengths, std::int64_t capacity
) const {
    const at::NoGradGuard no_grad;
    const auto rows = ids.size(0);
    NEXA_CHECK(rows == static_cast<std::int64_t>(lengths.size()));
    NEXA_CHECK(ids.size(1) <= capacity && capacity <= config_.max_positions);
    const auto kind = precision_ == Precision::kFloat32 ? at::kFloat : at::kBFloat16;
    Prefilled result;
    result.cache.lengths.assign(lengths.begin(), lengths.end());
    for (std::size_t layer = 0; layer < blocks_.size(); ++layer) {
        const at::Tensor empty = at::zeros(
            {rows, config_.kv_heads, capacity, config_.head_dim}, embedding_.options().dtype(kind)
        );
        result.cache.layers.push_back({.keys = empty, .values = empty.clone()});
    }
    Pass pass = training_pass({.ids = ids, .positions = {}, .documents = {}});
    pass.cache = &result.cache;
    pass.counts = lengths;
    pass.ends = as_tensor(lengths, ids.device()).sub(1).view({rows, 1, 1});
    result.logits = logits(run(ids, pass).squeeze(1));
    return result;
}

at::Tensor Decoder::step(const at::Tensor& ids, KvCache& cache) const {
    const at::NoGradGuard no_grad;
    const auto rows = ids.size(0);
    NEXA_CHECK(rows == cache.rows() && rows > 0);
    const std::int64_t longest = *std::ranges::max_element(cache.lengths);
    NEXA_CHECK(longest < cache.layers.front().keys.size(2));
    const at::Tensor positions = as_tensor(cache.lengths, ids.device());
    Pass pass;
    pass.cosines = cosines_.index({positions}).view({rows, 1, 1, config_.head_dim / 2});
    pass.sines = sines_.index({positions}).view({rows, 1, 1, config_.head_dim / 2});
    pass.slots = positions.view({rows, 1, 1, 1});
    pass.visible = longest + 1;
    pass.mask = at::arange(pass.visible, positions.options()).le(pass.slots);
    pass.cache = &cache;
    const std::vector<std::int64_t> ones(cache.lengths.size(), 1);
    pass.counts = ones;
    pass.appends = true;
    const at::Tensor hidden = run(ids.unsqueeze(1), pass);
    for (std::int64_t& length : cache.lengths) {
        ++length;
    }
    return logits(hidden.squeeze(1));
}

}  // namespace nexa::nets
