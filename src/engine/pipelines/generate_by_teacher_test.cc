// SPDX-License-Identifier: Apache-2.0
#include "engine/pipelines/generate_by_teacher.h"

#include <map>
#include <set>
#include <sstream>

#include "core/json.h"
#include "engine/pipelines/generate.h"
#include "engine/pipelines/llm_worker_test_internal.h"
#include "engine/pipelines/teacher_rows.h"
#include "fakes/manual_clock.h"
#include "protocol/job_results.h"

namespace nexa::pipelines {
namespace {

using protocol::LlmReply;
using protocol::LlmRequest;

std::string row_line(const std::string& question, const std::string& answer) {
    return fmt::format("{{\"question\":\"{}\",\"answer\":\"{}\"}}\n", question, answer);
}

/// Ten rows that are the request's own.
LlmReply ten_rows(const LlmRequest& request) {
    LlmReply reply{.id = request.id, .cost_usd = 0.001};
    std::string text;
    for (int i = 0; i < 10; ++i) {
        text += row_line(fmt::format("question {} of {}?", i, *request.seed), "an answer");
    }
    reply.choices = {{.text = text, .finish_reason = "stop"}};
    return reply;
}

TEST(TeacherRows, LinesAreReadStrictly) {
    const auto rows = read_rows(
        "```json\n" + row_line("q?", "a") + "\n" +
            "Here are your rows:\n"
            "{\"question\":\"q?\"}\n"
            "{\"question\":\"q?\",\"answer\":1}\n"
            "{\"question\":\"q?\",\"answer\":\"a\",\"note\":\"n\"}\n" +
            row_line(" ", "a") + row_line("same", "same") + row_line("  spaced? ", "a") + "```",
        false
    );
    ASSERT_EQ(rows.size(), 8U);
    ASSERT_TRUE(rows[0].row);
    EXPECT_EQ(rows[0].row->prompt, "q?");
    EXPECT_EQ(rows[0].row->answer, "a");
    for (std::size_t i = 1; i < 7; ++i) {
        EXPECT_FALSE(rows[i].row) << i;
        EXPECT_FALSE(rows[i].reason.empty()) << i;
    }
    EXPECT_EQ(rows[1].text, "Here are your rows:");
    ASSERT_TRUE(rows[7].row);
    EXPECT_EQ(rows[7].row->prompt, "spaced?");
    EXPECT_TRUE(read_rows("", false).empty());
}

TEST(TeacherRows, RowThatWasCutSaysSo) {
    const auto rows = read_rows(row_line("q?", "a") + "{\"question\":\"and th", true);
    ASSERT_EQ(rows.size(), 2U);
    EXPECT_TRUE(rows[0].row);
    EXPECT_NE(rows[1].reason.find("limit"), std::string::npos);
}

TEST(TeacherRows, PromptsVaryAndFollowFromTheSeed) {
    const RowRecipe recipe{.subject = "tides", .seed = 4};
    std::set<std::string> texts;
    for (std::int64_t i = 0; i < 300; ++i) {
        const LlmRequest request = ask_for_rows(recipe, i, {});
        EXPECT_EQ(request, ask_for_rows(recipe, i, {}));
        const std::string& text = request.messages.back().content;
        EXPECT_NE(text.find("Subject: tides"), std::string::npos);
        // Without the number of the part, which alone would make it another text.
        texts.insert(text.substr(0, text.find("This is part")));
    }
    EXPECT_EQ(texts.size(), 300U);
    RowRecipe other = recipe;
    other.seed = 5;
    EXPECT_NE(ask_for_rows(recipe, 0, {}), ask_for_rows(other, 0, {}));
}

TEST(TeacherRows, ExamplesAreShownAsTheRowsThatAreWanted) {
    const std::vector<MadeRow> examples{{.prompt = "why \"x\"?", .answer = "because", .meta = {}}};
    const LlmRequest request = ask_for_rows({.subject = "s"}, 0, examples);
    EXPECT_NE(
        request.messages.back().content.find(R"({"question":"why \"x\"?","answer":"because"})"),
        std::string::npos
    );
}

TEST(TeacherRows, QuestionIsNewOnlyOnce) {
    SeenQuestions seen;
    EXPECT_TRUE(seen.add("What is it?"));
    EXPECT_FALSE(seen.add(" what  is\nIT? "));
    EXPECT_TRUE(seen.add("What was it?"));
}

class GenerateByTeacherTest : public testing::Test {
protected:
    Result<protocol::GenerateResult> run(
        const std::string& more, FakeLlmWorker::Answer answer = ten_rows
    ) {
        std::filesystem::remove_all(dir.path() / "outputs");
        std::filesystem::remove(dir.path() / "llm.sock");
        const std::string payload =
            fmt::format(R"({{"domain":"tides","teacher":"local/m",{}}})", more);
        protocol::EngineSpec spec{.job_id = "job_1", .job_type = "generate", .payload = {payload}};
        Job job{.spec = spec, .dir = dir.path(), .events = events, .cancel = token, .clock = clock};
        worker.reset();
        worker.emplace(dir.path(), std::move(answer), 16);
        auto ended = run_generate(job);
        seen = worker->seen();
        if (!ended) {
            return std::move(ended).error();
        }
        return from_json<protocol::GenerateResult>(ended->result->text);
    }
    std::string file(const std::string& name) {
        return read_file(dir.path() / "outputs/dataset" / name, 1 << 26).value_or("");
    }

    TemporaryDirectory dir =
        TemporaryDirectory::create(std::filesystem::temp_directory_path()).value();
    fakes::ManualClock clock;
    EventSink events{-1, clock};
    CancelToken token;
    std::optional<FakeLlmWorker> worker;
    std::vector<LlmRequest> seen;
};

TEST_F(GenerateByTeacherTest, MakesAsManyRowsAsAskedForAndSplitsThem) {
    const auto made = run(R"("num_samples":200,"validation_fraction":0.2,"test_fraction":0.1)");
    ASSERT_TRUE(made) << made.error().to_string();
    EXPECT_EQ(made->num_samples, 200);
    EXPECT_EQ(made->num_failed, 0);
    std::int64_t rows = 0;
    for (const auto& [split, count] : made->splits) {
        rows += count;
    }
    EXPECT_EQ(rows, 200);
    EXPECT_EQ(made->splits.size(), 3U);
    EXPECT_GT(made->splits.at("train"), 100);
    EXPECT_NEAR(made->cost_usd, 0.001 * static_cast<double>(seen.size()), 1e-9);
    const std::string train = file("train.jsonl");
    EXPECT_NE(train.find(R"("teacher":"local/m","prompt_sha256":")"), std::string::npos);
    EXPECT_EQ(file("failed_rows.json"), "");
    EXPECT_EQ(seen[0].max_tokens, 2048);
    EXPECT_EQ(seen[0].temperature, 0.9);
    EXPECT_NE(seen[16].messages.back().content.find("there already"), std::string::npos);
}

TEST_F(GenerateByTeacherTest, JobThatRunsAgainAsksTheSameAndMakesTheSame) {
    ASSERT_TRUE(run(R"("num_samples":250)"));  // no seed: the job's id stands for one
    const auto first_seen = seen;
    const std::string first = file("train.jsonl");
    ASSERT_TRUE(run(R"("num_samples":250)"));
    EXPECT_EQ(file("train.jsonl"), first);
    ASSERT_EQ(seen.size(), first_seen.size());
    for (std::size_t i = 0; i < seen.size(); ++i) {
        EXPECT_EQ(seen[i], first_seen[i]);
    }
    ASSERT_TRUE(run(R"("num_samples":250,"seed":1)"));
    EXPECT_NE(seen[0].messages, first_seen[0].messages);
}

TEST_F(GenerateByTeacherTest, BadAndRepeatedRowsAreKeptAsNullWithTheirReason) {
    const auto made = run(R"("num_samples":100)", [](const LlmRequest& request) {
        LlmReply reply = ten_rows(request);
        reply.choices[0].text += "no row\n" + row_line("always the same?", "yes");
        return reply;
    });
    ASSERT_TRUE(made) << made.error().to_string();
    EXPECT_EQ(made->num_samples, 100);
    EXPECT_GT(made->num_failed, 10);
    const std::string failed = file("failed_rows.json");
    const auto rows = parse_json(failed);
    ASSERT_TRUE(rows) << rows.error().to_string();
    EXPECT_EQ(static_cast<std::int64_t>(rows->items.size()), made->num_failed);
    std::map<std::string, int> reasons;
    for (const ValueNode& row : rows->items) {
        EXPECT_EQ(row.find("row")->kind, ValueNode::Kind::kNull);
        ++reasons[row.find("text")->text == "no row" ? "bad" : row.find("reason")->text];
    }
    EXPECT_GT(reasons["bad"], 1);
    EXPECT_GT(reasons["the same question was there before"], 1);
}

TEST_F(GenerateByTeacherTest, StopsAtTheCostCapWithWhatItHas) {
    int answers = 0;
    const auto made =
        run(R"("num_samples":1000,"max_cost_usd":0.005)", [&answers](const LlmRequest& request) {
            if (answers++ < 5) {
                return ten_rows(request);
            }
            return LlmReply{
                .id = request.id,
                .error =
                    protocol::EngineError{
                        .code = "resource_exhausted", .message = "spent", .param = "max_cost_usd"
                    },
            };
        });
    ASSERT_TRUE(made) << made.error().to_string();
    EXPECT_EQ(made->num_samples, 50);
    EXPECT_EQ(seen.size(), 16U);
}

TEST_F(GenerateByTeacherTest, CapBeforeTheFirstRowFailsTheJob) {
    const auto refused = run(R"("num_samples":10)", [](const LlmRequest& request) {
        return LlmReply{
            .id = request.id,
            .error =
                protocol::EngineError{
                    .code = "resource_exhausted", .message = "spent", .param = "max_cost_usd"
                },
        };
    });
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(refused.error().param, "max_cost_usd");
}

TEST_F(GenerateByTeacherTest, TeacherWithNothingNewEndsTheJobWithWhatThereIs) {
    const auto made = run(R"("num_samples":100)", [](const LlmRequest& request) {
        LlmReply reply{.id = request.id};
        reply.choices = {{.text = row_line("one?", "1") + row_line("two?", "2")}};
        return reply;
    });
    ASSERT_TRUE(made) << made.error().to_string();
    EXPECT_EQ(made->num_samples, 2);
    EXPECT_LT(seen.size(), 100U);
}

TEST_F(GenerateByTeacherTest, TeacherThatWritesNoRowFailsTheJob) {
    const auto refused = run(R"("num_samples":10)", [](const LlmRequest& request) {
        return LlmReply{.id = request.id, .choices = {{.text = "I cannot do that."}}};
    });
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().param, "teacher");
}

TEST_F(GenerateByTeacherTest, RefusedPromptCostsItsRowsAndABrokenTeacherTheJob) {
    int answers = 0;
    const auto made = run(R"("num_samples":100)", [&answers](const LlmRequest& request) {
        if (answers++ % 3 == 0) {
            return LlmReply{
                .id = request.id,
                .error = protocol::EngineError{.code = "malformed", .message = "filtered"},
            };
        }
        return ten_rows(request);
    });
    ASSERT_TRUE(made) << made.error().to_string();
    EXPECT_EQ(made->num_samples, 100);
    EXPECT_NE(file("failed_rows.json").find("filtered"), std::string::npos);
    const auto broken = run(R"("num_samples":100)", [](const LlmRequest& request) {
        return LlmReply{
            .id = request.id,
            .error = protocol::EngineError{.code = "unavailable", .message = "down"},
        };
    });
    ASSERT_FALSE(broken);
    EXPECT_EQ(broken.error().code, ErrorCode::kUnavailable);
}

TEST_F(GenerateByTeacherTest, SubjectWithoutTeacherAndTeacherWithoutNeedAreRefused) {
    const auto refuse = [&](const std::string& payload) {
        protocol::EngineSpec spec{.job_id = "job_1", .job_type = "generate", .payload = {payload}};
        Job job{.spec = spec, .dir = dir.path(), .events = events, .cancel = token, .clock = clock};
        return run_generate(job).error();
    };
    EXPECT_EQ(refuse(R"({"domain":"tides","num_samples":1})").param, "domain");
    EXPECT_EQ(refuse(R"({"domain":"sort","num_samples":1,"teacher":"a/b"})").param, "teacher");
    const Error no_socket = refuse(R"({"domain":"tides","num_samples":1,"teacher":"a/b"})");
    EXPECT_EQ(no_socket.code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace nexa::pipelines
