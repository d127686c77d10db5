// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/quickstart_plan.h"
#include "cli/quickstart_report.h"
#include "cli/quickstart_state.h"
#include "core/file.h"
#include "core/json.h"
#include "core/value_node.h"
#include "protocol/job_types.h"

namespace nexa::cli {
namespace {

std::vector<std::string_view> names_of(Lesson lesson) {
    std::vector<std::string_view> names;
    for (const StepRow& step : steps_of(lesson)) {
        names.push_back(step.name);
    }
    return names;
}

TEST(QuickstartPlan, SumsAreMadeAndGoThroughTheWholeLife) {
    EXPECT_THAT(
        names_of(Lesson::kAddition),
        testing::ElementsAre(
            "generate",
            "audit",
            "train_teacher",
            "evaluate_teacher",
            "distill",
            "train_student",
            "evaluate_student",
            "deploy",
            "chat"
        )
    );
}

TEST(QuickstartPlan, TextHasNoStudentAndUsersDataIsUploaded) {
    EXPECT_THAT(
        names_of(Lesson::kText),
        testing::ElementsAre(
            "upload", "audit", "train_teacher", "evaluate_teacher", "deploy", "chat"
        )
    );
    EXPECT_EQ(names_of(Lesson::kAnswers).front(), "upload");
    EXPECT_EQ(lesson_of("text"), Lesson::kText);
    EXPECT_EQ(lesson_of("chat"), Lesson::kAnswers);
}

TEST(QuickstartPlan, TheFirstStepsAreTheSameWhateverTheAuditFinds) {
    for (std::size_t i = 0; i < 2; ++i) {
        EXPECT_EQ(steps_of(Lesson::kAnswers)[i].kind, steps_of(Lesson::kText)[i].kind);
    }
}

TEST(QuickstartPlan, EverySpecIsAcceptedAndReadsWhatEarlierStepsMade) {
    const Made made{
        .dataset_id = "ds_1",
        .teacher_id = "ckpt_1",
        .distilled_id = "ds_2",
        .student_id = "ckpt_2",
        .eval_id = "ev_1",
    };
    for (const Lesson lesson : {Lesson::kAddition, Lesson::kAnswers, Lesson::kText}) {
        for (const StepRow& step : steps_of(lesson)) {
            if (step.job_type.empty()) {
                continue;
            }
            const JsonText payload = payload_of(step.kind, lesson, made, "r1");
            const auto type = protocol::find_job_type(step.job_type);
            ASSERT_TRUE(type);
            const auto canonical = (*type)->canonical(payload.text);
            ASSERT_TRUE(canonical) << step.name << ": " << canonical.error().to_string();
        }
    }
    const auto deploy = payload_of(StepKind::kDeploy, Lesson::kAddition, made, "r1");
    EXPECT_THAT(deploy.text, testing::HasSubstr("ckpt_2"));
    EXPECT_THAT(
        payload_of(StepKind::kDeploy, Lesson::kText, made, "r1").text, testing::HasSubstr("ckpt_1")
    );
    EXPECT_THAT(
        payload_of(StepKind::kTrainStudent, Lesson::kAddition, made, "r1").text,
        testing::HasSubstr("ds_2")
    );
}

TEST(QuickstartReport, TakesIdsAndScoresOutOfResults) {
    QuickstartReport report;
    Made made;
    ASSERT_TRUE(report.take(
        StepKind::kTrainTeacher,
        {R"({"checkpoint_id":"ckpt_9","checkpoint_uri":"u","train_metrics_uri":"m","gpu_hours":0,)"
         R"("steps":5,"parameters":600000,"metrics":{"loss":0.5}})"},
        made
    ));
    EXPECT_EQ(made.teacher_id, "ckpt_9");
    ASSERT_TRUE(report.take(
        StepKind::kEvaluateTeacher,
        {R"({"eval_id":"ev_9","scores":{"exact_match":0.99,"exact_match_ci95_low":0.98,)"
         R"("exact_match_ci95_high":0.995},"report_uri":"r","num_samples":10})"},
        made
    ));
    EXPECT_EQ(made.eval_id, "ev_9");
    ASSERT_TRUE(report.teacher);
    EXPECT_EQ(report.teacher->low, 0.98);
    EXPECT_FALSE(report.student);
    EXPECT_FALSE(report.take(StepKind::kDistill, {R"({"x":1})"}, made));
}

TEST(QuickstartReport, TheFileHasTheFieldsThatScriptsReadAndNoOthers) {
    QuickstartReport report{
        .steps = {{.name = "generate", .title = "generate", .seconds = 1.5, .cost_usd = 0.25}},
        .teacher = ModelScore{.exact_match = 1, .low = 0.9, .high = 1},
        .seconds = 2,
    };
    const std::string text = report.to_json();
    const auto root = parse_json(text);
    ASSERT_TRUE(root);
    EXPECT_THAT(root->keys, testing::ElementsAre("steps", "teacher", "seconds"));
    EXPECT_THAT(
        root->find("steps")->items[0].keys, testing::ElementsAre("name", "seconds", "cost_usd")
    );
    EXPECT_EQ(root->find("teacher")->find("exact_match_ci95")->items.size(), 2U);
    report.bits_per_byte_before = 8;
    report.bits_per_byte_after = 2.5;
    EXPECT_THAT(report.to_json(), testing::HasSubstr("\"bits_per_byte_after\": 2.5"));
}

TEST(QuickstartState, ComesBackAndABrokenFileIsNamed) {
    const auto folder = TemporaryDirectory::create(std::filesystem::temp_directory_path());
    EXPECT_EQ(read_state(folder->path())->has_value(), false);
    ASSERT_TRUE(write_state(folder->path(), {.run_id = "a1", .data = "/x", .dataset_id = "ds_1"}));
    const auto state = read_state(folder->path());
    ASSERT_TRUE(state && *state);
    EXPECT_EQ((*state)->run_id, "a1");
    EXPECT_FALSE((*state)->finished);
    ASSERT_TRUE(write_file_atomically(folder->path() / "quickstart.json", "{"));
    EXPECT_THAT(
        read_state(folder->path()).error().to_string(), testing::HasSubstr("quickstart.json")
    );
}

}  // namespace
}  // namespace nexa::cli
