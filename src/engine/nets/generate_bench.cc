// SPDX-License-Identifier: Apache-2.0
//
// Answers a second of a small model with random weights: prompts of 8 tokens, answers of 5, one
// thread. What a teacher's batch costs, and which batch is worth it.
#include "engine/nets/generate.h"

#include <ATen/Parallel.h>
#include <benchmark/benchmark.h>

#include "core/check.h"
#include "engine/nets/decoder.h"

namespace nexa::nets {
namespace {

constexpr models::ModelConfig kSmall{
    .layers = 3,
    .hidden = 128,
    .heads = 4,
    .kv_heads = 4,
    .head_dim = 32,
    .ffn = 344,
    .vocab = 260,
    .max_positions = 512,
    .tied_embeddings = true,
};

void answer_batches(benchmark::State& state) {
    at::set_num_threads(1);
    const Decoder decoder = Decoder::create(kSmall, 1).value();
    std::vector<std::vector<std::int64_t>> prompts(static_cast<std::size_t>(state.range(0)));
    for (std::size_t i = 0; i < prompts.size(); ++i) {
        for (std::size_t k = 0; k < 8; ++k) {
            prompts[i].push_back(static_cast<std::int64_t>((i * 31 + k * k * 7) % 260));
        }
    }
    const SamplingOptions options{
        .new_tokens_max = 5, .temperature = static_cast<double>(state.range(1)), .seed = 1
    };
    for ([[maybe_unused]] auto _ : state) {
        NEXA_CHECK(generate(decoder, prompts, options).has_value());
    }
    state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(answer_batches)
    ->ArgNames({"prompts", "sampled"})
    ->ArgsProduct({{1, 64, 256, 512, 1024}, {0, 1}})
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace nexa::nets
