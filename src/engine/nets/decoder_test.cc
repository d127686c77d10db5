// SPDX-License-Identifier: Apache-2.0
#include "engine/nets/decoder.h"

#include <ATen/ops/allclose.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include "engine/nets/loss.h"
#include "engine/nets/testing_internal.h"
#include "fakes/proves.h"

namespace nexa::nets {
namespace {

at::Tensor hidden_of(const Decoder& decoder, const at::Tensor& ids) {
    return decoder.hidden_states({.ids = ids, .positions = {}, .documents = {}});
}

TEST(Decoder, HasTheParametersThatItsConfigCounts) {
    for (const models::Family& family : models::kFamilies) {
        for (const bool tied : {false, true}) {
            models::ModelConfig config = test_config();
            config.family = &family;
            config.tied_embeddings = tied;
            const Result<Decoder> decoder = Decoder::create(config, 1);
            ASSERT_TRUE(decoder);
            std::int64_t count = 0;
            for (const Parameter& parameter : decoder->parameters()) {
                count += parameter.value.numel();
                EXPECT_TRUE(parameter.value.requires_grad()) << parameter.name;
            }
            EXPECT_EQ(count, config.parameter_count());
        }
    }
}

TEST(Decoder, OnlyMatricesDecay) {
    for (const Parameter& parameter : test_decoder().parameters()) {
        const bool matrix = parameter.value.dim() == 2 && !parameter.name.contains("embed");
        EXPECT_EQ(parameter.decays, matrix) << parameter.name;
    }
}

TEST(Decoder, TheSameSeedGivesTheSameWeightsAndAnotherSeedOthers) {
    NEXA_PROVES("A-47");
    const Decoder first = test_decoder(7);
    const Decoder same = test_decoder(7);
    const Decoder other = test_decoder(8);
    for (std::size_t i = 0; i < first.parameters().size(); ++i) {
        const Parameter& parameter = first.parameters()[i];
        EXPECT_TRUE(at::equal(parameter.value, same.parameters()[i].value)) << parameter.name;
        if (parameter.value.dim() == 2) {
            EXPECT_FALSE(at::equal(parameter.value, other.parameters()[i].value)) << parameter.name;
        }
    }
}

TEST(Decoder, RefusesAConfigThatDoesNotFit) {
    models::ModelConfig config = test_config();
    config.kv_heads = 3;
    const Result<Decoder> decoder = Decoder::create(config, 1);
    ASSERT_FALSE(decoder);
    EXPECT_EQ(decoder.error().param, "kv_heads");
}

TEST(Decoder, NoPositionSeesWhatComesAfterIt) {
    const Decoder decoder = test_decoder();
    const at::Tensor full = hidden_of(decoder, row_of({1, 2, 3, 4, 5, 6}));
    const at::Tensor changed = hidden_of(decoder, row_of({1, 2, 3, 9, 9, 9}));
    EXPECT_TRUE(at::allclose(full.narrow(1, 0, 3), changed.narrow(1, 0, 3), 1e-5, 1e-6));
    EXPECT_FALSE(at::allclose(full.narrow(1, 3, 3), changed.narrow(1, 3, 3), 1e-3, 1e-3));
}

TEST(Decoder, EveryPositionSeesWhatComesBeforeItAndWhere) {
    const Decoder decoder = test_decoder();
    const at::Tensor full = hidden_of(decoder, row_of({1, 2, 3, 4}));
    const at::Tensor first_changed = hidden_of(decoder, row_of({5, 2, 3, 4}));
    const at::Tensor swapped = hidden_of(decoder, row_of({2, 1, 3, 4}));
    EXPECT_FALSE(at::allclose(full.select(1, 3), first_changed.select(1, 3), 1e-3, 1e-3));
    EXPECT_FALSE(at::allclose(full.select(1, 3), swapped.select(1, 3), 1e-3, 1e-3));
}

TEST(Decoder, PackedDocumentsComputeWhatEachComputesAlone) {
    const Decoder decoder = test_decoder();
    const at::Tensor packed = decoder.hidden_states({
        .ids = row_of({1, 2, 3, 4, 5, 6, 7}),
        .positions = row_of({0, 1, 2, 0, 1, 2, 3}),
        .documents = row_of({0, 0, 0, 1, 1, 1, 1}),
    });
    const at::Tensor first = hidden_of(decoder, row_of({1, 2, 3}));
    const at::Tensor second = hidden_of(decoder, row_of({4, 5, 6, 7}));
    EXPECT_TRUE(at::allclose(packed, at::cat({first, second}, 1), 1e-4, 1e-5));
}

TEST(Decoder, Bfloat16StaysNearFloat32) {
    Decoder decoder = test_decoder();
    const at::Tensor ids = row_of({1, 2, 3, 4, 5, 6});
    const at::Tensor exact = decoder.logits(hidden_of(decoder, ids));
    decoder.set_precision(Precision::kBfloat16);
    const at::Tensor near = decoder.logits(hidden_of(decoder, ids));
    EXPECT_EQ(near.scalar_type(), at::kFloat);
    EXPECT_FALSE(at::equal(exact, near));
    EXPECT_TRUE(at::allclose(exact, near, 0.05, 0.05));
}

TEST(Decoder, Bfloat16LeavesFloat32Gradients) {
    Decoder decoder = test_decoder();
    decoder.set_precision(Precision::kBfloat16);
    const Targets targets{
        .positions = at::arange(5),
        .ids = at::tensor(std::vector<std::int64_t>{2, 3, 4, 5, 6}),
        .weights = at::tensor(std::vector<float>{1, 1, 1, 1, 1}),
    };
    summed_loss(
        decoder, {.ids = row_of({1, 2, 3, 4, 5, 6}), .positions = {}, .documents = {}}, targets
    )
        .backward();
    for (const Parameter& parameter : decoder.parameters()) {
        ASSERT_TRUE(parameter.value.grad().defined()) << parameter.name;
        EXPECT_EQ(parameter.value.grad().scalar_type(), at::kFloat) << parameter.name;
    }
}

TEST(Decoder, StepsOverTheCacheComputeWhatOnePassComputes) {
    const Decoder decoder = test_decoder();
    const std::vector<std::int64_t> lengths{3, 1};
    const at::Tensor prompts = at::tensor(std::vector<std::int64_t>{1, 2, 3, 4, 0, 0}).view({2, 3});
    auto [cache, logits] = decoder.prefill(prompts, lengths, 8);
    const at::Tensor first = decoder.step(at::tensor(std::vector<std::int64_t>{5, 6}), cache);
    const at::Tensor second = decoder.step(at::tensor(std::vector<std::int64_t>{7, 8}), cache);

    const at::Tensor row0 = decoder.logits(hidden_of(decoder, row_of({1, 2, 3, 5, 7})));
    const at::Tensor row1 = decoder.logits(hidden_of(decoder, row_of({4, 6, 8})));
    EXPECT_TRUE(at::allclose(logits[0], row0[0][2], 1e-4, 1e-5));
    EXPECT_TRUE(at::allclose(logits[1], row1[0][0], 1e-4, 1e-5));
    EXPECT_TRUE(at::allclose(first[0], row0[0][3], 1e-4, 1e-5));
    EXPECT_TRUE(at::allclose(first[1], row1[0][1], 1e-4, 1e-5));
    EXPECT_TRUE(at::allclose(second[0], row0[0][4], 1e-4, 1e-5));
    EXPECT_TRUE(at::allclose(second[1], row1[0][2], 1e-4, 1e-5));
    EXPECT_EQ(cache.lengths, (std::vector<std::int64_t>{5, 3}));
}

TEST(Decoder, CutIntoMicroBatchesTheLossAndGradientsAreTheSame) {
    const Decoder whole = test_decoder();
    const Decoder cut = test_decoder();
    const at::Tensor ids =
        at::tensor(std::vector<std::int64_t>{1, 2, 3, 4, 5, 6, 7, 8}).view({2, 4});
    const auto targets = [](std::vector<std::int64_t> positions, std::vector<std::int64_t> next) {
        const std::vector<float> ones(positions.size(), 1.0F);
        return Targets{at::tensor(positions), at::tensor(next), at::tensor(ones)};
    };
    const auto batch = [](const at::Tensor& rows) {
        return TokenBatch{.ids = rows, .positions = {}, .documents = {}};
    };
    at::Tensor loss = summed_loss(whole, batch(ids), targets({0, 1, 2, 6}, {2, 3, 4, 8})) / 4;
    loss.backward();
    const at::Tensor a =
        summed_loss(cut, batch(ids.narrow(0, 0, 1)), targets({0, 1, 2}, {2, 3, 4})) / 4;
    const at::Tensor b = summed_loss(cut, batch(ids.narrow(0, 1, 1)), targets({2}, {8})) / 4;
    a.backward();
    b.backward();
    EXPECT_NEAR(loss.item<double>(), a.item<double>() + b.item<double>(), 1e-6);
    for (std::size_t i = 0; i < whole.parameters().size(); ++i) {
        EXPECT_TRUE(at::allclose(
            whole.parameters()[i].value.grad(), cut.parameters()[i].value.grad(), 1e-4, 1e-6
        )) << whole.parameters()[i].name;
    }
}

}  // namespace
}  // namespace nexa::nets
