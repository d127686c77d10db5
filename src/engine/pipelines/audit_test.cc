// SPDX-License-Identifier: Apache-2.0
#include "engine/pipelines/audit.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "core/check.h"
#include "core/file.h"
#include "core/json.h"
#include "core/json_codec.h"
#include "engine/columnar/dataset_reader.h"
#include "engine/pipelines/run_job.h"
#include "fakes/manual_clock.h"
#include "fakes/proves.h"
#include "protocol/job_results.h"

namespace nexa::pipelines {
namespace {

using ::testing::HasSubstr;

struct Finding {
    std::string file;
    std::int64_t row = 0;
    std::string in_field;
    std::string rule;
    std::string severity;
    std::string message;

    static constexpr auto fields() {
        return std::tuple{
            field("file", &Finding::file, "Of a finding").required(),
            field("row", &Finding::row, "Of a finding").required(),
            field("field", &Finding::in_field, "Of a finding").required(),
            field("rule", &Finding::rule, "Of a finding").required(),
            field("severity", &Finding::severity, "Of a finding").required(),
            field("message", &Finding::message, "Of a finding").required(),
        };
    }
};
NEXA_JSON_CODEC(Finding);

class AuditTest : public ::testing::Test {
protected:
    void input(const std::string& name, std::string_view text) const {
        const auto path = dir.path() / "inputs/dataset" / name;
        std::filesystem::create_directories(path.parent_path());
        std::ofstream(path, std::ios::binary) << text;
    }

    Status run(std::string_view payload = R"({"dataset_uri":"ds_0"})") {
        std::filesystem::remove_all(dir.path() / "outputs");
        protocol::EngineSpec spec{
            .job_id = "job_1", .job_type = "audit", .payload = {std::string(payload)}
        };
        spec.inputs.push_back({.name = "dataset", .artifact_id = "ds_0", .kind = "dataset"});
        NEXA_CHECK(write_file_atomically(dir.path() / "spec.json", to_json(spec)).has_value());
        return run_job(
            {.dir = dir.path(), .event_fd = event_fd}, {.clock = clock, .cancel = cancel.token()}
        );
    }

    protocol::EngineResult ended() const {
        return from_json<protocol::EngineResult>(*read_file(dir.path() / "result.json", 1 << 20))
            .value();
    }
    protocol::AuditResult result() const {
        return from_json<protocol::AuditResult>(ended().result.value().text).value();
    }
    double metric(const std::string& name) const {
        const auto metrics = result().metrics;
        const auto found = metrics.find(name);
        return found == metrics.end() ? -1 : found->second;
    }
    std::string output(const std::string& name) const {
        return read_file(dir.path() / "outputs/dataset" / name, 1 << 26).value();
    }
    std::vector<Finding> findings() const {
        std::istringstream text(output("findings.jsonl"));
        std::vector<Finding> read;
        for (std::string line; std::getline(text, line);) {
            read.push_back(from_json<Finding>(line).value());
        }
        return read;
    }
    std::vector<columnar::SourceRow> scored_rows() const {
        auto reader = columnar::DatasetReader::open(dir.path() / "outputs/dataset", {}).value();
        std::vector<columnar::SourceRow> rows;
        while (auto row = reader.next().value()) {
            rows.push_back(std::move(*row));
        }
        return rows;
    }

    SystemClock clock;
    CancelSource cancel;
    int event_fd = -1;
    TemporaryDirectory dir =
        TemporaryDirectory::create(std::filesystem::temp_directory_path()).value();
};

TEST_F(AuditTest, CleanRowsScoreTheBestAndComeOutAsTheyWentIn) {
    NEXA_PROVES("A-74");
    input(
        "train.jsonl",
        R"({"prompt":"1+1=","answer":"2","meta":{"domain":"arithmetic"}})"
        "\n"
        R"({"prompt":"1+2=","answer":"3"})"
        "\n"
    );
    input(
        "test.jsonl",
        R"({"prompt":"2+2=","answer":"4"})"
        "\n"
    );
    const Status status = run();
    ASSERT_TRUE(status) << status.error().to_string();
    const auto audited = result();
    EXPECT_EQ(audited.dataset_id, "ds_1");
    EXPECT_EQ(audited.overall_quality_score, 5);
    EXPECT_EQ(audited.quality_tier, "A+");
    EXPECT_EQ(audited.row_format, "prompt_completion");
    EXPECT_EQ(audited.scored_dataset_uri, "internal://ds_1/scored.parquet");
    EXPECT_EQ(audited.report_uri, "internal://ds_1/report.html");
    EXPECT_EQ(metric("rows"), 3);
    EXPECT_EQ(metric("rows_kept"), 3);
    EXPECT_EQ(metric("rows_train"), 2);
    EXPECT_EQ(metric("rows_test"), 1);
    EXPECT_EQ(metric("bytes_mean"), 5);
    EXPECT_EQ(metric("tokens_p50"), 5);
    EXPECT_EQ(metric("answer_tokens_total"), 3);
    EXPECT_TRUE(findings().empty());
    EXPECT_EQ(ended().usage.audited_rows, 3);
    ASSERT_EQ(ended().outputs.size(), 1U);
    EXPECT_EQ(ended().outputs[0].kind, "dataset");
    EXPECT_EQ(ended().outputs[0].metrics.at("overall_quality_score"), 5);

    const auto rows = scored_rows();
    ASSERT_EQ(rows.size(), 3U);
    EXPECT_EQ(columnar::prompt_of(rows[0].row), "2+2=");  // test.jsonl is before train.jsonl
    EXPECT_EQ(rows[0].split, data::Split::kTest);
    EXPECT_EQ(rows[1].split, data::Split::kTrain);
    EXPECT_EQ(rows[1].meta.at(0).second, "arithmetic");
}

TEST_F(AuditTest, EachFindingNamesFileRowFieldAndRule) {
    input(
        "train.jsonl",
        R"({"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":"ho"}]})"
        "\n"
        "{broken\n"
        R"({"messages":[{"role":"user","content":"hi"}]})"
        "\n"
        R"({"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":"ho"}]})"
        "\n"
        R"({"messages":[{"role":"robot","content":"hi"},{"role":"assistant","content":" "}]})"
        "\n"
    );
    input("broken.csv", "neither,nor\n1,2\n");
    const Status status = run();
    ASSERT_TRUE(status) << status.error().to_string();
    std::map<std::string, Finding> by_rule;
    for (const Finding& finding : findings()) {
        EXPECT_FALSE(finding.message.empty());
        by_rule[fmt::format("{}:{} {}", finding.file, finding.row, finding.rule)] = finding;
    }
    EXPECT_TRUE(by_rule.contains("broken.csv:0 unreadable"));
    EXPECT_THAT(by_rule.at("train.jsonl:2 unreadable").message, HasSubstr("no JSON"));
    EXPECT_EQ(by_rule.at("train.jsonl:3 missing_assistant").severity, "error");
    EXPECT_THAT(by_rule.at("train.jsonl:4 duplicate").message, HasSubstr("row 1"));
    EXPECT_EQ(by_rule.at("train.jsonl:5 unknown_role").in_field, "messages[0].role");
    EXPECT_EQ(by_rule.at("train.jsonl:5 empty").in_field, "messages[1].content");

    EXPECT_EQ(metric("rows"), 4);
    EXPECT_EQ(metric("rows_unreadable"), 2);
    EXPECT_EQ(metric("rows_with_errors"), 2);
    EXPECT_EQ(metric("duplicates"), 1);
    EXPECT_EQ(metric("rows_kept"), 1);
    EXPECT_EQ(metric("lint_unknown_role"), 1);
    EXPECT_DOUBLE_EQ(metric("well_formed"), 2.0 / 6);
    EXPECT_DOUBLE_EQ(metric("distinct"), 3.0 / 4);
    EXPECT_EQ(metric("filtered_in"), -1);  // the quality rules are for documents
    const double expected = 5 * (0.35 * 2 / 6 + 0.25 * 3 / 4) / 0.6;
    EXPECT_NEAR(result().overall_quality_score, expected, 0.006);
    EXPECT_EQ(ended().usage.audited_rows, 6);
}

TEST_F(AuditTest, ARowInTwoSplitsIsCounted) {
    input("train.csv", "question,answer\na,b\nc,d\n");
    input("test.csv", "question,answer\na,b\n");
    ASSERT_TRUE(run());
    EXPECT_EQ(metric("duplicates"), 1);
    EXPECT_EQ(metric("duplicates_across_splits"), 1);
}

TEST_F(AuditTest, DocumentsAreDroppedWithTheReason) {
    const std::string prose =
        "The river that runs past our village is older than any map of it. In spring it carries "
        "melted snow from hills we cannot see, and with the snow come branches, ice and once a "
        "wooden boat. My grandmother used to say that water remembers every stone. She would "
        "stand on the bridge at dusk, count the swallows, and tell whoever had time to listen "
        "what each of them might have seen beyond the far bend. Nobody knew whether to believe "
        "her, but everybody stayed until dark.\n";
    input("good.txt", prose);
    input("short.md", "too short");
    const Status status = run();
    ASSERT_TRUE(status) << status.error().to_string();
    EXPECT_EQ(metric("filter_gopher_short_doc"), 1);
    EXPECT_DOUBLE_EQ(metric("filtered_in"), 0.5) << output("findings.jsonl");
    ASSERT_EQ(findings().size(), 1U);
    EXPECT_EQ(findings()[0].file, "short.md");
    EXPECT_EQ(findings()[0].rule, "gopher_short_doc");
    EXPECT_EQ(scored_rows().size(), 2U);
}

TEST_F(AuditTest, ADocumentOfMegabytesIsNoMistake) {
    std::string text;
    for (int i = 0; i < 60'000; ++i) {
        text += fmt::format("line number {} of a long, long book\n", i);
    }
    input("book.txt", text);
    ASSERT_TRUE(run());
    EXPECT_EQ(metric("lint_too_long"), -1);
    EXPECT_EQ(metric("bytes_total"), static_cast<double>(text.size()));
    EXPECT_EQ(metric("filter_gopher_long_doc"), 1);
}

TEST_F(AuditTest, TokensAreThoseOfATokenizerInTheDataset) {
    input("train.jsonl", "{\"text\":\"the best of the best\"}\n");
    input("tok/tokenizer.json", *read_file("src/text/testdata/tokenizer.json", 1 << 20));
    ASSERT_TRUE(run(R"({"dataset_uri":"ds_0"})"));
    EXPECT_EQ(metric("tokens_total"), 20);
    const Status status = run(R"({"dataset_uri":"ds_0","tokenizer":"tok"})");
    ASSERT_TRUE(status) << status.error().to_string();
    EXPECT_GT(metric("tokens_total"), 0);
    EXPECT_LT(metric("tokens_total"), 20);
    for (const char* name : {"gpt2", "../tok", "/etc/passwd", "train.jsonl"}) {
        const Status refused =
            run(fmt::format(R"({{"dataset_uri":"ds_0","tokenizer":"{}"}})", name));
        ASSERT_FALSE(refused) << name;
        EXPECT_THAT(refused.error().param, HasSubstr("tokenizer")) << name;
    }
    EXPECT_EQ(
        run(R"({"dataset_uri":"ds_0","tokenizer":"gpt2"})").error().code,
        ErrorCode::kInvalidArgument
    );
}

TEST_F(AuditTest, MinScoreFailsTheJobAndSaysTheScore) {
    input(
        "train.jsonl", "{\"prompt\":\"a\",\"answer\":\"b\"}\n{\"prompt\":\"a\",\"answer\":\"b\"}\n"
    );
    ASSERT_TRUE(run(R"({"dataset_uri":"ds_0","min_score":3.95})"));
    EXPECT_EQ(result().overall_quality_score, 3.96);
    const Status refused = run(R"({"dataset_uri":"ds_0","min_score":3.97})");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(refused.error().param, "min_score");
    EXPECT_THAT(refused.error().message, HasSubstr("3.96 (B+)"));
    EXPECT_FALSE(ended().result);
}

TEST_F(AuditTest, MaxRowsAuditsTheFirst) {
    input("train.jsonl", "{\"text\":\"a\"}\n{\"text\":\"b\"}\n{\"text\":\"c\"}\n");
    ASSERT_TRUE(run(R"({"dataset_uri":"ds_0","max_rows":2})"));
    EXPECT_EQ(metric("rows"), 2);
}

TEST_F(AuditTest, ANamedFormatBinds) {
    input("train.jsonl", "{\"question\":\"q\",\"answer\":\"a\",\"text\":\"t\"}\n");
    ASSERT_TRUE(run(R"({"dataset_uri":"ds_0","format":"text"})"));
    EXPECT_THAT(output("schema.json"), HasSubstr("\"rows_are\": \"text\""));
    EXPECT_EQ(run(R"({"dataset_uri":"ds_0","format":"poem"})").error().param, "format");
}

TEST_F(AuditTest, NothingToReadIsAnErrorThatSaysWhatIsRead) {
    input("model.bin", "x");
    const Status refused = run();
    EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(refused.error().advice, HasSubstr(".jsonl"));
    EXPECT_FALSE(std::filesystem::exists(dir.path() / "outputs/dataset/scored.parquet"));
}

TEST_F(AuditTest, ACancelledAuditLeavesNoScoredRows) {
    input("train.jsonl", "{\"text\":\"a\"}\n");
    cancel.cancel();
    EXPECT_EQ(run().error().code, ErrorCode::kCancelled);
    EXPECT_FALSE(std::filesystem::exists(dir.path() / "outputs/dataset/scored.parquet"));
}

TEST_F(AuditTest, TheReportHoldsTheDatasetsTextAsText) {
    input(
        "train.jsonl",
        R"({"messages":[{"role":"<script>alert(1)</script>","content":"hi"}]})"
        "\n"
    );
    ASSERT_TRUE(run());
    const std::string report = output("report.html");
    EXPECT_THAT(report, HasSubstr("&lt;script&gt;"));
    EXPECT_THAT(report, ::testing::Not(HasSubstr("<script")));
    EXPECT_THAT(report, ::testing::Not(HasSubstr("http")));
    EXPECT_THAT(report, HasSubstr("unknown_role"));
}

TEST_F(AuditTest, SaysHowFarItIs) {
    std::string text;
    for (int i = 0; i < 500; ++i) {
        text += fmt::format("{{\"prompt\":\"{}\",\"answer\":\"x\"}}\n", i);
    }
    input("train.jsonl", text);
    Pipe pipe = make_pipe().value();
    event_fd = pipe.write_end.get();
    ASSERT_TRUE(run());
    std::string lines(1 << 16, '\0');
    lines.resize(static_cast<std::size_t>(::read(pipe.read_end.get(), lines.data(), lines.size())));
    EXPECT_THAT(lines, HasSubstr("\"phase\":\"audit\",\"done\":1,"));
    EXPECT_THAT(lines, HasSubstr("\"done\":500,\"total\":500"));
    EXPECT_EQ(std::ranges::count(output("preview.jsonl"), '\n'), 100);
}

TEST_F(AuditTest, RealDataGetsItsScore) {
    const char* data = std::getenv("NEXA_TEST_DATA");  // NOLINT(concurrency-mt-unsafe): one thread
    if (data == nullptr) {
        GTEST_SKIP() << "NEXA_TEST_DATA is not set";
    }
    const std::filesystem::path shared(data);
    std::filesystem::create_directories(dir.path() / "inputs");
    std::filesystem::create_directory_symlink(shared / "gsm8k", dir.path() / "inputs/dataset");
    ASSERT_TRUE(run());
    EXPECT_EQ(metric("rows"), 7473 + 1319);
    EXPECT_EQ(metric("rows_test"), 1319);
    EXPECT_EQ(metric("rows_unreadable"), 0);
    EXPECT_GT(result().overall_quality_score, 4.5);
    std::filesystem::remove(dir.path() / "inputs/dataset");
    input("tinyshakespeare.txt", *read_file(shared / "text/tinyshakespeare.txt", 1 << 22));
    ASSERT_TRUE(run());
    EXPECT_EQ(metric("rows"), 1);
}

}  // namespace
}  // namespace nexa::pipelines
