// SPDX-License-Identifier: Apache-2.0
#include "engine/pipelines/train.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <optional>
#include <vector>

#include <ATen/core/grad_mode.h>

#include "core/file.h"
#include "core/json.h"
#include "core/run_manifest.h"
#include "engine/columnar/dataset_reader.h"
#include "engine/nets/language_model.h"
#include "engine/pipelines/cpu_time.h"
#include "engine/pipelines/starting_model.h"
#include "engine/pipelines/training_log.h"
#include "engine/pipelines/training_rows.h"
#include "engine/training/language_objective.h"
#include "engine/training/trainer.h"
#include "protocol/job_results.h"
#include "protocol/train_spec.h"

namespace nexa::pipelines {

namespace {

using columnar::RowFormat;
using nets::LanguageModel;
using protocol::TrainSpec;

/// Validation is a look, not a census.
constexpr std::int64_t kValidationExamplesMax = 1024;
constexpr int kValidationsWanted = 8;
/// Activations of one pass through the model stay within some hundred MiB.
constexpr std::int64_t kMicroBatchTokensMax = 16384;
constexpr std::int64_t kMicroBatchLogitsMax = std::int64_t{1} << 26U;

struct Data {
    TrainingRows train;
    TrainingRows validation;
};

RowsProgress reading(Job& job, std::string_view phase) {
    return [&job, phase](std::int64_t rows, std::int64_t total) -> Status {
        TRY_STATUS(job.cancel.check());
        job.events.progress({.phase = phase, .done = rows, .total = total, .unit = "rows"});
        return {};
    };
}

Result<Data> read_data(
    Job& job,
    const std::filesystem::path& dataset,
    const TrainSpec& spec,
    const LanguageModel& model
) {
    TrainingRowsWish wish{
        .folder = dataset,
        .length_max =
            std::min<std::int64_t>(spec.max_seq_len, model.decoder.config().max_positions),
        .learn_everything = spec.objective == "pretrain",
    };
    Data data;
    TRY(data.train, read_training_rows(model.codec, wish, reading(job, "tokenize")));
    if (data.train.rows == 0) {
        return no_training_rows();
    }
    if (data.train.examples.size() == 0) {
        return Error::invalid_argument(
                   "no training row becomes an example: {} of {} are longer than {} tokens",
                   data.train.too_long,
                   data.train.rows,
                   wish.length_max
        )
            .at("dataset_uri")
            .hint("give rows with answers, or a larger max_seq_len");
    }
    if (data.train.too_long > 0) {
        job.events.say(
            "tokenize",
            fmt::format(
                "{} of {} rows are longer than {} tokens and left out",
                data.train.too_long,
                data.train.rows,
                wish.length_max
            )
        );
    }
    wish.folder = job.input("validation").value_or(dataset);
    wish.split = data::Split::kValidation;
    wish.examples_max = kValidationExamplesMax;
    TRY(data.validation, read_training_rows(model.codec, wish, reading(job, "tokenize")));
    return data;
}

/// Mean loss over all examples, in nats a target.
double mean_loss(const training::Objective& objective, std::int64_t batch) {
    const at::NoGradGuard no_grad;
    std::vector<std::size_t> all(objective.size());
    std::iota(all.begin(), all.end(), std::size_t{0});
    double sum = 0;
    for (std::size_t at = 0; at < all.size(); at += static_cast<std::size_t>(batch)) {
        const std::size_t count = std::min(static_cast<std::size_t>(batch), all.size() - at);
        sum += objective.loss_sum(std::span(all).subspan(at, count)).item<double>();
    }
    return sum / objective.weight(all);
}

double bits_per_byte(double nats_per_target, const TrainingRows& rows) {
    return nats_per_target * rows.target_tokens / std::numbers::ln2 /
           static_cast<double>(std::max<std::int64_t>(rows.target_bytes, 1));
}

std::int64_t steps_of(const TrainSpec& spec, std::size_t examples) {
    const double by_epochs = std::ceil(
        spec.epochs * static_cast<double>(examples) / static_cast<double>(spec.batch_size)
    );
    const auto steps = std::max<std::int64_t>(1, static_cast<std::int64_t>(by_epochs));
    return spec.max_steps > 0 ? std::min(steps, spec.max_steps) : steps;
}

training::TrainerOptions options_of(
    const Job& job, const TrainSpec& spec, const LanguageModel& model, const Data& data
) {
    const std::int64_t steps = steps_of(spec, data.train.examples.size());
    const auto longest = static_cast<std::int64_t>(data.train.examples.longest());
    const std::int64_t tokens =
        std::min(kMicroBatchTokensMax, kMicroBatchLogitsMax / model.decoder.config().vocab);
    return {
        .epochs = std::max<std::int64_t>(1, std::llround(std::ceil(spec.epochs))),
        .steps_max = steps,
        .batch_size = spec.batch_size,
        .micro_batch_size = std::clamp<std::int64_t>(tokens / longest, 1, spec.batch_size),
        .learning_rate = spec.learning_rate,
        .final_learning_rate_ratio = spec.min_learning_rate_ratio,
        .warmup_steps = std::llround(spec.warmup_ratio * static_cast<double>(steps)),
        .weight_decay = spec.weight_decay,
        .clip_norm = spec.gradient_clip,
        .seed = spec.seed,
        .threads = job.threads(),
        .validate_every = std::max<std::int64_t>(steps / kValidationsWanted, 1),
        .checkpoints =
            {.folder = job.dir / "work" / "checkpoints", .every_steps = spec.checkpoint_every},
    };
}

struct Trained {
    training::TrainSummary summary;
    std::map<std::string, double> metrics;
};

Result<Trained> train(
    Job& job, const TrainSpec& spec, const LanguageModel& model, const Data& data
) {
    const training::TrainerOptions options = options_of(job, spec, model, data);
    TRY(const auto objective,
        training::LanguageObjective::create(model.decoder, data.train.examples));
    TrainingLog log(
        job.dir / "work" / "train_metrics.jsonl", {.events = job.events, .cancel = job.cancel}
    );
    training::Trainer trainer(*objective, options, log, job.clock);
    std::unique_ptr<training::LanguageObjective> validation;
    Trained trained;
    if (data.validation.examples.size() > 0) {
        TRY(validation,
            training::LanguageObjective::create(model.decoder, data.validation.examples));
        trainer.validate_with(*validation);
        trained.metrics["validation_loss_before"] =
            mean_loss(*validation, options.micro_batch_size);
    }
    TRY(trained.summary, trainer.run());
    trained.metrics["loss"] = trained.summary.loss;
    trained.metrics["smoothed_loss"] = trained.summary.smoothed_loss;
    trained.metrics["tokens_per_second"] = log.tokens_per_second();
    trained.metrics["rows_too_long"] = static_cast<double>(data.train.too_long);
    if (trained.summary.validation_loss) {
        const double before = trained.metrics["validation_loss_before"];
        const double after = *trained.summary.validation_loss;
        trained.metrics["validation_loss"] = after;
        trained.metrics["bits_per_byte_before"] = bits_per_byte(before, data.validation);
        trained.metrics["bits_per_byte_after"] = bits_per_byte(after, data.validation);
    }
    return trained;
}

Status save_manifest(
    const Job& job, const Trained& trained, Timestamp started, const std::filesystem::path& path
) {
    RunManifest manifest{
        .run_id = job.spec.job_id,
        .created_at = started,
        .started_at = started,
        .finished_at = job.clock.now(),
        .code = job.code,
        .config = job.spec.payload,
        .hardware = read_hardware(),
        .tokens_processed = TokenCount(trained.summary.tokens),
        .exit_status = 0,
    };
    for (const protocol::EngineInput& input : job.spec.inputs) {
        if (input.name == "dataset") {
            manifest.dataset_version = input.root_digest;
        }
    }
    for (const auto& [name, value] : trained.metrics) {
        manifest.metrics.emplace(name, value);
    }
    return manifest.save(path);
}

Status write_outputs(
    const Job& job, const LanguageModel& model, const Trained& trained, Timestamp started
) {
    TRY(const auto folder, job.make_output("checkpoint"));
    TRY_STATUS(nets::export_language_model(folder, model, nets::StoredAs::kFloat32));
    std::error_code failed;
    std::filesystem::copy_file(
        job.dir / "work" / "train_metrics.jsonl",
        folder / "train_metrics.jsonl",
        std::filesystem::copy_options::overwrite_existing,
        failed
    );
    if (failed) {
        return Error::unavailable("cannot write train_metrics.jsonl: {}", failed.message());
    }
    return save_manifest(job, trained, started, folder / "run_manifest.json");
}

Result<protocol::EngineResult> describe(
    const Job& job, const LanguageModel& model, const Trained& trained
) {
    const std::string checkpoint_id = job.artifact_id("checkpoint");
    const std::string uri = fmt::format("internal://{}", checkpoint_id);
    protocol::EngineResult ended;
    ended.result = JsonText{to_json(protocol::TrainResult{
        .checkpoint_id = checkpoint_id,
        .checkpoint_uri = uri,
        .train_metrics_uri = uri + "/train_metrics.jsonl",
        .cpu_hours = cpu_seconds() / 3600,
        .steps = trained.summary.steps,
        .parameters = model.decoder.config().parameter_count(),
        .metrics = trained.metrics,
    })};
    ended.outputs.push_back({
        .artifact_id = checkpoint_id,
        .kind = "checkpoint",
        .path = "checkpoint",
        .name = fmt::format(
            "{} M parameters", static_cast<double>(model.decoder.config().parameter_count()) / 1e6
        ),
        .metrics = trained.metrics,
    });
    ended.usage.trained_tokens = trained.summary.tokens;
    return ended;
}

}  // namespace

Result<protocol::EngineResult> run_train(Job& job) {
    TRY(const auto spec, from_json<TrainSpec>(job.spec.payload.text));
    const Timestamp started = job.clock.now();
    TRY(const auto dataset, job.needed_input("dataset", "dataset_uri"));
    TRY_STATUS(job.make_work("checkpoints"));
    TRY(const LanguageModel model,
        make_starting_model(job, dataset, spec, reading(job, "tokenizer")));
    TRY(const Data data, read_data(job, dataset, spec, model));
    TRY(const Trained trained, train(job, spec, model, data));
    TRY_STATUS(write_outputs(job, model, trained, started));
    return describe(job, model, trained);
}

}  // namespace nexa::pipelines
