// SPDX-License-Identifier: Apache-2.0
//
// Tokens a second of engine/training on one shape: train_bench '{"layers": 3, …}' prints one JSON
// object. rival.py does the same work with PyTorch in Python.

#include <chrono>
#include <cstdio>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "core/clock.h"
#include "core/fields.h"
#include "core/json.h"
#include "core/json_codec.h"
#include "engine/nets/decoder.h"
#include "engine/training/language_objective.h"
#include "engine/training/trainer.h"

namespace nexa::training {
namespace {

struct Setup {
    std::int64_t layers = 0;
    std::int64_t hidden = 0;
    std::int64_t heads = 0;
    std::int64_t ffn = 0;
    std::int64_t vocab = 0;
    std::int64_t batch = 0;
    std::int64_t length = 0;
    bool bf16 = false;
    std::int64_t threads = 1;
    std::int64_t warmup = 0;
    std::int64_t steps = 1;

    static constexpr auto fields() {
        return std::tuple{
            field("layers", &Setup::layers, "Blocks").required(),
            field("hidden", &Setup::hidden, "Width").required(),
            field("heads", &Setup::heads, "Attention heads").required(),
            field("ffn", &Setup::ffn, "Inner width of SwiGLU").required(),
            field("vocab", &Setup::vocab, "Tokens known").required(),
            field("batch", &Setup::batch, "Rows a step").required(),
            field("length", &Setup::length, "Tokens a row").required(),
            field("bf16", &Setup::bf16, "Products in bfloat16").required(),
            field("threads", &Setup::threads, "Threads of libtorch").required(),
            field("warmup", &Setup::warmup, "Steps before the clock starts").required(),
            field("steps", &Setup::steps, "Steps that are timed").required(),
        };
    }
};

struct Outcome {
    double tokens_per_second = 0.0;
    std::int64_t parameters = 0;
    std::int64_t tokens = 0;
    double loss = 0.0;

    static constexpr auto fields() {
        return std::tuple{
            field("tokens_per_second", &Outcome::tokens_per_second, "Rate of the timed steps"),
            field("parameters", &Outcome::parameters, "Numbers trained"),
            field("tokens", &Outcome::tokens, "Read in the timed steps"),
            field("loss", &Outcome::loss, "Of the last step"),
        };
    }
};

/// Row i counts up from i in strides of 1 + i % 7: something that both sides can learn alike.
Result<ExampleSet> make_examples(const Setup& setup) {
    ExampleSet examples;
    const std::int64_t rows = 8 * setup.batch;
    for (std::int64_t row = 0; row < rows; ++row) {
        std::vector<std::int32_t> tokens;
        for (std::int64_t t = 0; t <= setup.length; ++t) {
            tokens.push_back(static_cast<std::int32_t>((row + t * (1 + row % 7)) % setup.vocab));
        }
        TRY_STATUS(examples.add(tokens));
    }
    return examples;
}

class Stopwatch final : public Callbacks {
public:
    Stopwatch(const Clock& clock, std::int64_t warmup) : clock_(clock), warmup_(warmup) {}

    Status on_start(const RunPlan& plan) override {
        outcome_.parameters = plan.parameter_count;
        began_ = clock_.steady_now();
        return ok();
    }

    Status on_step(const StepMetrics& metrics) override {
        if (metrics.step <= warmup_) {
            began_ = clock_.steady_now();
            return ok();
        }
        const std::chrono::duration<double> took = clock_.steady_now() - began_;
        outcome_.tokens += metrics.tokens;
        outcome_.tokens_per_second = static_cast<double>(outcome_.tokens) / took.count();
        outcome_.loss = metrics.loss;
        return ok();
    }

    const Outcome& outcome() const { return outcome_; }

private:
    const Clock& clock_;
    std::int64_t warmup_;
    std::chrono::steady_clock::time_point began_;
    Outcome outcome_;
};

Result<Outcome> measure(const Setup& setup) {
    const models::ModelConfig config{
        .layers = setup.layers,
        .hidden = setup.hidden,
        .heads = setup.heads,
        .kv_heads = setup.heads,
        .head_dim = setup.hidden / setup.heads,
        .ffn = setup.ffn,
        .vocab = setup.vocab,
        .max_positions = setup.length,
        .tied_embeddings = true,
    };
    TRY(nets::Decoder decoder, nets::Decoder::create(config, 1));
    decoder.set_precision(setup.bf16 ? nets::Precision::kBfloat16 : nets::Precision::kFloat32);
    TRY(const ExampleSet examples, make_examples(setup));
    TRY(const auto objective, LanguageObjective::create(decoder, examples));
    const TrainerOptions options{
        .epochs = 1'000'000,
        .steps_max = setup.warmup + setup.steps,
        .batch_size = setup.batch,
        .learning_rate = 1e-3,
        .seed = 1,
        .threads = static_cast<int>(setup.threads),
    };
    const SystemClock clock;
    Stopwatch stopwatch(clock, setup.warmup);
    TRY_STATUS(Trainer(*objective, options, stopwatch, clock).run());
    return stopwatch.outcome();
}

}  // namespace
}  // namespace nexa::training

NEXA_JSON_CODEC(nexa::training::Setup);
NEXA_JSON_CODEC(nexa::training::Outcome);

namespace {

nexa::Result<std::string> run(std::string_view text) {
    TRY(const auto setup, nexa::from_json<nexa::training::Setup>(text));
    TRY(const auto outcome, nexa::training::measure(setup));
    return nexa::to_json(outcome);
}

}  // namespace

int main(int argc, char** argv) {
    const auto line = run(argc == 2 ? argv[1] : "{}");
    if (!line) {
        fmt::print(stderr, "train_bench: {}\n", line.error().message);
        return 1;
    }
    fmt::print("{}\n", *line);
    return 0;
}
