// SPDX-License-Identifier: Apache-2.0
#include "engine/nets/weights.h"

#include <fstream>

#include <ATen/ops/allclose.h>
#include <ATen/ops/equal.h>
#include <gmock/gmock.h>

#include "engine/nets/testing_internal.h"

namespace nexa::nets {
namespace {

class DecoderFolder : public testing::Test {
protected:
    void SetUp() override { std::filesystem::remove_all(folder_); }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    std::filesystem::path folder_ =
        std::filesystem::path(testing::TempDir()) /
        (std::string("nexa_nets_") + testing::UnitTest::GetInstance()->current_test_info()->name());
};

bool equal_weights(const Decoder& a, const Decoder& b) {
    return std::ranges::equal(a.parameters(), b.parameters(), [](const auto& x, const auto& y) {
        return x.name == y.name && at::equal(x.value, y.value);
    });
}

TEST_F(DecoderFolder, WhatIsExportedLoadsAsTheSameModel) {
    for (const models::Family& family : models::kFamilies) {
        models::ModelConfig config = test_config();
        config.family = &family;
        config.tied_embeddings = family.attention_bias;
        const Decoder decoder = *Decoder::create(config, 3);
        ASSERT_TRUE(export_decoder(folder_, decoder, StoredAs::kFloat32));
        const auto loaded = load_decoder(folder_);
        ASSERT_TRUE(loaded) << loaded.error().to_string();
        EXPECT_EQ(loaded->config(), config);
        EXPECT_TRUE(equal_weights(*loaded, decoder));
    }
}

TEST_F(DecoderFolder, HoldsTheNamesThatTransformersLooksFor) {
    ASSERT_TRUE(export_decoder(folder_, test_decoder(), StoredAs::kFloat32));
    const auto file = models::Safetensors::open(folder_ / "model.safetensors");
    ASSERT_TRUE(file);
    EXPECT_EQ(file->metadata().at("format"), "pt");
    for (const char* name :
         {"model.embed_tokens.weight",
          "model.layers.0.self_attn.q_proj.weight",
          "model.layers.1.mlp.down_proj.weight",
          "model.norm.weight",
          "lm_head.weight"}) {
        EXPECT_NE(file->find(name), nullptr) << name;
    }
}

TEST_F(DecoderFolder, InHalfPrecisionLoadsNearTheSameModel) {
    const Decoder decoder = test_decoder();
    for (const StoredAs stored_as : {StoredAs::kBfloat16, StoredAs::kFloat16}) {
        ASSERT_TRUE(export_decoder(folder_, decoder, stored_as));
        const auto loaded = load_decoder(folder_);
        ASSERT_TRUE(loaded);
        for (std::size_t i = 0; i < decoder.parameters().size(); ++i) {
            const at::Tensor& value = loaded->parameters()[i].value;
            EXPECT_EQ(value.scalar_type(), at::kFloat);
            EXPECT_TRUE(at::allclose(value, decoder.parameters()[i].value, 0.01, 0.001));
        }
    }
}

TEST_F(DecoderFolder, RefusesWeightsOfAnotherShapeAndKeepsItsOwn) {
    models::ModelConfig wider = test_config();
    wider.ffn = 32;
    ASSERT_TRUE(export_decoder(folder_, *Decoder::create(wider, 1), StoredAs::kFloat32));
    const auto file = models::Safetensors::open(folder_ / "model.safetensors");
    ASSERT_TRUE(file);
    const Decoder decoder = test_decoder(2);
    const Status loaded = load_parameters(*file, decoder.parameters());
    ASSERT_FALSE(loaded);
    EXPECT_EQ(loaded.error().code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(loaded.error().message, testing::HasSubstr("gate_proj"));
    EXPECT_TRUE(equal_weights(decoder, test_decoder(2)));
}

TEST_F(DecoderFolder, RefusesMissingAndLeftOverTensors) {
    models::ModelConfig deeper = test_config();
    deeper.layers = 3;
    const Decoder three = *Decoder::create(deeper, 1);
    ASSERT_TRUE(export_decoder(folder_, three, StoredAs::kFloat32));
    const auto large = models::Safetensors::open(folder_ / "model.safetensors");
    ASSERT_TRUE(large);
    const Decoder two = test_decoder();
    const Status left_over = load_parameters(*large, two.parameters());
    ASSERT_FALSE(left_over);
    EXPECT_THAT(left_over.error().message, testing::HasSubstr("no place"));

    std::filesystem::remove_all(folder_);
    ASSERT_TRUE(export_decoder(folder_, two, StoredAs::kFloat32));
    const auto small = models::Safetensors::open(folder_ / "model.safetensors");
    ASSERT_TRUE(small);
    const Status missing = load_parameters(*small, three.parameters());
    ASSERT_FALSE(missing);
    EXPECT_THAT(missing.error().message, testing::HasSubstr("model.layers.2."));
}

TEST_F(DecoderFolder, ATiedModelTakesAFileThatAlsoStoresItsHead) {
    ASSERT_TRUE(export_decoder(folder_, test_decoder(), StoredAs::kFloat32));
    const auto file = models::Safetensors::open(folder_ / "model.safetensors");
    ASSERT_TRUE(file);
    models::ModelConfig config = test_config();
    config.tied_embeddings = true;
    EXPECT_TRUE(load_parameters(*file, Decoder::create(config, 1)->parameters()));
}

TEST_F(DecoderFolder, RefusesIntegersWhereWeightsBelong) {
    std::filesystem::create_directories(folder_);
    const Decoder decoder = test_decoder();
    std::vector<models::TensorView> views;
    std::vector<std::vector<std::byte>> bytes;
    for (const Parameter& parameter : decoder.parameters()) {
        bytes.emplace_back(static_cast<std::size_t>(parameter.value.numel()) * 4);
        const auto sizes = parameter.value.sizes();
        views.push_back(
            {parameter.name, models::Dtype::kI32, {sizes.data(), sizes.size()}, bytes.back()}
        );
    }
    ASSERT_TRUE(models::write_safetensors(folder_ / "w", views));
    const auto file = models::Safetensors::open(folder_ / "w");
    ASSERT_TRUE(file);
    EXPECT_EQ(
        load_parameters(*file, decoder.parameters()).error().code, ErrorCode::kInvalidArgument
    );
}

TEST_F(DecoderFolder, SaysWhichFileIsMissing) {
    EXPECT_EQ(load_decoder(folder_).error().code, ErrorCode::kNotFound);
    ASSERT_TRUE(export_decoder(folder_, test_decoder(), StoredAs::kFloat32));
    std::filesystem::remove(folder_ / "model.safetensors");
    const auto loaded = load_decoder(folder_);
    EXPECT_EQ(loaded.error().code, ErrorCode::kNotFound);
    EXPECT_THAT(loaded.error().message, testing::HasSubstr("model.safetensors"));
}

TEST(ExportDecoder, AFolderThatCannotBeMadeIsAnError) {
    const Status exported = export_decoder("/proc/nexa", test_decoder(), StoredAs::kFloat32);
    ASSERT_FALSE(exported);
    EXPECT_EQ(exported.error().code, ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace nexa::nets
