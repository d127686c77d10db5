// SPDX-License-Identifier: Apache-2.0
#include "core/run_manifest.h"

#include <limits>
#include <thread>

#include <gtest/gtest.h>

#include "core/file.h"
#include "core/json.h"
#include "fakes/proves.h"

namespace nexa {
namespace {

namespace fs = std::filesystem;

constexpr const char* kGolden = "tests/golden/run_manifest_v4.json";

Timestamp at(const char* text) {
    return parse_rfc3339(text).value();
}

RunManifest complete() {
    RunManifest run;
    run.run_id = "job_0199a1b2";
    run.created_at = at("2025-11-20T19:00:00Z");
    run.started_at = at("2025-11-20T19:00:01.5Z");
    run.finished_at = at("2025-11-20T19:10:00.000001Z");
    run.code = {"0.1.0", std::string(40, 'c'), true};
    run.config = {R"({"epochs":3,"learning_rate":0.0003,"nested":{"a":[1,2]}})"};
    run.dataset_version = "ds_1@3";
    run.inputs = {{"nexa://datasets/ds_1/train.parquet", sha256("in"), Bytes(1234)}};
    run.outputs = {
        {"nexa://checkpoints/ckpt_1/model.safetensors", sha256("out"), Bytes(5'000'000'000)},
        {"nexa://checkpoints/ckpt_1/tokenizer.json", sha256("tok"), Bytes(0)},
    };
    run.shards = {
        {"shard-00000", sha256("s0"), Bytes(10)}, {"shard-00001", sha256("s1"), Bytes(9)}
    };
    run.hardware = {"Example CPU @ 2.0 \"GHz\"", 8, Bytes(1LL << 35), {{"H100", Bytes(1LL << 36)}}};
    run.world_size = 2;
    run.tokens_processed = TokenCount(9'007'199'254'740'993);  // not a double
    run.metrics = {{"accuracy", 0.1}, {"loss", 1e-7}, {"perplexity", std::nullopt}};
    run.exit_status = 0;
    run.error = "";
    run.resumed_from = RunResume{"ckpt_0", 1000};
    return run;
}

class RunManifestTest : public testing::Test {
protected:
    fs::path path() const { return folder.path() / "runs/r/manifest.json"; }
    std::string bytes() const { return read_file(path(), 1 << 20).value(); }

    TemporaryDirectory folder = TemporaryDirectory::create(fs::temp_directory_path()).value();
};

TEST_F(RunManifestTest, LoadsBackEqual) {
    ASSERT_TRUE(complete().save(path()));
    EXPECT_EQ(RunManifest::load(path()).value(), complete());
    RunManifest least;
    least.run_id = "r";
    least.config = {"{}"};
    ASSERT_TRUE(least.save(path()));
    EXPECT_EQ(RunManifest::load(path()).value(), least);
}

TEST_F(RunManifestTest, IsTheGoldenFileOfVersionFour) {
    NEXA_PROVES("A-78");
    const auto golden = RunManifest::load(kGolden);
    ASSERT_TRUE(golden) << golden.error().to_string();
    EXPECT_EQ(golden->schema_version, 4);
    EXPECT_EQ(*golden, complete());
    ASSERT_TRUE(complete().save(path()));
    EXPECT_EQ(bytes(), read_file(kGolden, 1 << 20).value());
}

TEST_F(RunManifestTest, RefusesVersionsItDoesNotKnow) {
    NEXA_PROVES("A-78");
    for (const int version : {0, 1, 3, 5, -4}) {
        const auto refused =
            RunManifest::parse(fmt::format(R"({{"schema_version":{},"something":"else"}})", version)
            );
        EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
        EXPECT_EQ(refused.error().param, "schema_version");
        EXPECT_EQ(
            refused.error().message,
            fmt::format(
                "run manifest has schema version {}, and only version 4 can be read", version
            )
        );
    }
    EXPECT_EQ(RunManifest::parse("{}").error().code, ErrorCode::kInvalidArgument);
    EXPECT_FALSE(RunManifest::parse(R"({"schema_version":"4"})"));
    RunManifest other = complete();
    other.schema_version = 5;
    EXPECT_EQ(other.save(path()).error().code, ErrorCode::kInvalidArgument);
    EXPECT_FALSE(fs::exists(path()));
}

TEST_F(RunManifestTest, RefusesWhatIsDamagedOrUnknown) {
    const std::string whole = to_json(complete());
    for (std::size_t length = 0; length < whole.size(); length += 7) {
        EXPECT_EQ(RunManifest::parse(whole.substr(0, length)).error().code, ErrorCode::kMalformed);
    }
    const auto with = [&](std::string_view from, std::string_view to) {
        std::string text = whole;
        text.replace(text.find(from), from.size(), to);
        return RunManifest::parse(text);
    };
    EXPECT_TRUE(with("\"world_size\":2", "\"world_size\":3"));
    EXPECT_EQ(with("\"world_size\":2", "\"world_size\":0").error().param, "world_size");
    EXPECT_EQ(with("\"world_size\":2", "\"wrld_size\":2").error().param, "wrld_size");
    EXPECT_EQ(with("job_0199a1b2", "../../etc").error().param, "run_id");
    EXPECT_EQ(with("sha256:", "sha512:").error().param, "inputs[0].digest");
    ASSERT_TRUE(write_file_atomically(folder.path() / "m", "{"));
    const auto unreadable = RunManifest::load(folder.path() / "m");
    EXPECT_NE(unreadable.error().message.find((folder.path() / "m").string()), std::string::npos);
    EXPECT_EQ(RunManifest::load(folder.path() / "none").error().code, ErrorCode::kNotFound);
}

TEST_F(RunManifestTest, DoesNotSaveWhatItCouldNotLoad) {
    RunManifest run = complete();
    run.inputs[0].digest = {};
    EXPECT_EQ(run.save(path()).error().code, ErrorCode::kInvalidArgument);
    run = complete();
    run.run_id = "a/b";
    EXPECT_EQ(run.save(path()).error().param, "run_id");
    run = complete();
    run.config = {"{"};
    EXPECT_FALSE(run.save(path()));
    run.config = {};
    EXPECT_FALSE(run.save(path()));
    EXPECT_FALSE(fs::exists(path()));
}

TEST_F(RunManifestTest, AMetricThatIsNoNumberDoesNotLoseTheManifest) {
    RunManifest run = complete();
    run.metrics["loss"] = std::numeric_limits<double>::quiet_NaN();
    run.metrics["worst"] = std::numeric_limits<double>::infinity();
    ASSERT_TRUE(run.save(path()));
    const auto loaded = RunManifest::load(path()).value();
    EXPECT_EQ(loaded.metrics.at("loss"), std::nullopt);
    EXPECT_EQ(loaded.metrics.at("worst"), std::nullopt);
    EXPECT_EQ(loaded.metrics.at("accuracy"), 0.1);
}

TEST_F(RunManifestTest, SavingAgainChangesNothing) {
    NEXA_PROVES("A-86");
    ASSERT_TRUE(complete().save(path()));
    const std::string first = bytes();
    const auto old = fs::file_time_type::clock::now() - std::chrono::hours(1);
    fs::last_write_time(path(), old);
    ASSERT_TRUE(complete().save(path()));
    ASSERT_TRUE(RunManifest::load(path())->save(path()));
    EXPECT_EQ(bytes(), first);
    EXPECT_EQ(fs::last_write_time(path()), old);
    EXPECT_EQ(
        std::distance(fs::directory_iterator(path().parent_path()), fs::directory_iterator()), 1
    );
    RunManifest next = complete();
    next.exit_status = 1;
    ASSERT_TRUE(next.save(path()));
    EXPECT_EQ(RunManifest::load(path())->exit_status, 1);
}

TEST_F(RunManifestTest, EightSaversAtOnceLeaveOneWholeFile) {
    NEXA_PROVES("A-86");
    std::vector<std::thread> savers;
    for (int i = 0; i < 8; ++i) {
        savers.emplace_back([this, i] {
            RunManifest run = complete();
            // Different lengths, so that a mix of two would not parse.
            run.error = std::string(static_cast<std::size_t>(i) * 1000, 'x');
            run.exit_status = i;
            for (int round = 0; round < 10; ++round) {
                EXPECT_TRUE(run.save(path()));
                EXPECT_TRUE(RunManifest::load(path()));
            }
        });
    }
    for (auto& saver : savers) {
        saver.join();
    }
    const auto last = RunManifest::load(path()).value();
    EXPECT_EQ(last.error.size(), static_cast<std::size_t>(*last.exit_status) * 1000);
    EXPECT_EQ(
        std::distance(fs::directory_iterator(path().parent_path()), fs::directory_iterator()), 1
    );
}

TEST(Hardware, IsThisMachine) {
    const RunHardware here = read_hardware();
    EXPECT_GE(here.cores, 1);
    EXPECT_GT(here.memory.value(), 1LL << 26);
    EXPECT_TRUE(here.gpus.empty());
}

}  // namespace
}  // namespace nexa
