// SPDX-License-Identifier: Apache-2.0
#include "engine/training/trainer.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

#include <ATen/Parallel.h>

#include "core/guard.h"
#include "engine/training/adamw.h"
#include "engine/training/checkpoint.h"
#include "engine/training/loss_team_internal.h"
#include "engine/training/objective.h"
#include "engine/training/order.h"
#include "engine/training/schedule.h"
#include "engine/training/seed.h"
#include "engine/training/smoothing.h"

namespace nexa::training {
namespace {

using Examples = std::span<const std::size_t>;

/// Which examples each step takes.
class Plan {
public:
    Plan(const TrainerOptions& options, std::size_t examples)
        : seed_(options.seed),
          batch_(options.batch_size),
          size_(static_cast<std::int64_t>(examples)) {
        places_ = size_ * options.epochs;
        steps_ = (places_ + batch_ - 1) / batch_;
        if (options.steps_max > 0) {
            steps_ = std::min(steps_, options.steps_max);
        }
    }

    std::int64_t steps() const { return steps_; }
    std::int64_t epoch_of(std::int64_t step) const { return step * batch_ / size_; }

    /// The epochs that begin in `step`: [first, second).
    std::pair<std::int64_t, std::int64_t> epochs_begun(std::int64_t step) const {
        const auto begun_before = [this](std::int64_t place) {
            return (place + size_ - 1) / size_;
        };
        return {begun_before(step * batch_), begun_before(end_of(step))};
    }

    std::vector<std::size_t> examples(std::int64_t step) const {
        std::vector<std::size_t> taken;
        for (std::int64_t place = step * batch_; place < end_of(step); ++place) {
            taken.push_back(static_cast<std::size_t>(shuffled_index(
                seed_,
                static_cast<std::uint64_t>(place / size_),
                static_cast<std::uint64_t>(place % size_),
                static_cast<std::uint64_t>(size_)
            )));
        }
        return taken;
    }

private:
    std::int64_t end_of(std::int64_t step) const { return std::min(places_, (step + 1) * batch_); }

    std::uint64_t seed_;
    std::int64_t batch_;
    std::int64_t size_;
    std::int64_t places_ = 0;
    std::int64_t steps_ = 0;
};

Error diverged(std::string_view what, double value, std::int64_t step) {
    return Error::invalid_argument("training diverged: the {} is {} in step {}", what, value, step)
        .hint("lower the learning rate, lengthen the warm-up or look for broken examples");
}

/// One call of Trainer::run.
class Run {
public:
    Run(Objective& objective,
        Objective* validation,
        const TrainerOptions& options,
        Callbacks& callbacks,
        const Clock& clock)
        : objective_(objective),
          validation_(validation),
          options_(options),
          callbacks_(callbacks),
          clock_(clock),
          plan_(options, objective.size()),
          optimizer_(
              objective.parameters(),
              {options.beta1, options.beta2, options.epsilon, options.weight_decay}
          ),
          smoother_(options.loss_smoothing),
          team_(team_size_for(objective, options.threads, options.batch_size)),
          losses_(objective, team_) {}

    Result<TrainSummary> run() {
        at::set_num_threads(std::max(1, options_.threads / static_cast<int>(team_.size())));
        seed_everything(options_.seed);
        TRY_STATUS(resume());
        summary_.first_step = step_;
        Status outcome = callbacks_.on_start(describe());
        if (outcome) {
            outcome = guard([this] { return take_steps(); });
        }
        callbacks_.on_end(outcome);
        if (!outcome) {
            return std::move(outcome).error();
        }
        summary_.steps = step_;
        summary_.tokens = tokens_;
        return summary_;
    }

private:
    RunPlan describe() const {
        RunPlan plan{
            .first_step = step_, .total_steps = plan_.steps(), .examples = objective_.size()
        };
        for (const nets::Parameter& parameter : objective_.parameters()) {
            plan.parameter_count += parameter.value.numel();
        }
        return plan;
    }

    bool checkpoints() const { return !options_.checkpoints.folder.empty(); }

    TrainState state() const {
        return {
            .step = step_,
            .seed = options_.seed,
            .batch_size = options_.batch_size,
            .examples = objective_.size(),
            .fingerprint = objective_.fingerprint(),
            .tokens = tokens_,
            .loss = summary_.loss,
            .smoother = smoother_.state(),
            .generator = generator_state(),
        };
    }

    Status resume() {
        if (!checkpoints() || !options_.checkpoints.resume) {
            return ok();
        }
        TRY(const auto newest, newest_checkpoint(options_.checkpoints.folder));
        if (!newest) {
            return ok();
        }
        TRY(const TrainState saved, load_checkpoint(*newest, objective_.parameters(), optimizer_));
        const TrainState ours = state();
        const bool same_order =
            std::tie(saved.seed, saved.batch_size, saved.examples, saved.fingerprint) ==
            std::tie(ours.seed, ours.batch_size, ours.examples, ours.fingerprint);
        if (!same_order || saved.step > plan_.steps()) {
            return Error::conflict(
                       "checkpoint {} is of a run with other examples, seed, batch size or fewer "
                       "steps",
                       newest->string()
            )
                .hint("resume with the settings it was made with, or train into another folder");
        }
        step_ = saved.step;
        tokens_ = saved.tokens;
        smoother_ = LossSmoother(options_.loss_smoothing, saved.smoother);
        summary_.loss = saved.loss;
        if (saved.smoother.weight > 0.0) {
            summary_.smoothed_loss = saved.smoother.weighted_sum / saved.smoother.weight;
        }
        restore_generator(saved.generator);
        saved_step_ = step_;
        return ok();
    }

    Status take_steps() {
        while (step_ < plan_.steps()) {
            Status taken = take_step();
            if (!taken && taken.error().code == ErrorCode::kCancelled) {
                TRY_STATUS(save());
            }
            TRY_STATUS(std::move(taken));
        }
        return ok();
    }

    Status take_step() {
        const auto [first_epoch, end_epoch] = plan_.epochs_begun(step_);
        for (std::int64_t epoch = first_epoch; epoch < end_epoch; ++epoch) {
            TRY_STATUS(callbacks_.on_epoch(epoch));
        }
        TRY(const StepMetrics metrics, update());
        TRY_STATUS(callbacks_.on_step(metrics));
        const bool last = step_ == plan_.steps();
        if (validation_ != nullptr && (last || is_due(options_.validate_every))) {
            TRY_STATUS(validate());
        }
        if (checkpoints() && (last || is_due(options_.checkpoints.every_steps))) {
            TRY_STATUS(save());
        }
        return ok();
    }

    bool is_due(std::int64_t every) const { return every > 0 && step_ % every == 0; }

    /// One update. Nothing is changed unless loss and gradients are finite.
    Result<StepMetrics> update() {
        const auto began = clock_.steady_now();
        const std::vector<std::size_t> examples = plan_.examples(step_);
        StepMetrics metrics{
            .step = step_ + 1,
            .epoch = plan_.epoch_of(step_),
            .learning_rate = learning_rate_at(schedule(), step_),
            .tokens = objective_.tokens(examples),
        };
        TRY(metrics.loss, backward(examples));
        metrics.gradient_norm = optimizer_.clip_gradients(options_.clip_norm);
        if (!std::isfinite(metrics.gradient_norm)) {
            return diverged("gradient norm", metrics.gradient_norm, metrics.step);
        }
        optimizer_.step(metrics.learning_rate);
        optimizer_.clear_gradients();

        ++step_;
        tokens_ += metrics.tokens;
        metrics.smoothed_loss = smoother_.add(metrics.loss);
        summary_.loss = metrics.loss;
        summary_.smoothed_loss = metrics.smoothed_loss;
        const std::chrono::duration<double> took = clock_.steady_now() - began;
        if (took.count() > 0.0) {
            metrics.tokens_per_second = static_cast<double>(metrics.tokens) / took.count();
        }
        return metrics;
    }

    Schedule schedule() const {
        return {
            .peak = options_.learning_rate,
            .final_ratio = options_.final_learning_rate_ratio,
            .warmup_steps = options_.warmup_steps,
            .total_steps = plan_.steps(),
        };
    }

    /// Adds up the gradients of the mean over all of `examples`, and returns that mean.
    Result<double> backward(Examples examples) {
        losses_.set_training(true);
        optimizer_.clear_gradients();
        TRY(const double loss,
            losses_.backward(examples, objective_.weight(examples), options_.micro_batch_size));
        if (!std::isfinite(loss)) {
            optimizer_.clear_gradients();
            return diverged("loss", loss, step_ + 1);
        }
        return loss;
    }

    Status validate() {
        if (!validation_losses_) {
            validation_losses_.emplace(*validation_, team_);
        }
        std::vector<std::size_t> all(validation_->size());
        std::iota(all.begin(), all.end(), std::size_t{0});
        validation_losses_->set_training(false);
        TRY(const double sum, validation_losses_->loss_sum(all, at_a_time()));
        summary_.validation_loss = sum / validation_->weight(all);
        return callbacks_.on_validation({.step = step_, .loss = *summary_.validation_loss});
    }

    std::int64_t at_a_time() const {
        return options_.micro_batch_size > 0 ? options_.micro_batch_size : options_.batch_size;
    }

    Status save() {
        if (!checkpoints() || saved_step_ == step_ || step_ == 0) {
            return ok();
        }
        const auto folder = checkpoint_folder(options_.checkpoints.folder, step_);
        TRY_STATUS(save_checkpoint(
            folder,
            objective_.parameters(),
            optimizer_,
            state(),
            [this](const std::filesystem::path& fresh) {
                return objective_.write_model_files(fresh);
            }
        ));
        saved_step_ = step_;
        TRY_STATUS(prune_checkpoints(options_.checkpoints.folder, options_.checkpoints.keep));
        return callbacks_.on_checkpoint(step_, folder);
    }

    Objective& objective_;
    Objective* validation_;
    const TrainerOptions& options_;
    Callbacks& callbacks_;
    const Clock& clock_;
    Plan plan_;
    AdamW optimizer_;
    LossSmoother smoother_;
    ThreadTeam team_;
    LossTeam losses_;
    std::optional<LossTeam> validation_losses_;
    TrainSummary summary_;
    std::int64_t step_ = 0;
    std::int64_t tokens_ = 0;
    std::int64_t saved_step_ = -1;
};

}  // namespace

Result<TrainSummary> Trainer::run() {
    TRY_STATUS(options_.validate());
    if (objective_.size() == 0) {
        return Error::invalid_argument("there are no examples to train on");
    }
    return guard([this]() -> Result<TrainSummary> {
        return Run(objective_, validation_, options_, callbacks_, clock_).run();
    });
}

}  // namespace nexa::training
