// SPDX-License-Identifier: Apache-2.0
#include "cli/quickstart_plan.h"

#include <array>

#include <fmt/format.h>

#include "core/check.h"
#include "core/json.h"
#include "protocol/audit_spec.h"
#include "protocol/deploy_spec.h"
#include "protocol/distill_spec.h"
#include "protocol/evaluate_spec.h"
#include "protocol/generate_spec.h"
#include "protocol/train_spec.h"

namespace nexa::cli {

namespace {

constexpr std::string_view kTeacherPreset = "nexa-small";
constexpr std::string_view kStudentPreset = "nexa-tiny";

constexpr std::array kRows{
    StepRow{StepKind::kUpload, "upload", "upload", ""},
    StepRow{StepKind::kGenerate, "generate", "generate", "generate"},
    StepRow{StepKind::kAudit, "audit", "audit", "audit"},
    StepRow{StepKind::kTrainTeacher, "train_teacher", "train teacher", "train"},
    StepRow{StepKind::kEvaluateTeacher, "evaluate_teacher", "evaluate teacher", "evaluate"},
    StepRow{StepKind::kDistill, "distill", "distill", "distill"},
    StepRow{StepKind::kTrainStudent, "train_student", "train student", "train"},
    StepRow{StepKind::kEvaluateStudent, "evaluate_student", "evaluate student", "evaluate"},
    StepRow{StepKind::kDeploy, "deploy", "deploy", "deploy"},
    StepRow{StepKind::kChat, "chat", "chat", ""},
};

bool belongs_to(StepKind step, Lesson lesson) {
    switch (step) {
        case StepKind::kUpload:
            return lesson != Lesson::kAddition;
        case StepKind::kGenerate:
            return lesson == Lesson::kAddition;
        case StepKind::kDistill:
        case StepKind::kTrainStudent:
        case StepKind::kEvaluateStudent:
            return lesson != Lesson::kText;
        default:
            return true;
    }
}

protocol::GenerateSpec sums() {
    return {
        .domain = "arithmetic",
        .num_samples = 120'000,
        .seed = 1,
        .digits = 3,
        .min_digits = 3,
        .validation_fraction = 0.02,
        .test_fraction = 0.02,
    };
}

/// The recipes below reach their goals on two cores in about two minutes; how they were found is in
/// docs/decisions.
protocol::TrainSpec teacher_of(Lesson lesson) {
    protocol::TrainSpec spec{.model_id = std::string(kTeacherPreset), .checkpoint_every = 200};
    if (lesson == Lesson::kAddition) {
        spec.epochs = 2;
        spec.max_steps = 600;
        spec.batch_size = 256;
        spec.max_seq_len = 32;
        spec.learning_rate = 3e-3;
        spec.min_learning_rate_ratio = 0;
        spec.warmup_ratio = 0.05;
        spec.weight_decay = 0.1;
        spec.vocab_size = 280;
        spec.seed = 1;
    } else {
        // More passes over a small text only learn it by heart.
        spec.epochs = lesson == Lesson::kText ? 6 : 3;
        spec.max_steps = lesson == Lesson::kText ? 400 : 200;
        spec.batch_size = 16;
        spec.max_seq_len = 256;
        spec.learning_rate = 3e-3;
        spec.warmup_ratio = 0.05;
        spec.vocab_size = lesson == Lesson::kText ? 1024 : 2048;
    }
    return spec;
}

protocol::TrainSpec student_of(Lesson lesson) {
    protocol::TrainSpec spec = teacher_of(lesson);
    spec.model_id = std::string(kStudentPreset);
    if (lesson == Lesson::kAddition) {
        spec.epochs = 4;
        spec.max_steps = 1000;
        spec.batch_size = 128;
    }
    return spec;
}

protocol::DistillSpec distill_of(Lesson lesson, const Made& made) {
    protocol::DistillSpec spec{.dataset_uri = made.dataset_id, .teacher = made.teacher_id};
    spec.seed = 1;
    spec.temperature = 0;
    if (lesson == Lesson::kAddition) {
        spec.max_new_tokens = 8;
        spec.max_prompts = 40'000;
        spec.reverse_answer = true;
    } else {
        spec.selection = "first";
        spec.temperature = 0.7;
        spec.max_new_tokens = 96;
        spec.max_prompts = 512;
    }
    return spec;
}

protocol::EvaluateSpec evaluate_of(
    Lesson lesson, const std::string& model_id, const std::string& dataset_id
) {
    protocol::EvaluateSpec spec{.model_id = model_id, .dataset_uri = dataset_id};
    if (lesson == Lesson::kText) {
        spec.benchmark = "perplexity";
        return spec;
    }
    spec.max_samples = lesson == Lesson::kAddition ? 2'000 : 100;
    spec.max_new_tokens = lesson == Lesson::kAddition ? 8 : 96;
    return spec;
}

}  // namespace

std::vector<StepRow> steps_of(Lesson lesson) {
    std::vector<StepRow> steps;
    for (const StepRow& row : kRows) {
        if (belongs_to(row.kind, lesson)) {
            steps.push_back(row);
        }
    }
    return steps;
}

Lesson lesson_of(std::string_view row_format) {
    return row_format == "text" ? Lesson::kText : Lesson::kAnswers;
}

const std::string& served_model(Lesson lesson, const Made& made) {
    return lesson == Lesson::kText ? made.teacher_id : made.student_id;
}

JsonText payload_of(StepKind step, Lesson lesson, const Made& made, std::string_view run_id) {
    protocol::TrainSpec train;
    switch (step) {
        case StepKind::kGenerate:
            return {to_json(sums())};
        case StepKind::kAudit:
            return {to_json(protocol::AuditSpec{.dataset_uri = made.dataset_id})};
        case StepKind::kTrainTeacher:
            train = teacher_of(lesson);
            train.dataset_uri = made.dataset_id;
            return {to_json(train)};
        case StepKind::kEvaluateTeacher:
            return {to_json(evaluate_of(lesson, made.teacher_id, made.dataset_id))};
        case StepKind::kDistill:
            return {to_json(distill_of(lesson, made))};
        case StepKind::kTrainStudent:
            train = student_of(lesson);
            train.dataset_uri = made.distilled_id;
            return {to_json(train)};
        case StepKind::kEvaluateStudent:
            return {to_json(evaluate_of(lesson, made.student_id, made.distilled_id))};
        case StepKind::kDeploy:
            return {to_json(protocol::DeploySpec{
                .model_id = served_model(lesson, made),
                .name = fmt::format("quickstart-{}", run_id),
            })};
        case StepKind::kUpload:
        case StepKind::kChat:
            break;
    }
    NEXA_CHECK(false);  // these two are no jobs
    return {};
}

}  // namespace nexa::cli
