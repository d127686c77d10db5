// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>

#include "engine/nets/init_internal.h"
#include "engine/nets/seed.h"

namespace nexa::nets {
namespace {

/// Collects parameters in order.
class Maker {
public:
    explicit Maker(std::uint64_t seed) : seed_(seed) {}

    void embedding(
        const std::string& name, std::int64_t rows, std::int64_t columns, double deviation
    ) {
        add(name, normal(name, {rows, columns}, deviation), false);
    }

    /// [outputs, inputs], as Hugging Face stores a linear layer.
    void product(const std::string& name, std::int64_t outputs, std::int64_t inputs, double scale) {
        const double deviation = scale / std::sqrt(static_cast<double>(inputs));
        add(name, normal(name, {outputs, inputs}, deviation), true);
    }

    void norm(const std::string& name, std::int64_t size) { add(name, at::ones({size}), false); }
    void bias(const std::string& name, std::int64_t size) { add(name, at::zeros({size}), false); }

    Parameters take() { return std::move(parameters_); }

private:
    at::Tensor normal(const std::string& name, at::IntArrayRef shape, double deviation) const {
        at::Generator generator = at::detail::createCPUGenerator(derive_seed(seed_, name));
        at::Tensor values = at::empty(shape);
        values.normal_(0.0, deviation, generator);
        return values;
    }

    void add(const std::string& name, at::Tensor value, bool decays) {
        value.set_requires_grad(true);
        parameters_.push_back({.name = name, .value = std::move(value), .decays = decays});
    }

    std::uint64_t seed_;
    Parameters parameters_;
};

void add_block(Maker& maker, const models::ModelConfig& config, std::int64_t layer) {
    const std::string prefix = fmt::format("model.layers.{}.", layer);
    const std::int64_t queries = config.heads * config.head_dim;
    const std::int64_t keys = config.kv_heads * config.head_dim;
    // The residual stream sums two writers a layer; so scaled, its variance does not grow with
    // depth.
    const double writer = 1.0 / std::sqrt(2.0 * static_cast<double>(config.layers));

    maker.norm(prefix + "input_layernorm.weight", config.hidden);
    for (const auto& [name, width] : {std::pair{"q", queries}, {"k", keys}, {"v", keys}}) {
        const std::string projection = fmt::format("{}self_attn.{}_proj.", prefix, name);
        maker.product(projection + "weight", width, config.hidden, 1.0);
        if (config.family->attention_bias) {
            maker.bias(projection + "bias", width);
        }
    }
    maker.product(prefix + "self_attn.o_proj.weight", config.hidden, queries, writer);
    maker.norm(prefix + "post_attention_layernorm.weight", config.hidden);
    maker.product(prefix + "mlp.gate_proj.weight", config.ffn, config.hidden, 1.0);
    maker.product(prefix + "mlp.up_proj.weight", config.ffn, config.hidden, 1.0);
    maker.product(prefix + "mlp.down_proj.weight", config.hidden, config.ffn, writer);
}

}  // namespace

Parameters make_parameters(const models::ModelConfig& config, std::uint64_t seed) {
    Maker maker(seed);
    const double head = 1.0 / std::sqrt(static_cast<double>(config.hidden));
    maker.embedding(
        "model.embed_tokens.weight",
        config.vocab,
        config.hidden,
        config.tied_embeddings ? head : 0.02
    );
    for (std::int64_t layer = 0; layer < config.layers; ++layer) {
        add_block(maker, config, layer);
    }
    maker.norm("model.norm.weight", config.hidden);
    if (!config.tied_embeddings) {
        maker.product("lm_head.weight", config.vocab, config.hidden, 1.0);
    }
    return maker.take();
}

}  // namespace nexa::nets
