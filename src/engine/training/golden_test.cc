// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <fstream>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "engine/training/adamw.h"
#include "engine/training/language_objective.h"
#include "engine/training/testing_internal.h"

namespace nexa::training {
namespace {

using Json = nlohmann::json;

Json read_golden() {
    std::ifstream in("tests/golden/llama_tiny/golden.json");
    return Json::parse(in, nullptr, false);
}

/// The formulas of make_golden.py.
void set_weights(const nets::Decoder& decoder) {
    const at::NoGradGuard no_grad;
    for (std::size_t number = 0; number < decoder.parameters().size(); ++number) {
        const nets::Parameter& parameter = decoder.parameters()[number];
        at::Tensor value = parameter.value;
        const at::Tensor index = at::arange(value.numel(), at::kDouble);
        at::Tensor values = (index * 0.7 + static_cast<double>(number + 1)).sin() * 0.3;
        if (parameter.name.contains("norm")) {
            values += 1.0;
        }
        value.copy_(values.view(value.sizes()));
    }
}

ExampleSet golden_examples(bool packed) {
    constexpr std::int32_t kRows = 3;
    constexpr std::int32_t kLength = 10;
    ExampleSet set;
    for (std::int32_t row = 0; row < kRows; ++row) {
        std::vector<std::int32_t> tokens;
        for (std::int32_t t = 0; t < kLength; ++t) {
            tokens.push_back((7 * row + 3 * t + t * t) % 20);
        }
        std::vector<float> weights(kLength, 1.0F);
        std::vector<std::int32_t> starts{0};
        if (packed) {
            weights.back() = 0.5F;
            starts.push_back(3 + row);
        }
        EXPECT_TRUE(set.add(tokens, weights, starts));
    }
    return set;
}

void expect_gradients(const nets::Parameters& parameters, const Json& expected, double share) {
    for (const nets::Parameter& parameter : parameters) {
        ASSERT_TRUE(expected.contains(parameter.name)) << parameter.name;
        const Json& golden = expected[parameter.name];
        const at::Tensor gradient = parameter.value.grad().flatten().to(at::kDouble);
        const double norm = golden["norm"];
        EXPECT_NEAR(gradient.norm().item<double>(), norm, share * norm) << parameter.name;
        for (std::size_t i = 0; i < golden["first"].size(); ++i) {
            const double value = golden["first"][i];
            EXPECT_NEAR(gradient[static_cast<std::int64_t>(i)].item<double>(), value, share * norm)
                << parameter.name << " " << i;
        }
    }
    EXPECT_EQ(parameters.size(), expected.size());
}

nets::Decoder golden_decoder(const Json& golden, bool tied) {
    models::ModelConfig config = tiny_decoder(0).config();
    config.tied_embeddings = tied;
    EXPECT_EQ(config.hidden, golden["config"]["hidden"]);
    EXPECT_EQ(config.norm_epsilon, golden["config"]["norm_epsilon"]);
    EXPECT_EQ(config.rope_theta, golden["config"]["rope_theta"]);
    nets::Decoder decoder = *nets::Decoder::create(config, 0);
    set_weights(decoder);
    return decoder;
}

TEST(Golden, LossesAndGradientsOfTwoStepsEqualPyTorchs) {
    const Json golden = read_golden();
    ASSERT_TRUE(golden.is_object()) << "run from the root of the checkout";
    const Json& adamw = golden["adamw"];
    for (const Json& expected : golden["cases"]) {
        SCOPED_TRACE(
            fmt::format("tied {} packed {}", expected["tied"].dump(), expected["packed"].dump())
        );
        const nets::Decoder decoder = golden_decoder(golden, expected["tied"]);
        const ExampleSet examples = golden_examples(expected["packed"]);
        const auto objective = *LanguageObjective::create(decoder, examples);
        AdamW optimizer(
            decoder.parameters(),
            {adamw["beta1"], adamw["beta2"], adamw["epsilon"], adamw["weight_decay"]}
        );
        const std::vector<std::size_t> all{0, 1, 2};
        const auto loss = [&] { return objective->loss_sum(all) / objective->weight(all); };
        // AdamW's first update is nearly the sign of each gradient, so rounding of those near zero
        // shows in the second step: 5e-5 of the norm between PyTorch's own float32 and float64.
        double share = 1e-5;
        for (const Json& step : expected["steps"]) {
            const at::Tensor mean = loss();
            EXPECT_NEAR(mean.item<double>(), step["loss"], 2e-6);
            mean.backward();
            expect_gradients(decoder.parameters(), step["gradients"], share);
            share = 1e-4;
            optimizer.step(adamw["learning_rate"]);
            optimizer.clear_gradients();
        }
        EXPECT_NEAR(loss().item<double>(), expected["final_loss"], 5e-6);
    }
}

}  // namespace
}  // namespace nexa::training
