// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/json_text.h"
#include "core/result.h"

namespace nexa::cli {

/// What a quickstart is made of: decisions alone, no I/O.

/// What the data teaches, and so which steps there are.
enum class Lesson : std::uint8_t {
    kAddition,  ///< no data given: sums of three-digit numbers, which are made here
    kAnswers,   ///< the user's questions with answers, prompts or conversations
    kText,      ///< the user's documents: one model, measured in bits per byte
};

enum class StepKind : std::uint8_t {
    kUpload,
    kGenerate,
    kAudit,
    kTrainTeacher,
    kEvaluateTeacher,
    kDistill,
    kTrainStudent,
    kEvaluateStudent,
    kDeploy,
    kChat,
};

struct StepRow {
    StepKind kind;
    std::string_view name;      ///< in the report: "train_teacher"
    std::string_view title;     ///< for people
    std::string_view job_type;  ///< empty: no job
};

/// The steps of a lesson, in their order.
std::vector<StepRow> steps_of(Lesson lesson);

/// The lesson of rows in this format, as an audit names it: "text", "chat", "prompt_completion" or
/// "question_answer".
Lesson lesson_of(std::string_view row_format);

/// What the steps so far have made.
struct Made {
    std::string dataset_id;
    std::string teacher_id;
    std::string distilled_id;
    std::string student_id;
    std::string eval_id;  ///< of the newest evaluation
};

/// The model that is deployed: the student where there is one.
const std::string& served_model(Lesson lesson, const Made& made);

/// The spec of a step's job, in its canonical form.
JsonText payload_of(StepKind step, Lesson lesson, const Made& made, std::string_view run_id);

}  // namespace nexa::cli
