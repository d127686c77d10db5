// SPDX-License-Identifier: Apache-2.0
#include "engine/training/checkpoint.h"

#include <fstream>

#include <ATen/core/grad_mode.h>
#include <gmock/gmock.h>

#include "engine/nets/weights.h"
#include "engine/training/adamw.h"
#include "engine/training/seed.h"
#include "engine/training/testing_internal.h"

namespace nexa::training {
namespace {

namespace fs = std::filesystem;

class Checkpoint : public testing::Test {
protected:
    static TrainState some_state() {
        return {
            .step = 7,
            .seed = UINT64_MAX,
            .batch_size = 4,
            .examples = 100,
            .fingerprint = 0xFEDCBA9876543210,
            .tokens = 12345,
            .loss = 0.1,
            .smoother = {1.0 / 3.0, 2.5},
            .generator = generator_state(),
        };
    }

    static void fill_moments(const AdamW& optimizer, double value) {
        const at::NoGradGuard no_grad;
        for (const nets::Parameter& moment : optimizer.moments()) {
            at::Tensor tensor = moment.value;
            tensor.fill_(value);
        }
    }

    void replace_in_state(std::string_view from, std::string_view to) const {
        std::ifstream in(folder_ / "state.json");
        std::string text{std::istreambuf_iterator<char>(in), {}};
        text.replace(text.find(from), from.size(), to);
        std::ofstream(folder_ / "state.json") << text;
    }

    TemporaryFolder temporary_;
    fs::path folder_ = temporary_.path() / "step-00000007";
};

TEST_F(Checkpoint, WhatIsSavedLoadsBackBitForBit) {
    const nets::Decoder saved = tiny_decoder(1);
    const AdamW optimizer(saved.parameters(), {});
    fill_moments(optimizer, 0.1);
    ASSERT_TRUE(save_checkpoint(folder_, saved.parameters(), optimizer, some_state()));

    const nets::Decoder loaded = tiny_decoder(2);
    AdamW other(loaded.parameters(), {});
    const auto state = load_checkpoint(folder_, loaded.parameters(), other);
    ASSERT_TRUE(state) << state.error().to_string();
    EXPECT_EQ(*state, some_state());
    EXPECT_TRUE(same_weights(saved.parameters(), loaded.parameters()));
    EXPECT_TRUE(same_weights(optimizer.moments(), other.moments()));
    EXPECT_EQ(other.steps(), 7);
}

TEST_F(Checkpoint, IsAModelFolderWithTheFilesAdded) {
    const nets::Decoder decoder = tiny_decoder(1);
    const AdamW optimizer(decoder.parameters(), {});
    ASSERT_TRUE(save_checkpoint(
        folder_,
        decoder.parameters(),
        optimizer,
        some_state(),
        [&](const fs::path& fresh) {
            return nets::write_config(fresh, decoder.config(), nets::StoredAs::kFloat32);
        }
    ));
    const auto loaded = nets::load_decoder(folder_);
    ASSERT_TRUE(loaded) << loaded.error().to_string();
    EXPECT_TRUE(same_weights(loaded->parameters(), decoder.parameters()));
}

TEST_F(Checkpoint, AFailureToAddAFileKeepsTheOldCheckpoint) {
    const nets::Decoder decoder = tiny_decoder(1);
    AdamW optimizer(decoder.parameters(), {});
    ASSERT_TRUE(save_checkpoint(folder_, decoder.parameters(), optimizer, some_state()));
    TrainState later = some_state();
    later.tokens = 99999;
    EXPECT_FALSE(save_checkpoint(
        folder_,
        decoder.parameters(),
        optimizer,
        later,
        [](const fs::path&) -> Status { return Error::unavailable("disk full"); }
    ));
    const auto state = load_checkpoint(folder_, decoder.parameters(), optimizer);
    ASSERT_TRUE(state);
    EXPECT_EQ(state->tokens, some_state().tokens);
}

TEST_F(Checkpoint, OfAnotherModelIsRefused) {
    const nets::Decoder decoder = tiny_decoder(1);
    const AdamW optimizer(decoder.parameters(), {});
    ASSERT_TRUE(save_checkpoint(folder_, decoder.parameters(), optimizer, some_state()));
    models::ModelConfig config = decoder.config();
    config.ffn = 32;
    const nets::Decoder other = *nets::Decoder::create(config, 1);
    AdamW other_optimizer(other.parameters(), {});
    const auto state = load_checkpoint(folder_, other.parameters(), other_optimizer);
    ASSERT_FALSE(state);
    EXPECT_EQ(state.error().code, ErrorCode::kInvalidArgument);
}

TEST_F(Checkpoint, DamagedOrMissingIsAnErrorThatNamesIt) {
    const nets::Decoder decoder = tiny_decoder(1);
    AdamW optimizer(decoder.parameters(), {});
    const auto code = [&] {
        const auto state = load_checkpoint(folder_, decoder.parameters(), optimizer);
        EXPECT_FALSE(state);
        EXPECT_THAT(state.error().message, testing::HasSubstr("step-00000007"));
        return state.error().code;
    };
    EXPECT_EQ(code(), ErrorCode::kNotFound);
    const auto save = [&] {
        ASSERT_TRUE(save_checkpoint(folder_, decoder.parameters(), optimizer, some_state()));
    };
    save();
    fs::resize_file(folder_ / "model.safetensors", 100);
    EXPECT_EQ(code(), ErrorCode::kMalformed);
    save();
    fs::remove(folder_ / "optimizer.safetensors");
    EXPECT_EQ(code(), ErrorCode::kNotFound);
    for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
             {"\"step\"", "\"stop\""},
             {"\"step\": 7", "\"step\": -7"},
             {"\"step\": 7", "\"step\": \"7\""},
             {"\"format\": 1", "\"format\": 2"},
             {"\"weight\"", "\"w\""},
             {"\"generator\": \"", "\"generator\": \"xy"},
             {"\"generator\": \"", "\"generator\": \"0"},
             {"{", "["},
         }) {
        save();
        replace_in_state(from, to);
        EXPECT_EQ(code(), ErrorCode::kMalformed) << from;
    }
}

TEST_F(Checkpoint, TheNewestIsTheOneWithMostSteps) {
    const fs::path run = temporary_.path();
    EXPECT_EQ(*newest_checkpoint(run), std::nullopt);
    fs::create_directories(checkpoint_folder(run, 9));
    fs::create_directories(checkpoint_folder(run, 100'000'000));
    fs::create_directories(checkpoint_folder(run, 10));
    fs::create_directories(run / "step-x");
    fs::create_directories(run / "step-12.bak");
    EXPECT_EQ(**newest_checkpoint(run), checkpoint_folder(run, 100'000'000));
    ASSERT_TRUE(prune_checkpoints(run, 2));
    EXPECT_FALSE(fs::exists(checkpoint_folder(run, 9)));
    EXPECT_TRUE(fs::exists(checkpoint_folder(run, 10)));
    EXPECT_TRUE(fs::exists(run / "step-x"));
    ASSERT_TRUE(prune_checkpoints(run, 5));
    EXPECT_TRUE(fs::exists(checkpoint_folder(run, 10)));
}

}  // namespace
}  // namespace nexa::training
