// SPDX-License-Identifier: Apache-2.0
#include "engine/pipelines/distill.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "core/json.h"
#include "core/mix_bits.h"
#include "core/trim.h"
#include "data/exact_dedup.h"
#include "engine/columnar/dataset_reader.h"
#include "engine/pipelines/answer_selection.h"
#include "engine/pipelines/cached_teacher.h"
#include "engine/pipelines/distilled_writer.h"
#include "engine/pipelines/row_meta.h"
#include "engine/pipelines/training_rows.h"
#include "evaluation/task.h"
#include "protocol/distill_spec.h"
#include "protocol/job_results.h"

namespace nexa::pipelines {

namespace {

using columnar::DatasetReader;
using columnar::SourceRow;
using protocol::DistillSpec;

constexpr std::size_t kRowsAtOnce = 2048;

TeacherOptions options_of(const DistillSpec& spec) {
    return {
        .temperature = spec.temperature,
        .top_p = spec.top_p,
        .new_tokens_max = spec.max_new_tokens,
    };
}

/// What was said before the answer that is wanted.
std::vector<text::ChatMessage> conversation_of(const SourceRow& row) {
    std::vector<text::ChatMessage> turns = columnar::turns_of(row.row);
    if (!turns.empty() && turns.back().role == "assistant") {
        turns.pop_back();
    }
    return turns;
}

data::Hash128 hash_of(const std::vector<text::ChatMessage>& conversation) {
    std::vector<std::string_view> parts;
    for (const text::ChatMessage& message : conversation) {
        parts.push_back(message.role);
        parts.push_back(message.content);
    }
    return data::hash_fields(parts);
}

/// The same conversation draws the same answers wherever it stands.
std::uint64_t seed_of(std::uint64_t seed, const std::vector<text::ChatMessage>& messages, int k) {
    return mix_bits(seed ^ hash_of(messages).low) + static_cast<std::uint64_t>(k);
}

class Distillation {
public:
    Distillation(Job& job, const DistillSpec& spec, CachedTeacher& teacher, DistilledWriter& writer)
        : job_(job),
          spec_(spec),
          seed_(spec.seed.value_or(0)),
          selection_(selection_from(spec.selection)),
          teacher_(teacher),
          writer_(writer) {}

    Status teach(DatasetReader reader);
    Status carry_over(DatasetReader reader);
    std::map<std::string, std::int64_t> counts() const;
    std::int64_t prompts() const { return prompts_; }
    std::int64_t kept() const { return kept_; }

private:
    Status teach_some(std::vector<SourceRow> rows);
    Status keep(const SourceRow& row, std::string_view answer);

    Job& job_;
    const DistillSpec& spec_;
    std::uint64_t seed_;
    Selection selection_;
    CachedTeacher& teacher_;
    DistilledWriter& writer_;
    data::ExactDeduplicator seen_;
    std::int64_t prompts_ = 0;
    std::int64_t repeated_ = 0;
    std::int64_t samples_ = 0;
    std::int64_t kept_ = 0;
    std::int64_t rejected_ = 0;
};

Status Distillation::teach(DatasetReader reader) {
    const std::int64_t wanted = spec_.max_prompts > 0 ? spec_.max_prompts : INT64_MAX;
    const std::int64_t total = std::min(wanted, reader.rows_total());
    std::vector<SourceRow> rows;
    while (prompts_ < wanted && !teacher_.teacher().is_exhausted()) {
        TRY_STATUS(job_.cancel.check());
        TRY(std::optional<SourceRow> row, reader.next());
        if (!row) {
            break;
        }
        if (seen_.add(hash_of(conversation_of(*row)), row->number)) {
            ++repeated_;
            continue;
        }
        ++prompts_;
        rows.push_back(*std::move(row));
        if (rows.size() == kRowsAtOnce) {
            TRY_STATUS(teach_some(std::exchange(rows, {})));
            job_.events.progress(
                {.phase = "distill", .done = prompts_, .total = total, .unit = "prompts"}
            );
        }
    }
    TRY_STATUS(teach_some(std::move(rows)));
    if (teacher_.teacher().is_exhausted()) {
        job_.events.say(
            "distill",
            fmt::format("cost cap of ${} reached after {} prompts", spec_.max_cost_usd, prompts_)
        );
    }
    job_.events.progress(
        {.phase = "distill", .done = prompts_, .total = prompts_, .unit = "prompts"}
    );
    return {};
}

Status Distillation::teach_some(std::vector<SourceRow> rows) {
    const auto samples = static_cast<std::size_t>(spec_.samples_per_prompt);
    std::vector<Question> questions;
    questions.reserve(rows.size() * samples);
    for (const SourceRow& row : rows) {
        std::vector<text::ChatMessage> messages = conversation_of(row);
        const std::vector<text::ChatMessage> own = messages;
        if (spec_.system_prompt) {
            messages.insert(messages.begin(), {.role = "system", .content = *spec_.system_prompt});
        }
        for (int k = 0; k < spec_.samples_per_prompt; ++k) {
            questions.push_back({.messages = messages, .seed = seed_of(seed_, own, k)});
        }
    }
    TRY(const std::vector<Answer> answers, teacher_.answer(questions));
    samples_ += static_cast<std::int64_t>(answers.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto of_row = std::span(answers).subspan(i * samples, samples);
        TRY(const Selected selected, select_answer(rows[i], of_row, selection_));
        if (selected.answer) {
            TRY_STATUS(keep(rows[i], trimmed(of_row[*selected.answer].text)));
            ++kept_;
        } else {
            TRY_STATUS(writer_.reject(rows[i], selected.reason));
            ++rejected_;
        }
    }
    return {};
}

Status Distillation::carry_over(DatasetReader reader) {
    while (true) {
        TRY(const std::optional<SourceRow> row, reader.next());
        if (!row) {
            return {};
        }
        TRY_STATUS(keep(*row, columnar::answer_of(row->row)));
    }
}

Status Distillation::keep(const SourceRow& row, std::string_view answer) {
    const bool reverses = spec_.reverse_answer &&
                          meta_of(row.meta, evaluation::kAnswerOrder) != evaluation::kReversed;
    if (!reverses) {
        return writer_.add(row, answer, false);
    }
    if (meta_of(row.meta, "domain") != "arithmetic") {
        return Error::invalid_argument("only answers of arithmetic can be written in reverse")
            .at("reverse_answer");
    }
    return writer_.add(row, std::string(answer.rbegin(), answer.rend()), true);
}

std::map<std::string, std::int64_t> Distillation::counts() const {
    return {
        {"prompts", prompts_},
        {"repeated_prompts", repeated_},
        {"samples", samples_},
        {"accepted", kept_},
        {"rejected", rejected_},
        {"from_cache", teacher_.counts().found},
    };
}

Result<std::unique_ptr<Teacher>> open_teacher(const Job& job, const DistillSpec& spec) {
    if (const auto folder = job.input("teacher")) {
        return open_local_teacher(*folder, options_of(spec), job.cancel);
    }
    auto teacher =
        open_endpoint_teacher(job.dir, spec.teacher, options_of(spec), job.cancel, job.clock);
    if (!teacher) {
        return std::move(teacher).error().at("teacher").while_doing("ask " + spec.teacher);
    }
    return teacher;
}

protocol::EngineResult describe(
    const Job& job, const Distillation& done, const CachedTeacher& teacher
) {
    const std::string id = job.artifact_id("distill");
    const CachedTeacher::Counts& asked = teacher.counts();
    protocol::EngineResult ended;
    ended.result = JsonText{to_json(protocol::DistillResult{
        .distilled_dataset_id = id,
        .sft_dataset_uri = fmt::format("internal://{}/train.parquet", id),
        .num_samples = done.kept(),
        .estimated_tokens = asked.completion_tokens,
        .counts = done.counts(),
    })};
    ended.outputs.push_back({
        .artifact_id = id,
        .kind = "distill",
        .path = "distill",
        .name = fmt::format("{} rows", done.kept()),
        .metrics = {{"rows", static_cast<double>(done.kept())}},
    });
    if (!teacher.teacher().is_metered_elsewhere()) {
        ended.usage.input_tokens = asked.prompt_tokens;
        ended.usage.output_tokens = asked.completion_tokens;
    }
    return ended;
}

}  // namespace

Result<protocol::EngineResult> run_distill(Job& job) {
    TRY(const auto spec, from_json<DistillSpec>(job.spec.payload.text));
    TRY(const auto dataset, job.needed_input("dataset", "dataset_uri"));
    TRY(DatasetReader train, DatasetReader::open(dataset, {.split = data::Split::kTrain}));
    if (train.format() == columnar::RowFormat::kText) {
        return Error::invalid_argument("text has no prompts that a teacher could answer")
            .at("dataset_uri")
            .hint("generate questions about it first (domain 'documents')");
    }
    TRY(const auto teacher, open_teacher(job, spec));
    TRY(const auto work, job.make_work("distill"));
    TRY(CachedTeacher cached,
        CachedTeacher::open(*teacher, options_of(spec), work / "teacher_cache.jsonl"));
    TRY(const auto folder, job.make_output("distill"));
    TRY(DistilledWriter writer, DistilledWriter::create(folder, train.format()));
    Distillation distillation(job, spec, cached, writer);
    TRY_STATUS(distillation.teach(std::move(train)));
    if (distillation.prompts() == 0) {
        return no_training_rows();
    }
    if (distillation.kept() == 0) {
        return Error::invalid_argument("none of the teacher's answers was accepted")
            .at("selection")
            .hint("a better teacher, more samples_per_prompt, or the selection 'first'");
    }
    for (const data::Split split : {data::Split::kValidation, data::Split::kTest}) {
        TRY(DatasetReader rows, DatasetReader::open(dataset, {.split = split}));
        TRY_STATUS(distillation.carry_over(std::move(rows)));
    }
    TRY_STATUS(writer.finish());
    return describe(job, distillation, cached);
}

}  // namespace nexa::pipelines
