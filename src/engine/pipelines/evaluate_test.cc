// SPDX-License-Identifier: Apache-2.0
#include "engine/pipelines/evaluate.h"

#include <cmath>
#include <limits>
#include <numbers>

#include <ATen/Parallel.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/json_codec.h"
#include "core/json_writer.h"
#include "engine/columnar/dataset_reader.h"
#include "engine/pipelines/job_folder_test_internal.h"
#include "engine/pipelines/tiny_model_test_internal.h"
#include "evaluation/intervals.h"
#include "fakes/proves.h"
#include "protocol/job_results.h"

namespace nexa::pipelines {
namespace {

using protocol::EvaluateResult;
using testing::HasSubstr;

constexpr std::string_view kHeldout =
    R"({"model_id":"ckpt_0","dataset_uri":"ds_0","max_new_tokens":6})";
constexpr std::string_view kPerplexity =
    R"({"model_id":"ckpt_0","dataset_uri":"ds_0","benchmark":"perplexity"})";

/// A line of items.jsonl, of either benchmark.
struct ItemLine {
    std::string id;
    std::string prompt, expected, got, finish;
    std::optional<bool> correct, verified;
    std::int64_t prompt_tokens = 0, answer_tokens = 0;
    std::map<std::string, std::string> meta;
    std::int64_t tokens = 0, bytes = 0;
    double nats = 0, loss = 0;

    static constexpr auto fields() {
        return std::tuple{
            field("id", &ItemLine::id, "As in the file").required(),
            field("prompt", &ItemLine::prompt, "As in the file"),
            field("expected", &ItemLine::expected, "As in the file"),
            field("got", &ItemLine::got, "As in the file"),
            field("finish", &ItemLine::finish, "As in the file"),
            field("correct", &ItemLine::correct, "As in the file"),
            field("verified", &ItemLine::verified, "As in the file"),
            field("prompt_tokens", &ItemLine::prompt_tokens, "As in the file"),
            field("answer_tokens", &ItemLine::answer_tokens, "As in the file"),
            field("meta", &ItemLine::meta, "As in the file"),
            field("tokens", &ItemLine::tokens, "As in the file"),
            field("bytes", &ItemLine::bytes, "As in the file"),
            field("nats", &ItemLine::nats, "As in the file"),
            field("loss", &ItemLine::loss, "As in the file"),
        };
    }
};
NEXA_JSON_CODEC(ItemLine);

class EvaluateTest : public ::testing::Test {
protected:
    EvaluateTest() { at::set_num_threads(1); }

    void add_model(const nets::LanguageModel& model) {
        save_model(model, job.add_input("model", "checkpoint"));
    }
    /// Rows as `generate` writes them.
    void add_row(const std::string& prompt, const std::string& answer, const std::string& digits) {
        JsonWriter writer;
        writer.begin_object();
        writer.key("prompt");
        writer.string(prompt);
        writer.key("answer");
        writer.string(answer);
        writer.key("meta");
        writer.raw(fmt::format(R"({{"domain":"arithmetic","digits":"{}"}})", digits));
        writer.end_object();
        rows += writer.take() + '\n';
    }
    void add_dataset() {
        const auto folder = job.add_input("dataset", "dataset");
        job.add_file(folder / "train.jsonl", "{\"prompt\":\"never read\",\"answer\":\"x\"}\n");
        job.add_file(folder / "test.jsonl", rows);
    }
    std::string greedy(const nets::LanguageModel& model, const std::string& prompt) {
        const std::vector<text::ChatMessage> messages{{"user", prompt}};
        const std::vector<ModelQuestion> questions{{.messages = messages}};
        return answer_questions(model, questions, {.new_tokens_max = 6}).value()[0].text;
    }
    /// `right` of `total` rows hold what the model says, the others something else.
    void add_rows(const nets::LanguageModel& model, int right, int total) {
        for (int i = 0; i < total; ++i) {
            const std::string prompt = fmt::format("{}+{}=", i, 100 + i);
            const std::string said = greedy(model, prompt);
            add_row(prompt, i < right ? said : said + " and more", i % 2 == 0 ? "1" : "2");
        }
        add_dataset();
    }
    Status run(std::string_view payload = kHeldout) { return job.run("evaluate", payload); }
    std::vector<ItemLine> items() {
        std::istringstream lines(job.bytes_of(job.output("eval") / "items.jsonl"));
        std::vector<ItemLine> read;
        for (std::string line; std::getline(lines, line);) {
            read.push_back(from_json<ItemLine>(line).value());
        }
        return read;
    }
    std::string report() { return job.bytes_of(job.output("eval") / "report.html"); }

    JobFolder job;
    std::string rows;
};

TEST_F(EvaluateTest, TenRowsOfAPersonsOwnAreEnoughAndTheSplitIsTheReaders) {
    add_model(tiny_model());
    const auto folder = job.add_input("dataset", "dataset");
    std::string lines;
    for (int i = 0; i < 10; ++i) {
        lines += fmt::format("{{\"prompt\":\"q{}\",\"answer\":\"a\"}}\n", i);
    }
    job.add_file(folder / "rows.jsonl", lines);
    const Status ended = run();
    ASSERT_TRUE(ended) << ended.error().to_string();
    auto reader = columnar::DatasetReader::open(folder, {.split = data::Split::kTest}).value();
    std::size_t rows_held_out = 0;
    while (reader.next().value()) {
        ++rows_held_out;
    }
    EXPECT_GE(rows_held_out, 1U);
    EXPECT_EQ(items().size(), rows_held_out);
}

TEST_F(EvaluateTest, ExactMatchIsTheShareOfItemsThatAreRight) {
    NEXA_PROVES("A-50 T-99 T-100");
    const nets::LanguageModel model = tiny_model();
    add_model(model);
    add_rows(model, 12, 20);
    const Status ended = run();
    ASSERT_TRUE(ended) << ended.error().to_string();

    const auto result = job.result_as<EvaluateResult>();
    EXPECT_EQ(result.eval_id, "ev_1");
    EXPECT_EQ(result.num_samples, 20);
    EXPECT_DOUBLE_EQ(result.scores.at("exact_match"), 0.6);
    const evaluation::Interval interval = evaluation::wilson_interval(12, 20);
    EXPECT_DOUBLE_EQ(result.scores.at("exact_match_ci95_low"), interval.low);
    EXPECT_DOUBLE_EQ(result.scores.at("exact_match_ci95_high"), interval.high);
    EXPECT_EQ(result.scores.at("samples"), 20);

    const auto lines = items();
    ASSERT_EQ(lines.size(), 20U);
    std::set<std::string> ids;
    std::int64_t answer_tokens = 0;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        EXPECT_EQ(lines[i].prompt, fmt::format("{}+{}=", i, 100 + i)) << "in the rows' order";
        EXPECT_EQ(lines[i].got, greedy(model, lines[i].prompt));
        EXPECT_EQ(lines[i].correct, i < 12);
        answer_tokens += lines[i].answer_tokens;
        ids.insert(lines[i].id);
    }
    EXPECT_EQ(ids.size(), 20U);
    EXPECT_EQ(lines[0].id, "test.jsonl:1");

    const protocol::EngineResult all = job.result();
    EXPECT_EQ(all.usage.evaluated_samples, 20);
    EXPECT_EQ(all.usage.output_tokens, answer_tokens);
    EXPECT_GT(all.usage.input_tokens, 0);
    ASSERT_EQ(all.outputs.size(), 1U);
    EXPECT_EQ(all.outputs[0].kind, "eval");
    EXPECT_EQ(all.outputs[0].metrics, result.scores);
}

TEST_F(EvaluateTest, TheReportShowsTheScoresOfTheResult) {
    NEXA_PROVES("A-51 T-101");
    const nets::LanguageModel model = tiny_model();
    add_model(model);
    add_rows(model, 7, 12);
    ASSERT_TRUE(run());
    const auto result = job.result_as<EvaluateResult>();
    EXPECT_EQ(result.report_uri, "internal://ev_1/report.html");
    for (const auto& [name, value] : result.scores) {
        EXPECT_THAT(report(), HasSubstr(fmt::format("<data value=\"{}\">", value))) << name;
    }
    EXPECT_THAT(report(), HasSubstr("Right answers by digits"));
    EXPECT_THAT(report(), HasSubstr("<svg"));
    EXPECT_THAT(report(), HasSubstr("Wrong answers"));
    EXPECT_THAT(
        job.bytes_of(job.output("eval") / "scores.json"),
        HasSubstr("\"of\": \"Right answers by digits\"")
    );
}

TEST_F(EvaluateTest, AnAnswerIsSolvedAnewWhereAProgramCan) {
    const nets::LanguageModel model = tiny_model();
    add_model(model);
    add_rows(model, 5, 10);
    ASSERT_TRUE(run());
    // A model that knows nothing is right by its own "references" but not by arithmetic.
    EXPECT_EQ(job.result_as<EvaluateResult>().scores.at("verified"), 0);
    EXPECT_EQ(items()[0].correct, true);
    EXPECT_EQ(items()[0].verified, false);
}

TEST_F(EvaluateTest, TheSameSpecGivesTheSameBytesAndAnotherSeedOthers) {
    NEXA_PROVES("A-88");
    const nets::LanguageModel model = tiny_model();
    add_model(model);
    add_rows(model, 5, 30);
    std::vector<std::string> said;
    for (const int seed : {1, 1, 2}) {
        ASSERT_TRUE(run(fmt::format(
            R"({{"model_id":"c","dataset_uri":"d","max_new_tokens":6,"temperature":1,"seed":{}}})",
            seed
        )));
        said.push_back(job.bytes_of(job.output("eval") / "items.jsonl"));
    }
    EXPECT_EQ(said[0], said[1]);
    EXPECT_NE(said[0], said[2]);
}

TEST_F(EvaluateTest, TakesAsManyRowsAsAskedFor) {
    const nets::LanguageModel model = tiny_model();
    add_model(model);
    add_rows(model, 3, 10);
    ASSERT_TRUE(run(R"({"model_id":"c","dataset_uri":"d","max_samples":4,"max_new_tokens":6})"));
    EXPECT_EQ(job.result_as<EvaluateResult>().num_samples, 4);
    EXPECT_DOUBLE_EQ(job.result_as<EvaluateResult>().scores.at("exact_match"), 0.75);
}

TEST_F(EvaluateTest, AQuestionThatIsTooLongIsWrongAndTheOthersAreAsked) {
    const nets::LanguageModel model = tiny_model();
    add_model(model);
    add_row(std::string(200, '7') + "+1=", "x", "9");
    add_rows(model, 3, 3);
    ASSERT_TRUE(run());
    const auto result = job.result_as<EvaluateResult>();
    EXPECT_DOUBLE_EQ(result.scores.at("exact_match"), 0.75);
    EXPECT_EQ(result.scores.at("question_too_long"), 1);
    EXPECT_EQ(items()[0].finish, "question_too_long");
    EXPECT_EQ(items()[0].got, "");
}

TEST_F(EvaluateTest, OfAConversationTheLastAnswerCounts) {
    const nets::LanguageModel model = tiny_model();
    add_model(model);
    const std::vector<text::ChatMessage> so_far{
        {"user", "what"}, {"assistant", "is"}, {"user", "this"}
    };
    const std::vector<ModelQuestion> questions{{.messages = so_far}};
    const auto said = answer_questions(model, questions, {.new_tokens_max = 6}).value()[0].text;
    JsonWriter answer;
    answer.string(said);
    rows = R"({"messages":[{"role":"user","content":"what"},{"role":"assistant","content":"is"},)"
           R"({"role":"user","content":"this"},{"role":"assistant","content":)" +
           answer.take() + "}]}\n";
    add_dataset();
    std::filesystem::remove(job.dir.path() / "inputs/dataset/train.jsonl");
    job.add_file(job.dir.path() / "inputs/dataset/train.jsonl", rows);
    ASSERT_TRUE(run());
    EXPECT_EQ(job.result_as<EvaluateResult>().scores.at("exact_match"), 1);
    EXPECT_EQ(items()[0].prompt, "this");
}

TEST_F(EvaluateTest, EveryTokenAsLikelyAsAnyOtherCostsTheLogarithmOfTheVocabulary) {
    const nets::LanguageModel model = tiny_model();
    fill_weights(model, 0);
    add_model(model);
    const auto folder = job.add_input("dataset", "dataset");
    job.add_file(folder / "train.txt", "not read");
    std::string text;
    for (int i = 0; i < 60; ++i) {
        text += fmt::format("The {}th line of the text.\n\n", i);
    }
    job.add_file(folder / "test.txt", text);
    const Status ended = run(kPerplexity);
    ASSERT_TRUE(ended) << ended.error().to_string();

    const auto scores = job.result_as<EvaluateResult>().scores;
    const auto vocab = static_cast<double>(model.decoder.config().vocab);
    EXPECT_NEAR(scores.at("loss"), std::log(vocab), 1e-5);
    EXPECT_NEAR(scores.at("perplexity"), vocab, 0.01);
    EXPECT_NEAR(
        scores.at("bits_per_byte"),
        std::log2(vocab) * scores.at("tokens") / scores.at("bytes"),
        1e-5
    );
    EXPECT_LT(scores.at("bits_per_byte_ci95_low"), scores.at("bits_per_byte") + 1e-9);
    EXPECT_GT(scores.at("bits_per_byte_ci95_high"), scores.at("bits_per_byte") - 1e-9);
    // All but the first token of each piece of text count.
    EXPECT_LE(scores.at("bytes"), static_cast<double>(text.size()));
    EXPECT_GT(scores.at("bytes"), 0.98 * static_cast<double>(text.size()));
}

TEST_F(EvaluateTest, BitsPerByteAreTheSumOfTheItems) {
    NEXA_PROVES("T-100 T-101");
    const nets::LanguageModel model = tiny_model();
    add_model(model);
    add_rows(model, 0, 40);
    ASSERT_TRUE(run(kPerplexity));
    const auto result = job.result_as<EvaluateResult>();
    double nats = 0;
    std::int64_t tokens = 0;
    std::int64_t bytes = 0;
    for (const ItemLine& item : items()) {
        nats += item.nats;
        tokens += item.tokens;
        bytes += item.bytes;
        EXPECT_NEAR(item.loss, item.nats / static_cast<double>(item.tokens), 1e-12);
    }
    EXPECT_EQ(result.num_samples, static_cast<std::int64_t>(items().size()));
    EXPECT_NEAR(result.scores.at("loss"), nats / static_cast<double>(tokens), 1e-9);
    EXPECT_NEAR(
        result.scores.at("bits_per_byte"),
        nats / std::numbers::ln2 / static_cast<double>(bytes),
        1e-9
    );
    for (const auto& [name, value] : result.scores) {
        EXPECT_THAT(report(), HasSubstr(fmt::format("<data value=\"{}\">", value))) << name;
    }
}

TEST_F(EvaluateTest, AMissingInputSaysWhatToGive) {
    add_rows(tiny_model(), 1, 2);
    EXPECT_EQ(run().error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(job.result().error->param, "model_id");
    EXPECT_THAT(job.result().error->hint, HasSubstr("checkpoint"));

    JobFolder other;
    save_model(tiny_model(), other.add_input("model", "checkpoint"));
    EXPECT_EQ(other.run("evaluate", kHeldout).error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(other.result().error->param, "dataset_uri");
    EXPECT_THAT(other.result().error->hint, HasSubstr("test split"));
}

TEST_F(EvaluateTest, ABrokenCheckpointIsRefusedNotACrash) {
    const auto refusal = [](auto&& damage) {
        JobFolder broken;
        const auto folder = broken.add_input("model", "checkpoint");
        save_model(tiny_model(), folder);
        damage(folder);
        const auto data = broken.add_input("dataset", "dataset");
        broken.add_file(data / "train.jsonl", "{\"prompt\":\"a\",\"answer\":\"b\"}\n");
        broken.add_file(data / "test.jsonl", "{\"prompt\":\"a\",\"answer\":\"b\"}\n");
        const Status ended = broken.run("evaluate", kHeldout);
        EXPECT_FALSE(ended);
        EXPECT_THAT(broken.result().error->param, HasSubstr("model_id"));
        EXPECT_FALSE(std::filesystem::exists(broken.output("eval") / "report.html"));
        return ended ? ErrorCode::kInternal : ended.error().code;
    };
    for (const char* name : {"config.json", "model.safetensors", "tokenizer.json"}) {
        EXPECT_EQ(
            refusal([&](const auto& folder) { std::filesystem::remove(folder / name); }),
            ErrorCode::kNotFound
        ) << name;
        refusal([&](const auto& folder) {
            ASSERT_TRUE(write_file_atomically(folder / name, "{\"cut"));
        });
    }
    refusal([](const auto& folder) {
        std::filesystem::resize_file(
            folder / "model.safetensors",
            std::filesystem::file_size(folder / "model.safetensors") / 2
        );
    });
    // A tokenizer that knows more tokens than the model.
    refusal([](const auto& folder) {
        models::ModelConfig config = tiny_model().decoder.config();
        config.vocab = 100;
        ASSERT_TRUE(nets::export_decoder(
            folder, nets::Decoder::create(config, 1).value(), nets::StoredAs::kFloat32
        ));
    });
}

TEST_F(EvaluateTest, WeightsThatAreNoNumbersAreNamed) {
    const nets::LanguageModel model = tiny_model();
    add_rows(model, 1, 4);
    fill_weights(model, std::numeric_limits<double>::quiet_NaN());
    add_model(model);
    EXPECT_EQ(run(kPerplexity).error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(job.result().error->param, "model_id");
    EXPECT_THAT(job.result().error->message, HasSubstr("not a number"));
}

TEST_F(EvaluateTest, RowsWithoutAnAnswerAreRefusedWithWhatFits) {
    add_model(tiny_model());
    const auto folder = job.add_input("dataset", "dataset");
    job.add_file(folder / "train.txt", "text");
    job.add_file(folder / "test.txt", "text");
    EXPECT_EQ(run().error().param, "benchmark");
    EXPECT_THAT(job.result().error->hint, HasSubstr("perplexity"));

    JobFolder open_ended;
    save_model(tiny_model(), open_ended.add_input("model", "checkpoint"));
    const auto chats = open_ended.add_input("dataset", "dataset");
    const std::string question = R"({"messages":[{"role":"user","content":"why?"}]})";
    open_ended.add_file(chats / "train.jsonl", question);
    open_ended.add_file(chats / "test.jsonl", question);
    EXPECT_EQ(open_ended.run("evaluate", kHeldout).error().code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(open_ended.result().error->param, HasSubstr("test.jsonl:1"));
}

TEST_F(EvaluateTest, ATestSplitWithoutRowsIsRefused) {
    add_model(tiny_model());
    add_dataset();  // test.jsonl is empty
    EXPECT_EQ(run().error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(job.result().error->param, "dataset_uri");
    EXPECT_EQ(run(kPerplexity).error().code, ErrorCode::kInvalidArgument);
}

TEST_F(EvaluateTest, ABrokenRowIsNamed) {
    add_model(tiny_model());
    rows = "{\"prompt\":\"a\",\"answer\":\"b\"}\n{\"prompt\":\n";
    add_dataset();
    EXPECT_EQ(run().error().code, ErrorCode::kMalformed);
    EXPECT_THAT(job.result().error->param, HasSubstr("test.jsonl:2"));
}

TEST_F(EvaluateTest, ACancelledJobEndsAsSuchWithoutAReport) {
    const nets::LanguageModel model = tiny_model();
    add_model(model);
    add_rows(model, 1, 4);
    job.cancel.cancel();
    for (const std::string_view payload : {kHeldout, kPerplexity}) {
        EXPECT_EQ(run(payload).error().code, ErrorCode::kCancelled);
        EXPECT_EQ(job.result().error->code, "cancelled");
        EXPECT_FALSE(std::filesystem::exists(job.output("eval") / "report.html"));
    }
}

}  // namespace
}  // namespace nexa::pipelines
