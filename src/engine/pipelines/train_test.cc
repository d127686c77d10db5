// SPDX-License-Identifier: Apache-2.0
#include "engine/pipelines/train.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/nets/weights.h"
#include "engine/pipelines/job_folder_test_internal.h"
#include "fakes/proves.h"
#include "models/text_codec.h"
#include "protocol/job_results.h"

#include "core/run_manifest.h"

namespace nexa::pipelines {
namespace {

using protocol::TrainResult;
using testing::HasSubstr;

constexpr std::string_view kShort =
    R"({"dataset_uri":"ds_1","model_id":"nexa-tiny","epochs":1,"max_steps":6,"batch_size":8,)"
    R"("max_seq_len":64,"vocab_size":280,"checkpoint_every":2,"learning_rate":0.003})";

std::string sums(int from, int until) {
    std::string text;
    for (int a = from; a < until; ++a) {
        text += fmt::format("{{\"prompt\":\"{}+{}=\",\"answer\":\"{}\"}}\n", a, a + 1, 2 * a + 1);
    }
    return text;
}

void add_sums(JobFolder& job) {
    const auto folder = job.add_input("dataset", "dataset");
    job.add_file(folder / "train.jsonl", sums(0, 100));
    job.add_file(folder / "validation.jsonl", sums(100, 120));
    job.add_file(folder / "test.jsonl", sums(120, 140));
}

std::string weights_of(const JobFolder& job) {
    return job.bytes_of(job.output("checkpoint") / "model.safetensors");
}

TEST(Train, MakesAModelThatLoadsWithItsTokenizer) {
    NEXA_PROVES("A-14");
    JobFolder job;
    add_sums(job);
    const Status ended = job.run("train", kShort);
    ASSERT_TRUE(ended) << ended.error().to_string();

    const auto trained = job.result_as<TrainResult>();
    EXPECT_EQ(trained.checkpoint_id, "ckpt_1");
    EXPECT_EQ(trained.steps, 6);
    EXPECT_GT(trained.metrics.at("validation_loss"), 0);
    EXPECT_EQ(job.result().usage.trained_tokens > 0, true);
    const auto folder = job.output("checkpoint");
    const auto decoder = nets::load_decoder(folder);
    ASSERT_TRUE(decoder) << decoder.error().to_string();
    EXPECT_EQ(decoder->config().parameter_count(), trained.parameters);
    const auto codec = models::TextCodec::load(folder);
    ASSERT_TRUE(codec) << codec.error().to_string();
    EXPECT_EQ(codec->tokenizer().encode("4711").size(), 4U) << "digits stand alone";
    const auto manifest = RunManifest::load(folder / "run_manifest.json");
    ASSERT_TRUE(manifest) << manifest.error().to_string();
    EXPECT_EQ(manifest->run_id, "job_1");
    EXPECT_EQ(manifest->metrics.at("loss"), trained.metrics.at("loss"));
    EXPECT_THAT(job.bytes_of(folder / "train_metrics.jsonl"), HasSubstr("{\"step\":6,"));
}

TEST(Train, GoesOnFromItsCheckpointAndEndsWithTheSameBytes) {
    JobFolder whole;
    add_sums(whole);
    ASSERT_TRUE(whole.run("train", kShort));

    JobFolder resumed;
    add_sums(resumed);
    ASSERT_TRUE(resumed.run("train", kShort));
    // As a kill between the checkpoints of step 4 and 6 would leave it.
    std::filesystem::remove_all(resumed.dir.path() / "work/checkpoints/step-00000006");
    std::filesystem::remove_all(resumed.dir.path() / "outputs");
    std::filesystem::remove(resumed.dir.path() / "result.json");
    const Status ended = resumed.run("train", kShort);
    ASSERT_TRUE(ended) << ended.error().to_string();

    EXPECT_EQ(weights_of(resumed), weights_of(whole));
    const std::string log = resumed.bytes_of(resumed.output("checkpoint") / "train_metrics.jsonl");
    EXPECT_EQ(
        std::ranges::count(log, '\n'),
        std::ranges::count(whole.bytes_of(whole.output("checkpoint") / "train_metrics.jsonl"), '\n')
    );
}

TEST(Train, IsTheSameForTheSameSeedAndAnotherForAnother) {
    std::vector<std::string> weights;
    for (const int seed : {1, 1, 2}) {
        JobFolder job;
        add_sums(job);
        std::string spec(kShort);
        spec.replace(spec.find("\"epochs\":1"), 10, fmt::format("\"seed\":{},\"epochs\":1", seed));
        ASSERT_TRUE(job.run("train", spec));
        weights.push_back(weights_of(job));
    }
    EXPECT_EQ(weights[0], weights[1]);
    EXPECT_NE(weights[0], weights[2]);
}

TEST(Train, FineTunesAModelWithItsOwnTokenizer) {
    JobFolder first;
    add_sums(first);
    ASSERT_TRUE(first.run("train", kShort));

    JobFolder second;
    add_sums(second);
    second.add_input_from("model", "checkpoint", first.output("checkpoint"));
    std::string spec(kShort);
    spec.replace(spec.find("nexa-tiny"), 9, "ckpt_1");
    const Status ended = second.run("train", spec);
    ASSERT_TRUE(ended) << ended.error().to_string();
    EXPECT_NE(weights_of(second), weights_of(first));
    EXPECT_EQ(
        second.bytes_of(second.output("checkpoint") / "tokenizer.json"),
        first.bytes_of(first.output("checkpoint") / "tokenizer.json")
    );
}

TEST(Train, LearnsTextAndSaysBitsPerByte) {
    JobFolder job;
    std::string text;
    for (int i = 0; i < 2000; ++i) {
        text += fmt::format("The {}th line of a long and rather regular text.\n\n", i % 7);
    }
    job.add_file(job.add_input("dataset", "dataset") / "book.txt", text);
    std::string spec(kShort);
    spec.replace(spec.find("\"max_steps\":6"), 13, "\"max_steps\":40");
    spec.replace(spec.find("\"epochs\":1"), 10, "\"epochs\":30");
    const Status ended = job.run("train", spec);
    ASSERT_TRUE(ended) << ended.error().to_string();
    const auto trained = job.result_as<TrainResult>();
    EXPECT_GT(trained.metrics.at("bits_per_byte_before"), 1.0);
    EXPECT_LT(
        trained.metrics.at("bits_per_byte_after"), 0.8 * trained.metrics.at("bits_per_byte_before")
    );
}

TEST(Train, ConversationsGetTurnMarks) {
    JobFolder job;
    std::string rows;
    for (int i = 0; i < 40; ++i) {
        rows += fmt::format(
            R"({{"messages":[{{"role":"user","content":"hi {0}"}},{{"role":"assistant","content":"yes"}},)"
            R"({{"role":"user","content":"more"}},{{"role":"assistant","content":"{0}"}}]}})"
            "\n",
            i
        );
    }
    job.add_file(job.add_input("dataset", "dataset") / "chat.jsonl", rows);
    const Status ended = job.run("train", kShort);
    ASSERT_TRUE(ended) << ended.error().to_string();
    const auto codec = models::TextCodec::load(job.output("checkpoint"));
    EXPECT_EQ(codec->chat().format(), text::ChatFormat::kChatMl);
}

TEST(Train, CountsRowsThatAreTooLongAndRefusesOnlySuch) {
    JobFolder job;
    const auto folder = job.add_input("dataset", "dataset");
    job.add_file(
        folder / "train.jsonl",
        sums(0, 30) + R"({"prompt":"long","answer":")" + std::string(500, '7') + "\"}\n"
    );
    job.add_file(folder / "test.jsonl", sums(30, 40));
    ASSERT_TRUE(job.run("train", kShort));
    EXPECT_EQ(job.result_as<TrainResult>().metrics.at("rows_too_long"), 1);

    JobFolder only_long;
    const auto other = only_long.add_input("dataset", "dataset");
    only_long.add_file(
        other / "train.jsonl", R"({"prompt":"p","answer":")" + std::string(500, '7') + "\"}\n"
    );
    only_long.add_file(other / "test.jsonl", sums(30, 40));
    const Status ended = only_long.run("train", kShort);
    ASSERT_FALSE(ended);
    EXPECT_EQ(ended.error().code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(ended.error().to_string(), HasSubstr("longer than 64 tokens"));
}

TEST(Train, AnUnknownModelIsAnsweredWithTheNearName) {
    JobFolder job;
    add_sums(job);
    std::string spec(kShort);
    spec.replace(spec.find("nexa-tiny"), 9, "nexa-tny");
    const Status ended = job.run("train", spec);
    EXPECT_EQ(ended.error().code, ErrorCode::kNotFound);
    EXPECT_THAT(ended.error().to_string(), HasSubstr("nexa-tiny"));
    EXPECT_EQ(job.result().error->param, "model_id");
}

TEST(Train, ATokenizerThatIsNotThereIsRefused) {
    JobFolder job;
    add_sums(job);
    std::string spec(kShort);
    spec.replace(spec.find("\"epochs\":1"), 10, R"("tokenizer":"x.json","epochs":1)");
    EXPECT_EQ(job.run("train", spec).error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(job.result().error->param, "tokenizer");
}

TEST(Train, ACancelledJobEndsAsSuchAndLeavesNoOutput) {
    JobFolder job;
    add_sums(job);
    job.cancel.cancel();
    EXPECT_EQ(job.run("train", kShort).error().code, ErrorCode::kCancelled);
    EXPECT_FALSE(std::filesystem::exists(job.output("checkpoint") / "model.safetensors"));
}

TEST(Train, ABrokenRowIsNamed) {
    JobFolder job;
    const auto folder = job.add_input("dataset", "dataset");
    job.add_file(folder / "train.jsonl", sums(0, 10) + "{\"prompt\": 1\n");
    job.add_file(folder / "test.jsonl", sums(30, 40));
    EXPECT_EQ(job.run("train", kShort).error().code, ErrorCode::kMalformed);
    EXPECT_THAT(job.result().error->param, HasSubstr("train.jsonl:11"));
}

}  // namespace
}  // namespace nexa::pipelines
