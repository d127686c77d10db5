// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "config/settings.h"
#include "core/file.h"
#include "core/json.h"
#include "core/json_codec.h"
#include "fakes/proves.h"

/// A nested configuration: a file that is named, overrides above it, and the same list of fields
/// for JSON.
namespace nexa::config {
namespace {

enum class Schedule : std::uint8_t { kConstant, kCosine };
constexpr auto enum_names(Schedule) {
    return std::to_array<EnumName<Schedule>>({
        {Schedule::kConstant, "constant"},
        {Schedule::kCosine, "cosine"},
    });
}

struct Optimizer {
    double learning_rate = 3e-4;
    Schedule schedule = Schedule::kCosine;
    bool operator==(const Optimizer&) const = default;
    static constexpr auto fields() {
        return std::tuple{
            field("learning_rate", &Optimizer::learning_rate, "Peak").within(0, 1),
            field("schedule", &Optimizer::schedule, "Shape of the learning rate"),
        };
    }
};

struct Training {
    std::string model_id;
    int epochs = 3;
    Optimizer optimizer;
    std::vector<std::string> datasets;
    bool operator==(const Training&) const = default;
    static constexpr auto fields() {
        return std::tuple{
            field("model_id", &Training::model_id, "Model to start from").required(),
            field("epochs", &Training::epochs, "Passes over the data").within(1, 1000),
            field("optimizer", &Training::optimizer, "Optimizer"),
            field("datasets", &Training::datasets, "Data to train on"),
        };
    }
};

NEXA_JSON_CODEC(Training);

constexpr std::string_view kExample = R"(# a small run
model_id: tiny-llama
epochs: 2
optimizer:
  learning_rate: 1e-3
datasets:
  - ds_1
  - ds_2
)";

class TrainingConfigTest : public ::testing::Test {
protected:
    void SetUp() override {
        auto made = TemporaryDirectory::create(std::filesystem::temp_directory_path());
        ASSERT_TRUE(made);
        directory_.emplace(*std::move(made));
        sources_.file = directory_->path() / "train.yaml";
        write(kExample);
    }
    void write(std::string_view text) {
        ASSERT_TRUE(write_file_atomically(*sources_.file, text, 0644));
    }
    std::string refusal() {
        const auto settings = load_settings<Training>(sources_);
        return settings ? "accepted" : settings.error().to_string();
    }

    std::optional<TemporaryDirectory> directory_;
    SettingsSources sources_;
};

TEST_F(TrainingConfigTest, AnExampleFileLoadsWithTypesAndDefaults) {
    const auto settings = load_settings<Training>(sources_);
    ASSERT_TRUE(settings) << settings.error().to_string();
    const Training expected{
        .model_id = "tiny-llama",
        .epochs = 2,
        .optimizer = {.learning_rate = 1e-3, .schedule = Schedule::kCosine},
        .datasets = {"ds_1", "ds_2"},
    };
    EXPECT_EQ(settings->value, expected);
    // What was loaded is what a job carries.
    EXPECT_EQ(from_json<Training>(to_json(settings->value)).value(), expected);
}

TEST_F(TrainingConfigTest, AnOverrideBeatsEnvironmentFileAndDefault) {
    NEXA_PROVES("A-64");
    sources_.environment["NEXA_EPOCHS"] = "4";
    sources_.flags.push_back(parse_override("epochs=5").value());
    const auto settings = load_settings<Training>(sources_);
    ASSERT_TRUE(settings);
    EXPECT_EQ(settings->value.epochs, 5);
    EXPECT_EQ(find_origin(settings->origins, "epochs")->origin, "--set");
    EXPECT_EQ(
        find_origin(settings->origins, "optimizer.learning_rate")->origin,
        sources_.file->string() + ":5"
    );
    EXPECT_EQ(find_origin(settings->origins, "optimizer.schedule")->origin, "default");
}

TEST_F(TrainingConfigTest, UnknownKeyAndWrongTypeNameFilePathAndSuggestion) {
    NEXA_PROVES("A-63");
    const std::string file = sources_.file->string();
    write("model_id: m\noptimizer:\n  learning_rat: 1\n");
    EXPECT_EQ(
        refusal(),
        file +
            ":3: optimizer.learning_rat: no such field in Optimizer "
            "(did you mean 'learning_rate'?)"
    );
    write("model_id: m\noptimizer:\n  schedule: cosin\n");
    EXPECT_EQ(
        refusal(),
        file +
            ":3: optimizer.schedule: must be one of constant, cosine, is 'cosin' "
            "(did you mean 'cosine'?)"
    );
    write("model_id: m\ndatasets: one\n");
    EXPECT_EQ(refusal(), file + ":2: datasets: must be an array, is 'one'");
    write("epochs: 1\n");
    EXPECT_EQ(
        refusal(),
        "model_id: is missing (set it in " + file + ", by NEXA_MODEL_ID or by --set model_id=…)"
    );
    EXPECT_EQ(row_of(load_settings<Training>(sources_).error().code).exit_code, 2);
}

}  // namespace
}  // namespace nexa::config
