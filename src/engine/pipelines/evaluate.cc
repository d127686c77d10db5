// SPDX-License-Identifier: Apache-2.0
#include "engine/pipelines/evaluate.h"

#include <algorithm>
#include <map>

#include "core/file.h"
#include "core/json.h"
#include "core/json_writer.h"
#include "engine/pipelines/benchmarks.h"
#include "engine/pipelines/training_rows.h"
#include "protocol/job_results.h"

namespace nexa::pipelines {

namespace {

using protocol::EvaluateSpec;
using Scores = std::map<std::string, double>;

Scores scores_of(const evaluation::Report& report) {
    Scores scores;
    for (const evaluation::ReportScore& score : report.scores) {
        scores.emplace(score.name, score.value);
        if (score.interval) {
            scores.emplace(score.name + "_ci95_low", score.interval->low);
            scores.emplace(score.name + "_ci95_high", score.interval->high);
        }
    }
    return scores;
}

/// The scores, and the shares behind the report's bars, for programs.
std::string scores_text(const evaluation::Report& report) {
    JsonWriter writer(2);
    writer.begin_object();
    writer.key("scores");
    writer.begin_object();
    for (const auto& [name, value] : scores_of(report)) {
        writer.key(name);
        writer.real(value);
    }
    writer.end_object();
    writer.key("breakdown");
    writer.begin_array();
    for (const evaluation::BarPlot& plot : report.bars) {
        for (const evaluation::Bar& bar : plot.bars) {
            writer.begin_object();
            writer.key("of");
            writer.string(plot.title);
            writer.key("value");
            writer.string(bar.label);
            writer.key("share");
            writer.real(bar.value);
            writer.key("ci95_low");
            writer.real(bar.interval.low);
            writer.key("ci95_high");
            writer.real(bar.interval.high);
            writer.key("samples");
            writer.whole(bar.count);
            writer.end_object();
        }
    }
    writer.end_array();
    writer.end_object();
    return writer.take() + '\n';
}

Result<std::filesystem::path> input_of(const Job& job, std::string_view name) {
    if (auto folder = job.input(name)) {
        return *std::move(folder);
    }
    if (name == "model") {
        return Error::invalid_argument("the job has no model to evaluate")
            .at("model_id")
            .hint("give the id of a checkpoint: `nexa artifact ls` lists them");
    }
    return Error::invalid_argument("the job has no dataset to evaluate on")
        .at("dataset_uri")
        .hint("give the dataset that the model was trained on; its test split is used");
}

Result<nets::LanguageModel> open_model(const Job& job) {
    TRY(const auto folder, input_of(job, "model"));
    auto model = load_local_model(folder);
    if (!model) {
        return std::move(model).error().while_doing("load the model").at("model_id");
    }
    return model;
}

Result<columnar::DatasetReader> open_rows(const Job& job, const EvaluateSpec& spec) {
    TRY(const auto folder, input_of(job, "dataset"));
    auto rows = columnar::DatasetReader::open(
        folder,
        {
            .split = data::Split::kTest,
            .rows_max = spec.max_samples,
            .text_chunk_bytes = kTextChunkBytes,
        }
    );
    if (!rows) {
        return std::move(rows).error().at("dataset_uri");
    }
    return rows;
}

std::string named(const Job& job, std::string_view input) {
    const auto found = std::ranges::find(job.spec.inputs, input, &protocol::EngineInput::name);
    return found->root_digest.empty()
               ? found->artifact_id
               : fmt::format("{} ({})", found->artifact_id, found->root_digest);
}

void describe(const BenchmarkWork& work, evaluation::Report& report, const std::string& eval_id) {
    const EvaluateSpec& spec = work.spec;
    report.title = fmt::format("Evaluation {}: {}", eval_id, spec.benchmark);
    report.facts = {
        {"model", named(work.job, "model")},
        {"parameters", fmt::format("{}", work.model.decoder.config().parameter_count())},
        {"dataset", named(work.job, "dataset")},
        {"split", "test"},
        {"rows are", std::string(columnar::to_string(work.rows.format()))},
        {"benchmark", spec.benchmark},
        {"seed", fmt::format("{}", spec.seed)},
    };
    if (spec.benchmark == "heldout") {
        report.facts.emplace_back("longest answer", fmt::format("{} tokens", spec.max_new_tokens));
        report.facts.emplace_back("temperature", fmt::format("{}", spec.temperature));
    }
    if (spec.max_samples > 0) {
        report.facts.emplace_back("rows at most", fmt::format("{}", spec.max_samples));
    }
}

}  // namespace

Result<protocol::EngineResult> run_evaluate(Job& job) {
    TRY(const auto spec, from_json<EvaluateSpec>(job.spec.payload.text));
    TRY(const nets::LanguageModel model, open_model(job));
    TRY(columnar::DatasetReader rows, open_rows(job, spec));
    TRY(const auto folder, job.make_output("eval"));
    TRY(LinesFile items, LinesFile::create(folder / "items.jsonl"));
    const BenchmarkWork work{
        .job = job, .spec = spec, .model = model, .rows = rows, .items = items
    };
    TRY(BenchmarkOutcome outcome,
        spec.benchmark == "perplexity" ? run_perplexity(work) : run_heldout(work));
    TRY_STATUS(items.finish());

    const std::string eval_id = job.artifact_id("eval");
    describe(work, outcome.report, eval_id);
    const Scores scores = scores_of(outcome.report);
    TRY_STATUS(write_file_atomically(folder / "scores.json", scores_text(outcome.report)));
    TRY_STATUS(
        write_file_atomically(folder / "report.html", evaluation::render_report(outcome.report))
    );

    protocol::EngineResult ended;
    ended.result = JsonText{to_json(protocol::EvaluateResult{
        .eval_id = eval_id,
        .scores = scores,
        .report_uri = fmt::format("internal://{}/report.html", eval_id),
        .num_samples = outcome.samples,
    })};
    ended.outputs.push_back({
        .artifact_id = eval_id,
        .kind = "eval",
        .path = "eval",
        .name = spec.benchmark,
        .metrics = scores,
    });
    ended.usage = outcome.usage;
    return ended;
}

}  // namespace nexa::pipelines
