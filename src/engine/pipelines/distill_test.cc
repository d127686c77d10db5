// SPDX-License-Identifier: Apache-2.0
#include "engine/pipelines/distill.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/columnar/dataset_reader.h"
#include "engine/pipelines/answer_selection.h"
#include "engine/pipelines/cached_teacher.h"
#include "engine/pipelines/job_folder_test_internal.h"
#include "engine/pipelines/llm_worker_test_internal.h"
#include "engine/pipelines/row_meta.h"
#include "protocol/job_results.h"

namespace nexa::pipelines {
namespace {

using columnar::SourceRow;
using testing::HasSubstr;

SourceRow sum_row(std::string prompt, std::string answer, std::string order = "forward") {
    return {
        .row =
            data::PromptCompletionRow{.prompt = std::move(prompt), .completion = std::move(answer)},
        .meta = {{"domain", "arithmetic"}, {"answer_order", std::move(order)}},
    };
}

Answer said(std::string text, bool complete = true) {
    return {.text = std::move(text), .complete = complete};
}

TEST(SelectAnswer, TheVerifierTakesTheFirstThatIsRight) {
    const std::vector<Answer> answers{said("41"), said("42", false), said(" 42\n"), said("42")};
    EXPECT_EQ(select_answer(sum_row("12+30=", ""), answers, Selection::kVerifier)->answer, 2U);
    const std::vector<Answer> wrong{said("41")};
    const auto none = select_answer(sum_row("12+30=", ""), wrong, Selection::kVerifier);
    EXPECT_FALSE(none->answer);
    EXPECT_EQ(none->reason, "no answer is right");
}

TEST(SelectAnswer, ReversedAnswersAreReadAsSuch) {
    const std::vector<Answer> answers{said("42"), said("24")};
    EXPECT_EQ(
        select_answer(sum_row("12+30=", "", "reversed"), answers, Selection::kVerifier)->answer, 1U
    );
}

TEST(SelectAnswer, TheMajorityWinsAndOfEqualsTheFirst) {
    const SourceRow row = sum_row("12+30=", "");
    const std::vector<Answer> answers{said("7"), said("8"), said("8 "), said("9", false)};
    EXPECT_EQ(select_answer(row, answers, Selection::kMajority)->answer, 1U);
    const std::vector<Answer> equals{said("7"), said("8")};
    EXPECT_EQ(select_answer(row, equals, Selection::kMajority)->answer, 0U);
}

TEST(SelectAnswer, WhatDidNotEndIsNeverKept) {
    const std::vector<Answer> cut{said("42", false), said("  ")};
    for (const Selection selection :
         {Selection::kVerifier, Selection::kMajority, Selection::kFirst}) {
        EXPECT_FALSE(select_answer(sum_row("12+30=", "42"), cut, selection)->answer);
    }
}

TEST(SelectAnswer, WithoutAnythingToCheckByAVerifierIsRefused) {
    const SourceRow row{.row = data::PromptCompletionRow{.prompt = "why?", .completion = ""}};
    const std::vector<Answer> answers{said("because")};
    const auto selected = select_answer(row, answers, Selection::kVerifier);
    ASSERT_FALSE(selected);
    EXPECT_EQ(selected.error().param, "selection");
}

/// Answers with the question and its seed, and counts.
class Parrot final : public Teacher {
public:
    Result<std::vector<Answer>> answer(std::span<const Question> questions) override {
        std::vector<Answer> answers;
        for (const Question& question : questions) {
            ++asked;
            answers.push_back(
                said(fmt::format("{}#{}", question.messages.back().content, question.seed))
            );
        }
        return answers;
    }
    std::string identity() const override { return name; }

    std::string name = "parrot";
    int asked = 0;
};

class CachedTeacherFile : public ::testing::Test {
protected:
    std::vector<Question> questions{
        {.messages = {{"user", "a"}}, .seed = 1}, {.messages = {{"user", "b"}}, .seed = 2}
    };
    TemporaryDirectory folder =
        TemporaryDirectory::create(std::filesystem::temp_directory_path()).value();
    std::filesystem::path path = folder.path() / "teacher_cache.jsonl";
    Parrot parrot;
};

TEST_F(CachedTeacherFile, NothingIsAskedTwiceAcrossTries) {
    const auto first = CachedTeacher::open(parrot, {}, path)->answer(std::span(questions).first(1));
    ASSERT_TRUE(first);
    auto again = CachedTeacher::open(parrot, {}, path);
    ASSERT_TRUE(again) << again.error().to_string();
    const auto both = again->answer(questions);
    ASSERT_TRUE(both);
    EXPECT_EQ((*both)[0], (*first)[0]);
    EXPECT_EQ((*both)[1].text, "b#2");
    EXPECT_EQ(parrot.asked, 2);
    EXPECT_EQ(again->counts().found, 1);
}

TEST_F(CachedTeacherFile, AnotherTeacherSeedOrTemperatureAsksAnew) {
    ASSERT_TRUE(CachedTeacher::open(parrot, {}, path)->answer(questions));
    ASSERT_TRUE(CachedTeacher::open(parrot, {.temperature = 1}, path)->answer(questions));
    EXPECT_EQ(parrot.asked, 4);
    questions[0].seed = 9;
    ASSERT_TRUE(CachedTeacher::open(parrot, {}, path)->answer(questions));
    EXPECT_EQ(parrot.asked, 5);
    parrot.name = "another";
    ASSERT_TRUE(CachedTeacher::open(parrot, {}, path)->answer(questions));
    EXPECT_EQ(parrot.asked, 7);
}

TEST_F(CachedTeacherFile, ALineThatWasCutOffIsAskedAgainAndAWrongOneIsNamed) {
    ASSERT_TRUE(CachedTeacher::open(parrot, {}, path)->answer(questions));
    std::string text = read_file(path, 1 << 20).value();
    ASSERT_TRUE(write_file_atomically(path, text.substr(0, text.size() - 5)));
    ASSERT_TRUE(CachedTeacher::open(parrot, {}, path)->answer(questions));
    EXPECT_EQ(parrot.asked, 3);
    ASSERT_TRUE(write_file_atomically(path, "{\"key\":1}\n"));
    EXPECT_THAT(
        CachedTeacher::open(parrot, {}, path).error().to_string(),
        HasSubstr("teacher_cache.jsonl:1")
    );
}

/// A teacher that has been trained for a moment: its answers are answers, right or wrong.
const JobFolder& trained() {
    static JobFolder job;
    static const bool done = [] {
        std::string rows;
        for (int a = 0; a < 200; ++a) {
            rows += fmt::format("{{\"prompt\":\"{}=\",\"answer\":\"7\"}}\n", a);
        }
        const auto folder = job.add_input("dataset", "dataset");
        job.add_file(folder / "train.jsonl", rows);
        job.add_file(folder / "validation.jsonl", "{\"prompt\":\"900=\",\"answer\":\"7\"}\n");
        return job
            .run(
                "train",
                R"({"dataset_uri":"ds_1","model_id":"nexa-tiny","epochs":50,"max_steps":60,)"
                R"("batch_size":32,"max_seq_len":32,"vocab_size":280,"learning_rate":0.01})"
            )
            .has_value();
    }();
    EXPECT_TRUE(done);
    return job;
}

void add_teacher_and_prompts(JobFolder& job) {
    job.add_input_from("teacher", "checkpoint", trained().output("checkpoint"));
    const auto folder = job.add_input("dataset", "dataset");
    std::string rows;
    for (int a = 0; a < 60; ++a) {
        rows += fmt::format(
            R"({{"prompt":"{}=","answer":"{}","meta":{{"kind":"k"}}}})"
            "\n",
            a % 50,
            a < 25 ? 7 : 8
        );
    }
    job.add_file(folder / "train.jsonl", rows);
    job.add_file(folder / "validation.jsonl", "{\"prompt\":\"900=\",\"answer\":\"5\"}\n");
    job.add_file(folder / "test.jsonl", "{\"prompt\":\"901=\",\"answer\":\"6\"}\n");
}

constexpr std::string_view kSpec =
    R"({"dataset_uri":"ds_1","teacher":"ckpt_1","samples_per_prompt":2,"temperature":0,)"
    R"("max_new_tokens":4,"seed":3})";

std::vector<SourceRow> rows_of(const std::filesystem::path& folder, data::Split split) {
    auto reader = columnar::DatasetReader::open(folder, {.split = split});
    EXPECT_TRUE(reader) << reader.error().to_string();
    std::vector<SourceRow> rows;
    for (auto row = reader->next(); row && *row; row = reader->next()) {
        rows.push_back(**row);
    }
    return rows;
}

TEST(Distill, KeepsWhatIsRightAndCarriesTheHeldOutRowsOver) {
    JobFolder job;
    add_teacher_and_prompts(job);
    const Status ended = job.run("distill", kSpec);
    ASSERT_TRUE(ended) << ended.error().to_string();
    const auto result = job.result_as<protocol::DistillResult>();
    EXPECT_EQ(result.distilled_dataset_id, "ds_1");
    EXPECT_EQ(result.counts.at("prompts"), 50);
    EXPECT_EQ(result.counts.at("repeated_prompts"), 10);
    EXPECT_EQ(result.counts.at("samples"), 100);
    EXPECT_EQ(result.counts.at("accepted"), 25) << "the teacher says 7 to everything";
    EXPECT_EQ(result.counts.at("rejected"), 25);
    EXPECT_GT(result.estimated_tokens, 0);
    const auto folder = job.output("distill");
    const auto train = rows_of(folder, data::Split::kTrain);
    ASSERT_EQ(train.size(), 25U);
    EXPECT_EQ(columnar::answer_of(train[0].row), "7");
    EXPECT_EQ(meta_of(train[0].meta, "kind"), "k");
    const auto test = rows_of(folder, data::Split::kTest);
    ASSERT_EQ(test.size(), 1U);
    EXPECT_EQ(columnar::answer_of(test[0].row), "6") << "its own, not the teacher's";
    EXPECT_THAT(job.bytes_of(folder / "rejected.jsonl"), HasSubstr("no answer is right"));
}

TEST(Distill, ASecondTryAsksNothingTwiceAndGivesTheSameBytes) {
    JobFolder job;
    add_teacher_and_prompts(job);
    ASSERT_TRUE(job.run("distill", kSpec));
    const std::string first = job.bytes_of(job.output("distill") / "train.parquet");
    std::filesystem::remove_all(job.dir.path() / "outputs");
    ASSERT_TRUE(job.run("distill", kSpec));
    EXPECT_EQ(job.bytes_of(job.output("distill") / "train.parquet"), first);
    EXPECT_EQ(job.result_as<protocol::DistillResult>().counts.at("from_cache"), 100);
}

TEST(Distill, ReversedAnswersAreForArithmeticAlone) {
    JobFolder job;
    add_teacher_and_prompts(job);
    std::string spec(kSpec);
    spec.insert(1, R"("reverse_answer":true,"selection":"first",)");
    EXPECT_EQ(job.run("distill", spec).error().param, "reverse_answer");

    JobFolder sums;
    sums.add_input_from("teacher", "checkpoint", trained().output("checkpoint"));
    const auto folder = sums.add_input("dataset", "dataset");
    const std::string meta = R"(,"meta":{"domain":"arithmetic","answer_order":"forward"}})";
    sums.add_file(folder / "train.jsonl", "{\"prompt\":\"3+4=\",\"answer\":\"7\"" + meta + "\n");
    sums.add_file(folder / "test.jsonl", "{\"prompt\":\"9+9=\",\"answer\":\"18\"" + meta + "\n");
    ASSERT_TRUE(sums.run("distill", spec)) << sums.result().error->message;
    const auto test = rows_of(sums.output("distill"), data::Split::kTest);
    EXPECT_EQ(columnar::answer_of(test[0].row), "81");
    EXPECT_EQ(meta_of(test[0].meta, "answer_order"), "reversed");
}

TEST(Distill, ATeacherThatIsNotThereIsSaidAndHowToGetOne) {
    JobFolder job;
    job.add_file(
        job.add_input("dataset", "dataset") / "train.jsonl", "{\"prompt\":\"a\",\"answer\":\"b\"}\n"
    );
    const Status ended = job.run("distill", R"({"dataset_uri":"ds_1","teacher":"openai/gpt-x"})");
    EXPECT_EQ(ended.error().code, ErrorCode::kNotFound);
    EXPECT_THAT(ended.error().to_string(), HasSubstr("openai/gpt-x"));
    EXPECT_THAT(ended.error().to_string(), HasSubstr("worker's operator"));
}

TEST(Distill, ConversationsThatEndInTheSameQuestionAreAllAsked) {
    JobFolder job;
    FakeLlmWorker worker(job.dir.path(), [](const protocol::LlmRequest& request) {
        return protocol::LlmReply{
            .id = request.id, .choices = {{.text = request.messages.front().content}}
        };
    });
    const auto chat = [](std::string_view about, std::string_view answer) {
        return fmt::format(
            R"({{"messages":[{{"role":"user","content":"{}"}},)"
            R"({{"role":"assistant","content":"Well."}},)"
            R"({{"role":"user","content":"Why?"}},{{"role":"assistant","content":"{}"}}]}})"
            "\n",
            about,
            answer
        );
    };
    const auto folder = job.add_input("dataset", "dataset");
    job.add_file(folder / "train.jsonl", chat("rain", "a") + chat("snow", "b") + chat("rain", "c"));
    job.add_file(folder / "test.jsonl", chat("hail", "d"));
    const Status ended =
        job.run("distill", R"({"dataset_uri":"ds_1","teacher":"a/b","selection":"first"})");
    ASSERT_TRUE(ended) << ended.error().to_string();
    const auto train = rows_of(job.output("distill"), data::Split::kTrain);
    ASSERT_EQ(train.size(), 2U);
    EXPECT_EQ(columnar::answer_of(train[0].row), "rain");
    EXPECT_EQ(columnar::answer_of(train[1].row), "snow");
    EXPECT_EQ(job.result_as<protocol::DistillResult>().counts.at("repeated_prompts"), 1);
    EXPECT_EQ(worker.seen().size(), 2U);
}

TEST(Distill, WithoutATrainingRowItSaysSo) {
    JobFolder job;
    job.add_input_from("teacher", "checkpoint", trained().output("checkpoint"));
    job.add_file(
        job.add_input("dataset", "dataset") / "test.jsonl", "{\"prompt\":\"a\",\"answer\":\"b\"}\n"
    );
    EXPECT_THAT(job.run("distill", kSpec).error().to_string(), HasSubstr("training split"));
}

TEST(Distill, NoAcceptedAnswerFailsTheJobAndSaysWhatToDo) {
    JobFolder job;
    job.add_input_from("teacher", "checkpoint", trained().output("checkpoint"));
    const auto folder = job.add_input("dataset", "dataset");
    job.add_file(folder / "train.jsonl", "{\"prompt\":\"1=\",\"answer\":\"never\"}\n");
    job.add_file(folder / "test.jsonl", "{\"prompt\":\"2=\",\"answer\":\"x\"}\n");
    const Status ended = job.run("distill", kSpec);
    EXPECT_EQ(ended.error().code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(ended.error().to_string(), HasSubstr("selection"));
}

TEST(Distill, TextHasNoPrompts) {
    JobFolder job;
    job.add_file(job.add_input("dataset", "dataset") / "a.txt", "Once upon a time.\n");
    EXPECT_EQ(
        job.run("distill", R"({"dataset_uri":"ds_1","teacher":"ckpt_1"})").error().param,
        "dataset_uri"
    );
}

}  // namespace
}  // namespace nexa::pipelines
