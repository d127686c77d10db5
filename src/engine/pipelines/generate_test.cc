// SPDX-License-Identifier: Apache-2.0
#include "engine/pipelines/generate.h"

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include <gtest/gtest.h>

#include "core/file.h"
#include "core/json.h"
#include "core/json_codec.h"
#include "data/generators.h"
#include "fakes/manual_clock.h"
#include "fakes/proves.h"
#include "protocol/job_results.h"

namespace nexa::pipelines {
namespace {

struct Line {
    std::string prompt;
    std::string answer;
    std::map<std::string, std::string> meta;

    static constexpr auto fields() {
        return std::tuple{
            field("prompt", &Line::prompt, "Asked").required(),
            field("answer", &Line::answer, "Answered").required(),
            field("meta", &Line::meta, "About it").required(),
        };
    }
};
NEXA_JSON_CODEC(Line);

class GenerateTest : public ::testing::Test {
protected:
    Result<protocol::EngineResult> run(const std::string& payload) {
        std::filesystem::remove_all(dir.path() / "outputs");
        protocol::EngineSpec spec{.job_id = job_id, .job_type = "generate", .payload = {payload}};
        if (with_input) {
            spec.inputs.push_back({.name = "dataset", .artifact_id = "ds_0", .kind = "dataset"});
        }
        Job job{.spec = spec, .dir = dir.path(), .events = events, .cancel = token, .clock = clock};
        return run_generate(job);
    }
    std::string file(const std::string& name) {
        return read_file(dir.path() / "outputs/dataset" / name, 1 << 26).value();
    }
    std::vector<Line> lines(const std::string& name) {
        std::istringstream text(file(name));
        std::vector<Line> read;
        for (std::string line; std::getline(text, line);) {
            read.push_back(from_json<Line>(line).value());
        }
        return read;
    }

    TemporaryDirectory dir =
        TemporaryDirectory::create(std::filesystem::temp_directory_path()).value();
    fakes::ManualClock clock;
    EventSink events{-1, clock};
    CancelToken token;
    std::string job_id = "job_1";
    bool with_input = false;
};

TEST_F(GenerateTest, EveryAnswerIsRightAndTheCountsAreThoseAskedFor) {
    for (const char* domain : {"arithmetic", "sort", "reverse", "count", "dates"}) {
        const auto ended = run(fmt::format(
            R"({{"domain":"{}","num_samples":200,"seed":3,"test_fraction":0.1}})", domain
        ));
        ASSERT_TRUE(ended) << domain << ": " << ended.error().to_string();
        const auto result = from_json<protocol::GenerateResult>(ended->result->text).value();
        EXPECT_EQ(result.num_samples, 200);
        EXPECT_EQ(result.dataset_id, "ds_1");
        EXPECT_EQ(lines("train.jsonl").size(), 170U);
        EXPECT_EQ(lines("validation.jsonl").size(), 10U);
        EXPECT_EQ(lines("test.jsonl").size(), 20U);
        for (const Line& line : lines("train.jsonl")) {
            EXPECT_TRUE(data::verify(*data::domain_from(domain), line.prompt, line.answer)->correct)
                << line.prompt;
        }
    }
}

TEST_F(GenerateTest, NoPromptIsInTwoSplits) {
    ASSERT_TRUE(run(R"({"domain":"arithmetic","num_samples":500,"seed":3,"digits":2})"));
    std::set<std::string> seen;
    for (const char* name : {"train.jsonl", "validation.jsonl", "test.jsonl"}) {
        for (const Line& line : lines(name)) {
            EXPECT_TRUE(seen.insert(line.prompt).second) << line.prompt;
        }
    }
}

TEST_F(GenerateTest, TheSameSeedGivesTheSameBytesAndWithoutOneTheJobDecides) {
    NEXA_PROVES("A-88");
    const std::string seeded = R"({"domain":"sort","num_samples":50,"seed":9})";
    ASSERT_TRUE(run(seeded));
    const std::string first = file("train.jsonl");
    ASSERT_TRUE(run(seeded));
    EXPECT_TRUE(file("train.jsonl") == first);
    ASSERT_TRUE(run(R"({"domain":"sort","num_samples":50})"));
    const std::string one = file("train.jsonl");
    ASSERT_TRUE(run(R"({"domain":"sort","num_samples":50})"));
    EXPECT_TRUE(file("train.jsonl") == one) << "a job that runs again makes the same";
    job_id = "job_2";
    ASSERT_TRUE(run(R"({"domain":"sort","num_samples":50})"));
    EXPECT_FALSE(file("train.jsonl") == one);
}

TEST_F(GenerateTest, MoreRowsThanThereAreIsAnErrorThatSaysHowMany) {
    const auto refused = run(R"({"domain":"arithmetic","num_samples":1000,"digits":1,"seed":1})");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
    EXPECT_NE(refused.error().message.find_first_of("0123456789"), std::string::npos);
}

TEST_F(GenerateTest, ASubjectWithoutGeneratorSaysWhatNeedsNoTeacher) {
    const auto refused = run(R"({"domain":"biology","num_samples":10})");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().param, "domain");
    EXPECT_NE(refused.error().advice.find("documents"), std::string::npos);
}

TEST_F(GenerateTest, AsksAboutTheUsersOwnText) {
    EXPECT_EQ(run(R"({"domain":"documents","num_samples":10})").error().param, "dataset_uri");
    with_input = true;
    std::filesystem::create_directories(dir.path() / "inputs/dataset");
    std::ofstream(dir.path() / "inputs/dataset/guide.md")
        << "# Rivers\n\nThe great river rises among cold mountains and flows slowly through wide "
           "green valleys toward a distant "
           "quiet ocean.\n\n# Deserts\n\nThe desert wind moves golden sand across empty plains "
           "while tired travelers search "
           "patiently for hidden water.\n";
    const auto ended = run(
        R"({"domain":"documents","num_samples":100,"seed":1,"validation_fraction":0,"test_fraction":0})"
    );
    ASSERT_TRUE(ended) << ended.error().to_string();
    const auto rows = lines("train.jsonl");
    EXPECT_GE(rows.size(), 4U);
    for (const Line& row : rows) {
        EXPECT_EQ(row.meta.at("source"), "guide.md");
    }
}

TEST_F(GenerateTest, LeavesASchemaAndAPreviewForReaders) {
    ASSERT_TRUE(run(R"({"domain":"reverse","num_samples":300,"seed":2})"));
    EXPECT_EQ(lines("preview.jsonl").size(), 100U);
    EXPECT_NE(file("schema.json").find("\"prompt\""), std::string::npos);
}

}  // namespace
}  // namespace nexa::pipelines
