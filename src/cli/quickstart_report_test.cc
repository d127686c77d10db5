// SPDX-License-Identifier: Apache-2.0
#include "cli/quickstart_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/value_node.h"

namespace nexa::cli {
namespace {

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
}

TEST(QuickstartReport, OfTextTheFileSaysHowWellItWasPredictedBeforeAndAfter) {
    QuickstartReport report;
    Made made;
    ASSERT_TRUE(report.take(
        StepKind::kTrainTeacher,
        {R"({"checkpoint_id":"ckpt_9","checkpoint_uri":"u","train_metrics_uri":"m","gpu_hours":0,)"
         R"("metrics":{"bits_per_byte_before":8,"bits_per_byte_after":2.5}})"},
        made
    ));
    EXPECT_THAT(report.to_json(), testing::HasSubstr("\"bits_per_byte_before\": 8"));
    EXPECT_THAT(report.to_json(), testing::HasSubstr("\"bits_per_byte_after\": 2.5"));
    report.teacher = ModelScore{};
    EXPECT_THAT(report.to_json(), testing::Not(testing::HasSubstr("bits_per_byte")));
}

}  // namespace
}  // namespace nexa::cli
