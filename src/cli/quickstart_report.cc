// SPDX-License-Identifier: Apache-2.0
#include "cli/quickstart_report.h"

#include <fmt/format.h>

#include "cli/api_client.h"
#include "core/json_writer.h"
#include "protocol/job_results.h"

namespace nexa::cli {

namespace {

using Numbers = std::map<std::string, double>;

std::optional<double> find(const Numbers& numbers, const std::string& name) {
    const auto found = numbers.find(name);
    return found == numbers.end() ? std::nullopt : std::optional(found->second);
}

std::string millions(std::int64_t parameters) {
    return fmt::format("{:.2f} M parameters", static_cast<double>(parameters) / 1e6);
}

std::optional<ModelScore> score_of(const Numbers& scores) {
    const auto exact = find(scores, "exact_match");
    if (!exact) {
        return std::nullopt;
    }
    return ModelScore{
        .exact_match = *exact,
        .low = find(scores, "exact_match_ci95_low").value_or(*exact),
        .high = find(scores, "exact_match_ci95_high").value_or(*exact),
    };
}

std::string shown(const ModelScore& score) {
    return fmt::format(
        "exact match {:.3f} (95 %: {:.3f} to {:.3f})", score.exact_match, score.low, score.high
    );
}

std::string note_of(const protocol::TrainResult& trained) {
    std::string note = fmt::format("{}, {} steps", millions(trained.parameters), trained.steps);
    if (const auto loss = find(trained.metrics, "loss")) {
        note += fmt::format(", loss {:.4g}", *loss);
    }
    if (const auto rate = find(trained.metrics, "tokens_per_second")) {
        note += fmt::format(", {:.0f} tokens/s", *rate);
    }
    return note;
}

std::string note_of(const protocol::AuditResult& audited) {
    std::string note = fmt::format(
        "quality {:.2f} of 5, tier {}", audited.overall_quality_score, audited.quality_tier
    );
    if (const auto bad = find(audited.metrics, "rows_unreadable"); bad && *bad > 0) {
        note += fmt::format(", {:.0f} rows unreadable: `nexa job logs` names them", *bad);
    }
    return note;
}

std::string note_of(const protocol::EvaluateResult& evaluated) {
    if (const auto score = score_of(evaluated.scores)) {
        return fmt::format("{}, {} samples", shown(*score), evaluated.num_samples);
    }
    return fmt::format("{:.3f} bits per byte", find(evaluated.scores, "bits_per_byte").value_or(0));
}

void write(JsonWriter& writer, std::string_view name, const std::optional<ModelScore>& score) {
    if (!score) {
        return;
    }
    writer.key(name);
    writer.begin_object();
    writer.key("exact_match");
    writer.real(score->exact_match);
    writer.key("exact_match_ci95");
    writer.begin_array();
    writer.real(score->low);
    writer.real(score->high);
    writer.end_array();
    writer.end_object();
}

void write(JsonWriter& writer, std::string_view name, const std::optional<double>& number) {
    if (number) {
        writer.key(name);
        writer.real(*number);
    }
}

std::string dollars(double amount) {
    return fmt::format("{:.6f}", amount);
}

}  // namespace

Result<std::string> QuickstartReport::take(StepKind step, const JsonText& result, Made& made) {
    switch (step) {
        case StepKind::kGenerate: {
            TRY(const auto generated, read_reply<protocol::GenerateResult>(result.text));
            made.dataset_id = generated.dataset_id;
            return fmt::format("{} rows", generated.num_samples);
        }
        case StepKind::kAudit: {
            TRY(const auto audited, read_reply<protocol::AuditResult>(result.text));
            return note_of(audited);
        }
        case StepKind::kTrainTeacher:
        case StepKind::kTrainStudent: {
            TRY(const auto trained, read_reply<protocol::TrainResult>(result.text));
            (step == StepKind::kTrainTeacher ? made.teacher_id : made.student_id) =
                trained.checkpoint_id;
            bits_per_byte_before = find(trained.metrics, "bits_per_byte_before");
            bits_per_byte_after = find(trained.metrics, "bits_per_byte_after");
            return note_of(trained);
        }
        case StepKind::kEvaluateTeacher:
        case StepKind::kEvaluateStudent: {
            TRY(const auto evaluated, read_reply<protocol::EvaluateResult>(result.text));
            made.eval_id = evaluated.eval_id;
            (step == StepKind::kEvaluateTeacher ? teacher : student) = score_of(evaluated.scores);
            return note_of(evaluated);
        }
        case StepKind::kDistill: {
            TRY(const auto distilled, read_reply<protocol::DistillResult>(result.text));
            made.distilled_id = distilled.distilled_dataset_id;
            return fmt::format(
                "{} rows kept, {} tokens of the teacher",
                distilled.num_samples,
                distilled.estimated_tokens
            );
        }
        case StepKind::kDeploy: {
            TRY(const auto deployed, read_reply<protocol::DeployResult>(result.text));
            return deployed.inference_url;
        }
        case StepKind::kUpload:
        case StepKind::kChat:
            break;
    }
    return std::string();
}

std::string QuickstartReport::to_json() const {
    JsonWriter writer(2);
    writer.begin_object();
    writer.key("steps");
    writer.begin_array();
    for (const StepReport& step : steps) {
        writer.begin_object();
        writer.key("name");
        writer.string(step.name);
        writer.key("seconds");
        writer.real(step.seconds);
        writer.key("cost_usd");
        writer.real(step.cost_usd);
        writer.end_object();
    }
    writer.end_array();
    write(writer, "teacher", teacher);
    write(writer, "student", student);
    if (!teacher) {  // of answers the exact match counts
        write(writer, "bits_per_byte_before", bits_per_byte_before);
        write(writer, "bits_per_byte_after", bits_per_byte_after);
    }
    writer.key("seconds");
    writer.real(seconds);
    writer.end_object();
    return writer.take();
}

Table QuickstartReport::to_table() const {
    Table table({"STEP", "RESULT", "COST USD", "TIME"});
    double cost = 0;
    for (const StepReport& step : steps) {
        cost += step.cost_usd;
        table.add(
            {step.title, step.note, dollars(step.cost_usd), fmt::format("{:.1f} s", step.seconds)}
        );
    }
    table.add({"all", "", dollars(cost), fmt::format("{:.1f} s", seconds)});
    return table;
}

}  // namespace nexa::cli
