// SPDX-License-Identifier: Apache-2.0
#include "cli/quickstart_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/json.h"
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

}  // namespace
}  // namespace nexa::cli
