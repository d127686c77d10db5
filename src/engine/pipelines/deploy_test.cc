// SPDX-License-Identifier: Apache-2.0
#include "engine/pipelines/deploy.h"

#include <ATen/Parallel.h>

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "core/file.h"
#include "core/json.h"
#include "core/value_node.h"
#include "engine/nets/weights.h"
#include "fakes/manual_clock.h"
#include "fakes/proves.h"
#include "models/text_codec.h"
#include "protocol/job_results.h"
#include "text/bpe_trainer.h"

namespace nexa::pipelines {
namespace {

namespace fs = std::filesystem;

class DeployTest : public ::testing::Test {
protected:
    void SetUp() override {
        at::set_num_threads(1);
        const std::vector<std::string_view> texts{"12+30=42", "hello there"};
        const auto format = text::ChatFormat::kChatMl;
        auto tokenizer = text::train_bpe(
            texts, {.vocabulary_size = 300, .special_tokens = text::special_tokens_of(format)}
        );
        codec = models::TextCodec::create(format, *std::move(tokenizer)).value();
        fs::create_directories(model);
    }

    models::ModelConfig config() const {
        return {
            .layers = 2,
            .hidden = 16,
            .heads = 4,
            .kv_heads = 2,
            .head_dim = 4,
            .ffn = 24,
            .vocab = codec->tokenizer().vocabulary_size(),
            .max_positions = 32,
        };
    }
    void write_checkpoint(
        const models::ModelConfig& sizes, nets::StoredAs stored = nets::StoredAs::kFloat32
    ) {
        const auto decoder = nets::Decoder::create(sizes, 1).value();
        ASSERT_TRUE(nets::export_decoder(model, decoder, stored));
        ASSERT_TRUE(codec->save(model));
    }
    Result<protocol::EngineResult> run(bool with_model = true) {
        fs::remove_all(dir.path() / "outputs");
        protocol::EngineSpec spec{
            .job_id = "job_1",
            .job_type = "deploy",
            .payload = {R"({"model_id":"ckpt_7","region":"us-east-1","name":"adder"})"},
        };
        if (with_model) {
            spec.inputs.push_back({.name = "model", .artifact_id = "ckpt_7", .kind = "checkpoint"});
        }
        Job job{
            .spec = spec,
            .dir = dir.path(),
            .events = events,
            .cancel = cancel.token(),
            .clock = clock
        };
        return run_deploy(job);
    }
    fs::path output(const std::string& name) const {
        return dir.path() / "outputs/deployment" / name;
    }

    TemporaryDirectory dir =
        TemporaryDirectory::create(fs::temp_directory_path(), "nexa-deploy-").value();
    fs::path model = dir.path() / "inputs/model";
    fakes::ManualClock clock;
    EventSink events{-1, clock};
    CancelSource cancel;
    std::optional<models::TextCodec> codec;
};

TEST_F(DeployTest, TheFolderLoadsAsTheSameModelAndHasAnswered) {
    NEXA_PROVES("T-103");
    write_checkpoint(config());
    const auto ended = run();
    ASSERT_TRUE(ended) << ended.error().to_string();
    ASSERT_EQ(ended->outputs.size(), 1U);
    EXPECT_EQ(ended->outputs[0].artifact_id, "dp_1");
    EXPECT_EQ(ended->outputs[0].kind, "deployment");
    EXPECT_EQ(ended->outputs[0].path, "deployment");
    EXPECT_EQ(ended->outputs[0].name, "adder");
    const auto result = from_json<protocol::DeployResult>(ended->result->text).value();
    EXPECT_EQ(result.deployment_id, "dp_1");
    EXPECT_EQ(result.inference_url, "");

    for (const char* name :
         {"model.safetensors",
          "config.json",
          "tokenizer.json",
          "tokenizer_config.json",
          "generation_config.json",
          "deployment.json"}) {
        EXPECT_TRUE(fs::is_regular_file(output(name))) << name;
    }
    const auto before = nets::load_decoder(model).value();
    const auto after = nets::load_decoder(output("")).value();
    EXPECT_EQ(after.config().parameter_count(), before.config().parameter_count());
    EXPECT_EQ(
        read_file(output("model.safetensors"), 1 << 26).value(),
        read_file(model / "model.safetensors", 1 << 26).value()
    );
    const auto settings = parse_json(read_file(output("generation_config.json"), 1000).value());
    EXPECT_EQ(settings->find("eos_token_id")->text, std::to_string(codec->end_id()));
}

TEST_F(DeployTest, TheCardTellsOfWhatItWasMadeAndHowItAnswered) {
    write_checkpoint(config());
    ASSERT_TRUE(run());
    const std::string text = read_file(output("deployment.json"), 1 << 16).value();
    const auto card = parse_json(text);
    ASSERT_TRUE(card);
    EXPECT_EQ(card->find("source")->text, "ckpt_7");
    EXPECT_EQ(card->find("region")->text, "us-east-1");
    EXPECT_EQ(card->find("name")->text, "adder");
    EXPECT_EQ(card->find("parameters")->text, std::to_string(config().parameter_count()));
    EXPECT_EQ(card->find("smoke_test")->find("prompt")->text, "Hello");
    EXPECT_NE(card->find("smoke_test")->find("tokens")->text, "0");
}

TEST_F(DeployTest, HalvedWeightsStayHalved) {
    write_checkpoint(config(), nets::StoredAs::kBfloat16);
    ASSERT_TRUE(run());
    EXPECT_EQ(
        fs::file_size(output("model.safetensors")), fs::file_size(model / "model.safetensors")
    );
}

TEST_F(DeployTest, AContextShorterThanThePromptIsNoObstacle) {
    auto sizes = config();
    sizes.max_positions = 3;
    write_checkpoint(sizes);
    const auto ended = run();
    EXPECT_TRUE(ended) << ended.error().to_string();
}

TEST_F(DeployTest, WeightsThatGiveNoNumbersAreRefused) {
    const auto decoder = nets::Decoder::create(config(), 1).value();
    for (const auto& parameter : decoder.parameters()) {
        parameter.value.detach().fill_(std::numeric_limits<float>::quiet_NaN());
    }
    ASSERT_TRUE(nets::export_decoder(model, decoder, nets::StoredAs::kFloat32));
    ASSERT_TRUE(codec->save(model));
    const auto ended = run();
    ASSERT_FALSE(ended);
    EXPECT_EQ(ended.error().code, ErrorCode::kInvalidArgument);
    EXPECT_NE(ended.error().message.find("not finite"), std::string::npos);
}

TEST_F(DeployTest, WhatIsMissingOrDoesNotFitIsNamed) {
    const auto none = run(false);
    EXPECT_EQ(none.error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(none.error().param, "model_id");

    EXPECT_EQ(run().error().code, ErrorCode::kNotFound);  // an empty folder

    write_checkpoint(config());
    fs::remove(model / "tokenizer.json");
    const auto wordless = run();
    EXPECT_EQ(wordless.error().code, ErrorCode::kNotFound);
    EXPECT_NE(wordless.error().message.find("tokenizer.json"), std::string::npos);

    auto small = config();
    small.vocab = 100;
    write_checkpoint(small);
    EXPECT_EQ(run().error().code, ErrorCode::kInvalidArgument);

    write_checkpoint(config());
    fs::resize_file(model / "model.safetensors", 1000);
    EXPECT_EQ(run().error().code, ErrorCode::kMalformed);
}

TEST_F(DeployTest, ACancelEndsIt) {
    write_checkpoint(config());
    cancel.cancel();
    EXPECT_EQ(run().error().code, ErrorCode::kCancelled);
}

}  // namespace
}  // namespace nexa::pipelines
