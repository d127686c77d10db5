// SPDX-License-Identifier: Apache-2.0
#include "engine/training/trainer.h"

#include <cmath>
#include <limits>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/allclose.h>
#include <gmock/gmock.h>

#include "engine/nets/weights.h"
#include "engine/training/checkpoint.h"
#include "engine/training/language_objective.h"
#include "engine/training/testing_internal.h"
#include "fakes/proves.h"

namespace nexa::training {
namespace {

namespace fs = std::filesystem;

/// Every look at it is a millisecond later.
class SteppingClock final : public Clock {
public:
    Timestamp now() const override { return {}; }
    std::chrono::steady_clock::time_point steady_now() const override {
        ticks_ += std::chrono::milliseconds(1);
        return std::chrono::steady_clock::time_point(ticks_);
    }

private:
    mutable std::chrono::milliseconds ticks_{0};
};

/// Writes down what happens, and fails on a chosen event.
class Recorder final : public Callbacks {
public:
    Status on_start(const RunPlan& run_plan) override {
        plan = run_plan;
        return note("start");
    }
    Status on_epoch(std::int64_t epoch) override { return note(fmt::format("epoch {}", epoch)); }
    Status on_step(const StepMetrics& metrics) override {
        steps.push_back(metrics);
        return note(fmt::format("step {}", metrics.step));
    }
    Status on_validation(const ValidationMetrics& metrics) override {
        validations.push_back(metrics);
        return note(fmt::format("validation {}", metrics.step));
    }
    Status on_checkpoint(std::int64_t step, const fs::path& folder) override {
        EXPECT_TRUE(fs::exists(folder / "state.json"));
        return note(fmt::format("checkpoint {}", step));
    }
    void on_end(const Status& outcome) override { events.emplace_back(outcome ? "end" : "failed"); }

    std::vector<std::string> events;
    std::vector<StepMetrics> steps;
    std::vector<ValidationMetrics> validations;
    RunPlan plan;
    std::string fails_on;
    Error failure = Error::cancelled("asked to stop");

private:
    Status note(std::string event) {
        events.push_back(event);
        return event == fails_on ? Status(failure) : ok();
    }
};

/// One model, its examples and a run over them.
struct Bench {
    explicit Bench(std::uint64_t seed = 1, std::int32_t count = 24)
        : examples(counting_examples(count)), decoder(tiny_decoder(seed)) {
        objective = *LanguageObjective::create(decoder, examples);
    }

    Result<TrainSummary> run(const TrainerOptions& options) {
        Trainer trainer(*objective, options, recorder, clock);
        return trainer.run();
    }

    ExampleSet examples;
    nets::Decoder decoder;
    std::unique_ptr<LanguageObjective> objective;
    Recorder recorder;
    SteppingClock clock;
};

TrainerOptions short_run() {
    TrainerOptions options;
    options.epochs = 3;
    options.batch_size = 10;
    options.learning_rate = 0.01;
    options.warmup_steps = 2;
    options.seed = 5;
    options.checkpoints.keep = 10;
    return options;
}

TEST(Trainer, LearnsAndReportsEveryStep) {
    NEXA_PROVES("A-43 A-48");
    Bench bench;
    TrainerOptions options = short_run();
    options.epochs = 40;
    const auto summary = bench.run(options);
    ASSERT_TRUE(summary) << summary.error().to_string();
    const auto& steps = bench.recorder.steps;
    ASSERT_EQ(steps.size(), 96U);
    EXPECT_EQ(summary->steps, 96);
    EXPECT_EQ(bench.recorder.plan.parameter_count, bench.decoder.config().parameter_count());
    EXPECT_NEAR(steps.front().loss, std::log(20.0), 1.5);
    EXPECT_LT(steps.back().loss, 0.5 * steps.front().loss);
    EXPECT_EQ(summary->loss, steps.back().loss);
    EXPECT_EQ(steps[0].smoothed_loss, steps[0].loss);
    EXPECT_NE(steps[5].smoothed_loss, steps[5].loss);
    std::int64_t tokens = 0;
    for (std::size_t i = 0; i < steps.size(); ++i) {
        EXPECT_EQ(steps[i].step, static_cast<std::int64_t>(i) + 1);
        EXPECT_GT(steps[i].gradient_norm, 0.0);
        EXPECT_NEAR(steps[i].tokens_per_second, static_cast<double>(steps[i].tokens) * 1000, 1e-6);
        tokens += steps[i].tokens;
    }
    EXPECT_EQ(summary->tokens, tokens);
    EXPECT_NEAR(steps[0].learning_rate, 0.01 / 3, 1e-9);
    EXPECT_NEAR(steps[2].learning_rate, 0.01, 1e-9);
}

TEST(Trainer, CallsBackInOrder) {
    NEXA_PROVES("A-46");
    const TemporaryFolder folder;
    Bench bench;
    const ExampleSet held_out = counting_examples(5);
    const auto validation = *LanguageObjective::create(bench.decoder, held_out);
    TrainerOptions options = short_run();
    options.epochs = 2;
    options.validate_every = 2;
    options.checkpoints.folder = folder.path();
    options.checkpoints.every_steps = 3;
    Trainer trainer(*bench.objective, options, bench.recorder, bench.clock);
    trainer.validate_with(*validation);
    const auto summary = trainer.run();
    ASSERT_TRUE(summary) << summary.error().to_string();
    EXPECT_THAT(
        bench.recorder.events,
        testing::ElementsAre(
            "start",
            "epoch 0",
            "step 1",
            "step 2",
            "validation 2",
            "epoch 1",
            "step 3",
            "checkpoint 3",
            "step 4",
            "validation 4",
            "step 5",
            "validation 5",
            "checkpoint 5",
            "end"
        )
    );
    EXPECT_EQ(summary->validation_loss, bench.recorder.validations.back().loss);
}

TEST(Trainer, TakesEveryExampleOnceAnEpochAlsoWhereBatchesStraddle) {
    Bench bench;
    TrainerOptions options = short_run();
    ASSERT_TRUE(bench.run(options));
    std::int64_t one_epoch = 0;
    for (std::size_t i = 0; i < bench.examples.size(); ++i) {
        one_epoch += static_cast<std::int64_t>(bench.examples[i].tokens.size()) - 1;
    }
    std::int64_t tokens = 0;
    for (const StepMetrics& step : bench.recorder.steps) {
        tokens += step.tokens;
    }
    EXPECT_EQ(tokens, 3 * one_epoch);
    EXPECT_EQ(bench.recorder.steps.size(), 8U);  // 72 examples in batches of 10
    EXPECT_EQ(bench.recorder.steps[2].epoch, 0);
    EXPECT_EQ(bench.recorder.steps[3].epoch, 1);
}

TEST(Trainer, EndsAtStepsMaxAndTheScheduleWithIt) {
    Bench bench;
    TrainerOptions options = short_run();
    options.epochs = 1000;
    options.steps_max = 6;
    options.final_learning_rate_ratio = 0.0;
    ASSERT_TRUE(bench.run(options));
    EXPECT_EQ(bench.recorder.steps.size(), 6U);
    EXPECT_LT(bench.recorder.steps.back().learning_rate, 0.3 * options.learning_rate);
}

TEST(Trainer, TheSameSeedGivesTheSameWeightsAndAnotherSeedOthers) {
    NEXA_PROVES("A-47");
    Bench first(1);
    Bench same(1);
    Bench other(1);
    TrainerOptions options = short_run();
    ASSERT_TRUE(first.run(options));
    ASSERT_TRUE(same.run(options));
    options.seed = 6;
    ASSERT_TRUE(other.run(options));
    EXPECT_TRUE(same_weights(first.decoder.parameters(), same.decoder.parameters()));
    EXPECT_FALSE(same_weights(first.decoder.parameters(), other.decoder.parameters()));
}

TEST(Trainer, CutIntoMicroBatchesItReachesTheSameWeights) {
    Bench whole(1);
    Bench cut(1);
    TrainerOptions options = short_run();
    ASSERT_TRUE(whole.run(options));
    options.micro_batch_size = 3;
    ASSERT_TRUE(cut.run(options));
    for (std::size_t i = 0; i < whole.recorder.steps.size(); ++i) {
        EXPECT_NEAR(whole.recorder.steps[i].loss, cut.recorder.steps[i].loss, 1e-4);
    }
    for (std::size_t i = 0; i < whole.decoder.parameters().size(); ++i) {
        EXPECT_TRUE(at::allclose(
            whole.decoder.parameters()[i].value, cut.decoder.parameters()[i].value, 1e-2, 1e-3
        )) << whole.decoder.parameters()[i].name;
    }
}

class TrainerResume : public testing::TestWithParam<std::tuple<nets::Precision, int>> {};
INSTANTIATE_TEST_SUITE_P(
    PrecisionsAndThreads,
    TrainerResume,
    testing::Combine(
        testing::Values(nets::Precision::kFloat32, nets::Precision::kBfloat16),
        testing::Values(1, 3)
    )
);

TEST_P(TrainerResume, EndsWithTheBytesOfAnUninterruptedRun) {
    NEXA_PROVES("A-44");
    const TemporaryFolder folder;
    const auto [precision, threads] = GetParam();
    TrainerOptions options = short_run();
    options.threads = threads;
    Bench uninterrupted(1);
    uninterrupted.decoder.set_precision(precision);
    ASSERT_TRUE(uninterrupted.run(options));

    options.checkpoints.folder = folder.path();
    options.checkpoints.every_steps = 2;
    Bench stopped(1);
    stopped.decoder.set_precision(precision);
    stopped.objective = *LanguageObjective::create(stopped.decoder, stopped.examples);
    stopped.recorder.fails_on = "step 5";
    stopped.recorder.failure = Error::unavailable("the machine went away");
    ASSERT_FALSE(stopped.run(options));
    EXPECT_TRUE(fs::exists(checkpoint_folder(folder.path(), 4)));
    EXPECT_FALSE(fs::exists(checkpoint_folder(folder.path(), 5)));

    Bench resumed(99);  // other initial weights: all comes from the checkpoint
    resumed.decoder.set_precision(precision);
    resumed.objective = *LanguageObjective::create(resumed.decoder, resumed.examples);
    const auto summary = resumed.run(options);
    ASSERT_TRUE(summary) << summary.error().to_string();
    EXPECT_EQ(summary->first_step, 4);
    EXPECT_EQ(summary->steps, 8);
    EXPECT_TRUE(same_weights(resumed.decoder.parameters(), uninterrupted.decoder.parameters()));
    ASSERT_EQ(resumed.recorder.steps.size(), 4U);
    for (std::size_t i = 0; i < 4; ++i) {
        const StepMetrics& now = resumed.recorder.steps[i];
        const StepMetrics& then = uninterrupted.recorder.steps[i + 4];
        EXPECT_EQ(now.step, then.step);
        EXPECT_EQ(now.loss, then.loss);
        EXPECT_EQ(now.smoothed_loss, then.smoothed_loss);
        EXPECT_EQ(now.learning_rate, then.learning_rate);
        EXPECT_EQ(now.gradient_norm, then.gradient_norm);
    }
    EXPECT_EQ(resumed.recorder.events[1], "epoch 2");  // begins inside step 5
}

TEST(Trainer, CancelledItSavesItsLastStep) {
    const TemporaryFolder folder;
    Bench bench;
    TrainerOptions options = short_run();
    options.checkpoints.folder = folder.path();
    bench.recorder.fails_on = "step 3";
    const auto summary = bench.run(options);
    ASSERT_FALSE(summary);
    EXPECT_EQ(summary.error().code, ErrorCode::kCancelled);
    EXPECT_THAT(
        bench.recorder.events,
        testing::ElementsAre(
            "start", "epoch 0", "step 1", "step 2", "epoch 1", "step 3", "checkpoint 3", "failed"
        )
    );
}

TEST(Trainer, AFinishedRunIsNotTrainedOn) {
    const TemporaryFolder folder;
    TrainerOptions options = short_run();
    options.checkpoints.folder = folder.path();
    Bench first;
    const auto trained = first.run(options);
    ASSERT_TRUE(trained);
    Bench again(2);
    const auto summary = again.run(options);
    ASSERT_TRUE(summary) << summary.error().to_string();
    EXPECT_EQ(summary->first_step, 8);
    EXPECT_EQ(summary->loss, trained->loss);
    EXPECT_NEAR(summary->smoothed_loss, trained->smoothed_loss, 1e-12);
    EXPECT_TRUE(again.recorder.steps.empty());
    EXPECT_TRUE(same_weights(first.decoder.parameters(), again.decoder.parameters()));
    const auto loaded = nets::load_decoder(checkpoint_folder(folder.path(), 8));
    ASSERT_TRUE(loaded) << loaded.error().to_string();
    EXPECT_TRUE(same_weights(first.decoder.parameters(), loaded->parameters()));
}

TEST(Trainer, KeepsTheNewestCheckpointsOnly) {
    const TemporaryFolder folder;
    Bench bench;
    TrainerOptions options = short_run();
    options.checkpoints = {.folder = folder.path(), .every_steps = 1, .keep = 3};
    ASSERT_TRUE(bench.run(options));
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder.path())) {
        names.push_back(entry.path().filename());
    }
    EXPECT_THAT(
        names, testing::UnorderedElementsAre("step-00000006", "step-00000007", "step-00000008")
    );
}

TEST(Trainer, RefusesTheCheckpointOfAnotherRun) {
    const TemporaryFolder folder;
    TrainerOptions options = short_run();
    options.checkpoints.folder = folder.path();
    Bench first;
    ASSERT_TRUE(first.run(options));
    const auto code = [&](Bench& bench, const TrainerOptions& changed) {
        const auto summary = bench.run(changed);
        EXPECT_FALSE(summary);
        return summary ? ErrorCode::kInternal : summary.error().code;
    };
    TrainerOptions changed = options;
    changed.seed = 6;
    EXPECT_EQ(code(first, changed), ErrorCode::kConflict);
    changed = options;
    changed.batch_size = 11;
    EXPECT_EQ(code(first, changed), ErrorCode::kConflict);
    changed = options;
    changed.epochs = 1;
    EXPECT_EQ(code(first, changed), ErrorCode::kConflict);
    Bench other_data(1, 25);
    EXPECT_EQ(code(other_data, options), ErrorCode::kConflict);

    changed = options;
    changed.seed = 6;
    changed.checkpoints.resume = false;
    EXPECT_TRUE(first.run(changed));
    changed = options;
    changed.epochs = 4;
    changed.seed = 6;
    const auto longer = first.run(changed);
    ASSERT_TRUE(longer) << longer.error().to_string();
    EXPECT_EQ(longer->first_step, 8);
}

TEST(Trainer, StopsAtALossThatIsNotFiniteAndKeepsTheLastGoodCheckpoint) {
    const TemporaryFolder folder;
    Bench bench;
    TrainerOptions options = short_run();
    options.checkpoints = {.folder = folder.path(), .every_steps = 2};
    // Poisons the weights after the second step's checkpoint is written.
    class Poison final : public Callbacks {
    public:
        explicit Poison(const nets::Decoder& decoder) : decoder_(decoder) {}
        Status on_checkpoint(std::int64_t step, const fs::path& /*folder*/) override {
            const at::NoGradGuard no_grad;
            at::Tensor norm = decoder_.parameters()[1].value;
            norm.fill_(std::numeric_limits<double>::quiet_NaN());
            last = step;
            return ok();
        }
        std::int64_t last = 0;

    private:
        const nets::Decoder& decoder_;
    } poison(bench.decoder);
    const auto summary = Trainer(*bench.objective, options, poison, bench.clock).run();
    ASSERT_FALSE(summary);
    EXPECT_EQ(summary.error().code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(summary.error().message, testing::HasSubstr("nan in step 3"));
    EXPECT_EQ(poison.last, 2);
    EXPECT_EQ(**newest_checkpoint(folder.path()), checkpoint_folder(folder.path(), 2));
    const auto good = nets::load_decoder(checkpoint_folder(folder.path(), 2));
    ASSERT_TRUE(good);
    for (const nets::Parameter& parameter : good->parameters()) {
        EXPECT_TRUE(parameter.value.isfinite().all().item<bool>()) << parameter.name;
    }
}

TEST(Trainer, AGradientThatIsNotFiniteChangesNothing) {
    Bench bench;
    const Bench untouched;
    for (const nets::Parameter& parameter : bench.decoder.parameters()) {
        parameter.value.register_hook([](const at::Tensor& gradient) {
            return gradient * std::numeric_limits<double>::infinity();
        });
    }
    const auto summary = bench.run(short_run());
    ASSERT_FALSE(summary);
    EXPECT_EQ(summary.error().code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(summary.error().message, testing::HasSubstr("gradient norm"));
    EXPECT_TRUE(same_weights(bench.decoder.parameters(), untouched.decoder.parameters()));
}

/// Throws as libtorch does.
class Broken final : public Objective {
public:
    explicit Broken(const LanguageObjective& inner) : inner_(inner) {}
    const nets::Parameters& parameters() const override { return inner_.parameters(); }
    std::size_t size() const override { return inner_.size(); }
    std::uint64_t fingerprint() const override { return 0; }
    double weight(std::span<const std::size_t> /*examples*/) const override { return 1.0; }
    std::int64_t tokens(std::span<const std::size_t> /*examples*/) const override { return 1; }
    at::Tensor loss_sum(std::span<const std::size_t> /*examples*/) const override {
        return inner_.parameters()[0].value.matmul(inner_.parameters()[0].value);
    }

private:
    const LanguageObjective& inner_;
};

TEST(Trainer, AnExceptionOfLibtorchIsAnErrorAndTheRunEnds) {
    Bench bench;
    Broken broken(*bench.objective);
    const auto summary = Trainer(broken, short_run(), bench.recorder, bench.clock).run();
    ASSERT_FALSE(summary);
    EXPECT_EQ(summary.error().code, ErrorCode::kInternal);
    EXPECT_THAT(bench.recorder.events, testing::ElementsAre("start", "epoch 0", "failed"));
}

TEST(Trainer, RefusesOptionsOutOfRangeByName) {
    Bench bench;
    const auto param = [&](auto&& spoil) {
        TrainerOptions options = short_run();
        spoil(options);
        const auto summary = bench.run(options);
        EXPECT_FALSE(summary);
        return summary ? "" : summary.error().param;
    };
    EXPECT_EQ(param([](auto& o) { o.epochs = 0; }), "epochs");
    EXPECT_EQ(param([](auto& o) { o.batch_size = 0; }), "batch_size");
    EXPECT_EQ(param([](auto& o) { o.learning_rate = 0.0; }), "learning_rate");
    EXPECT_EQ(param([](auto& o) { o.learning_rate = std::nan(""); }), "learning_rate");
    EXPECT_EQ(param([](auto& o) { o.beta2 = 1.0; }), "beta2");
    EXPECT_EQ(param([](auto& o) { o.threads = 0; }), "threads");
    EXPECT_EQ(param([](auto& o) { o.loss_smoothing = 1.0; }), "loss_smoothing");
    EXPECT_EQ(param([](auto& o) { o.checkpoints.keep = 0; }), "checkpoints.keep");
    EXPECT_TRUE(bench.recorder.events.empty());
}

TEST(LanguageObjective, RefusesExamplesThatDoNotFitTheModel) {
    const nets::Decoder decoder = tiny_decoder(1);
    ExampleSet none;
    EXPECT_FALSE(LanguageObjective::create(decoder, none));
    ExampleSet fitting;
    ASSERT_TRUE(fitting.add(std::vector<std::int32_t>(33, 19)));
    EXPECT_TRUE(LanguageObjective::create(decoder, fitting));
    ExampleSet longer;
    ASSERT_TRUE(longer.add(std::vector<std::int32_t>(34, 1)));
    EXPECT_FALSE(LanguageObjective::create(decoder, longer));
    ExampleSet unknown;
    ASSERT_TRUE(unknown.add(std::vector<std::int32_t>{1, 20}));
    EXPECT_FALSE(LanguageObjective::create(decoder, unknown));
}

TEST(LanguageObjective, PackingDoesNotChangeTheLoss) {
    const nets::Decoder decoder = tiny_decoder(1);
    ExampleSet apart;
    ASSERT_TRUE(apart.add(std::vector<std::int32_t>{1, 2, 3, 4}));
    ASSERT_TRUE(apart.add(std::vector<std::int32_t>{9, 8, 7}));
    ExampleSet packed;
    ASSERT_TRUE(packed.add(
        std::vector<std::int32_t>{1, 2, 3, 4, 9, 8, 7}, {}, std::vector<std::int32_t>{0, 4}
    ));
    const auto a = *LanguageObjective::create(decoder, apart);
    const auto b = *LanguageObjective::create(decoder, packed);
    const std::vector<std::size_t> both{0, 1};
    const std::vector<std::size_t> one{0};
    EXPECT_EQ(a->weight(both), b->weight(one));
    EXPECT_NEAR(a->loss_sum(both).item<double>(), b->loss_sum(one).item<double>(), 1e-4);
}

}  // namespace
}  // namespace nexa::training
