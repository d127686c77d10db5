// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "core/fields.h"

namespace nexa::protocol {

// What a job of each type is asked to do. The API validates a submission as one of these and stores
// it in its canonical form; the engine reads it back. Several documents' names are accepted for one
// field, one is stored.

/// Says a message back: for tests of the path of a job, hidden from the API's documentation.
struct EchoSpec {
    static constexpr std::string_view kName = "EchoSpec";
    std::string message;
    double seconds = 0;
    int events = 1;
    std::int64_t output_bytes = 0;
    std::string fail_with;

    bool operator==(const EchoSpec&) const = default;
    static constexpr auto fields() {
        return std::tuple{
            field("message", &EchoSpec::message, "Text that comes back in the result")
                .required()
                .length(0, 65536),
            field("seconds", &EchoSpec::seconds, "How long the job takes")
                .within(0, 3600)
                .unit("s"),
            field("events", &EchoSpec::events, "Progress events sent on the way").within(0, 10000),
            field("output_bytes", &EchoSpec::output_bytes, "Size of a file left in the outputs")
                .within(0, 1 << 30)
                .unit("bytes"),
            field("fail_with", &EchoSpec::fail_with, "Error code to end with; empty: complete"),
        };
    }
};

struct GenerateSpec {
    static constexpr std::string_view kName = "GenerateSpec";
    std::string domain;
    std::int64_t num_samples = 0;
    std::optional<std::uint64_t> seed;
    std::optional<std::string> dataset_uri;
    std::optional<std::string> teacher;
    int digits = 3;
    std::string operation = "add";
    bool reverse_answer = false;
    double validation_fraction = 0.05;
    double test_fraction = 0.05;

    bool operator==(const GenerateSpec&) const = default;
    static constexpr auto fields() {
        return std::tuple{
            field(
                "domain",
                &GenerateSpec::domain,
                "arithmetic, sort, reverse, count or dates: answers are verified; documents: "
                "questions about your own "
                "text; any other subject needs a teacher"
            )
                .required()
                .length(1, 200)
                .example("arithmetic"),
            field("num_samples", &GenerateSpec::num_samples, "Rows to make")
                .required()
                .within(1, 100'000'000)
                .example(1000),
            field(
                "seed", &GenerateSpec::seed, "Same seed, same rows; without one each run differs"
            ),
            field("dataset_uri", &GenerateSpec::dataset_uri, "Documents to ask about")
                .alias("dataset_id"),
            field(
                "teacher",
                &GenerateSpec::teacher,
                "Model that writes the rows: provider/name, a deployment or a URL"
            )
                .alias("teacher_model"),
            field("digits", &GenerateSpec::digits, "arithmetic: digits of each operand")
                .within(1, 9),
            field("operation", &GenerateSpec::operation, "arithmetic: add, subtract or multiply")
                .one_of({"add", "subtract", "multiply"}),
            field(
                "reverse_answer",
                &GenerateSpec::reverse_answer,
                "arithmetic: write the answer's digits from the lowest up, which small models "
                "learn faster"
            ),
            field(
                "validation_fraction",
                &GenerateSpec::validation_fraction,
                "Part held out for validation"
            )
                .within(0, 0.5),
            field("test_fraction", &GenerateSpec::test_fraction, "Part held out for evaluation")
                .within(0, 0.5),
        };
    }
};

struct AuditSpec {
    static constexpr std::string_view kName = "AuditSpec";
    std::string dataset_uri;
    std::string format = "auto";
    std::optional<std::string> tokenizer;
    std::int64_t max_rows = 0;
    std::optional<double> min_score;

    bool operator==(const AuditSpec&) const = default;
    static constexpr auto fields() {
        return std::tuple{
            field("dataset_uri", &AuditSpec::dataset_uri, "Dataset id or URI to audit")
                .required()
                .alias("dataset_id")
                .length(1, 2048)
                .example("ds_123"),
            field("format", &AuditSpec::format, "What a row is; auto looks at the first rows")
                .one_of({"auto", "chat", "prompt_completion", "question_answer", "text"}),
            field(
                "tokenizer",
                &AuditSpec::tokenizer,
                "Model or tokenizer.json whose tokens are counted; default: bytes"
            ),
            field("max_rows", &AuditSpec::max_rows, "Audit the first rows only; 0: all")
                .within(0, 1'000'000'000'000),
            field("min_score", &AuditSpec::min_score, "Fail the job below this overall score")
                .within(0, 5),
        };
    }
};

struct DistillSpec {
    static constexpr std::string_view kName = "DistillSpec";
    std::string dataset_uri;
    std::string teacher;
    std::optional<std::string> student_model;
    int samples_per_prompt = 1;
    std::string selection = "verifier";
    double temperature = 0.7;
    double top_p = 1;
    int max_new_tokens = 256;
    std::optional<std::string> system_prompt;
    std::int64_t max_prompts = 0;
    double max_cost_usd = 0;
    std::optional<std::uint64_t> seed;
    bool reverse_answer = false;

    bool operator==(const DistillSpec&) const = default;
    static constexpr auto fields() {
        return std::tuple{
            field(
                "dataset_uri",
                &DistillSpec::dataset_uri,
                "Dataset whose prompts the teacher answers"
            )
                .required()
                .alias("dataset_id")
                .length(1, 2048)
                .example("ds_123"),
            field(
                "teacher",
                &DistillSpec::teacher,
                "A checkpoint, a deployment, or provider/name of a configured endpoint"
            )
                .required()
                .alias("teacher_model")
                .length(1, 2048)
                .example("openai/gpt-4o-mini"),
            field(
                "student_model",
                &DistillSpec::student_model,
                "Model the data is for: its tokenizer and template"
            ),
            field(
                "samples_per_prompt", &DistillSpec::samples_per_prompt, "Answers sampled per prompt"
            )
                .within(1, 256),
            field("selection", &DistillSpec::selection, "Which answers are kept")
                .one_of({"verifier", "majority", "first"}),
            field("temperature", &DistillSpec::temperature, "Of the teacher; 0 is greedy")
                .within(0, 2),
            field("top_p", &DistillSpec::top_p, "Nucleus of the teacher").within(0, 1),
            field("max_new_tokens", &DistillSpec::max_new_tokens, "Longest answer")
                .within(1, 131072)
                .unit("tokens"),
            field("system_prompt", &DistillSpec::system_prompt, "Put before every prompt")
                .length(0, 65536),
            field("max_prompts", &DistillSpec::max_prompts, "Take the first prompts only; 0: all")
                .within(0, 1'000'000'000),
            field(
                "max_cost_usd",
                &DistillSpec::max_cost_usd,
                "Stop before the teacher costs more; 0: no limit"
            )
                .within(0, 1'000'000)
                .unit("USD"),
            field("seed", &DistillSpec::seed, "Of the sampling"),
            field(
                "reverse_answer",
                &DistillSpec::reverse_answer,
                "arithmetic: write the kept answers from the lowest digit up"
            ),
        };
    }
};

struct TrainSpec {
    static constexpr std::string_view kName = "TrainSpec";
    std::string dataset_uri;
    std::string model_id;
    double epochs = 3;
    std::string objective = "auto";
    std::int64_t max_steps = 0;
    int batch_size = 32;
    int max_seq_len = 512;
    double learning_rate = 3e-4;
    double min_learning_rate_ratio = 0.1;
    double warmup_ratio = 0.03;
    double weight_decay = 0.1;
    double gradient_clip = 1;
    std::string dtype = "auto";
    std::string tokenizer = "auto";
    int vocab_size = 1024;
    std::uint64_t seed = 0;
    int checkpoint_every = 200;
    std::optional<std::string> validation_uri;

    bool operator==(const TrainSpec&) const = default;
    static constexpr auto fields() {
        return std::tuple{
            field("dataset_uri", &TrainSpec::dataset_uri, "Dataset id or URI to train on")
                .required()
                .alias("dataset_id")
                .length(1, 2048)
                .example("ds_123"),
            field("model_id", &TrainSpec::model_id, "Preset, folder, hf:// name or checkpoint")
                .required()
                .alias("model")
                .alias("checkpoint_id")
                .length(1, 2048)
                .example("nexa-small"),
            field("epochs", &TrainSpec::epochs, "Passes over the data")
                .required()
                .within(0, 10000)
                .example(3),
            field(
                "objective",
                &TrainSpec::objective,
                "Loss on every token, or on answers only; auto: by the rows"
            )
                .one_of({"auto", "pretrain", "sft"}),
            field(
                "max_steps",
                &TrainSpec::max_steps,
                "Stop after so many optimizer steps; 0: by epochs"
            )
                .within(0, 1'000'000'000),
            field("batch_size", &TrainSpec::batch_size, "Sequences per optimizer step")
                .within(1, 65536),
            field("max_seq_len", &TrainSpec::max_seq_len, "Longest sequence")
                .within(8, 131072)
                .unit("tokens"),
            field("learning_rate", &TrainSpec::learning_rate, "Peak of the schedule").within(0, 1),
            field(
                "min_learning_rate_ratio",
                &TrainSpec::min_learning_rate_ratio,
                "End of the cosine, as part of the peak"
            )
                .within(0, 1),
            field("warmup_ratio", &TrainSpec::warmup_ratio, "Part of the steps with a rising rate")
                .within(0, 1),
            field("weight_decay", &TrainSpec::weight_decay, "Of AdamW, on matrices only")
                .within(0, 10),
            field("gradient_clip", &TrainSpec::gradient_clip, "Largest gradient norm; 0: no limit")
                .within(0, 1000),
            field(
                "dtype",
                &TrainSpec::dtype,
                "Of the arithmetic; weights are kept in fp32; auto: the faster here"
            )
                .one_of({"auto", "fp32", "bf16"}),
            field(
                "tokenizer",
                &TrainSpec::tokenizer,
                "auto, bpe (trained on the data) or a tokenizer.json; auto: the model's"
            )
                .length(1, 2048),
            field("vocab_size", &TrainSpec::vocab_size, "Of a tokenizer trained here")
                .within(257, 1'000'000),
            field("seed", &TrainSpec::seed, "Of weights and order"),
            field("checkpoint_every", &TrainSpec::checkpoint_every, "Steps between checkpoints")
                .within(1, 1'000'000),
            field(
                "validation_uri",
                &TrainSpec::validation_uri,
                "Held-out rows; default: the dataset's validation split"
            ),
        };
    }
};

struct EvaluateSpec {
    static constexpr std::string_view kName = "EvaluateSpec";
    std::string model_id;
    std::string benchmark = "heldout";
    std::optional<std::string> dataset_uri;
    std::int64_t max_samples = 0;
    int max_new_tokens = 64;
    double temperature = 0;
    std::uint64_t seed = 0;

    bool operator==(const EvaluateSpec&) const = default;
    static constexpr auto fields() {
        return std::tuple{
            field("model_id", &EvaluateSpec::model_id, "Checkpoint to evaluate")
                .required()
                .alias("model")
                .alias("checkpoint_id")
                .length(1, 2048)
                .example("ckpt_456"),
            field(
                "benchmark",
                &EvaluateSpec::benchmark,
                "heldout: exact match on the test split; perplexity: loss and bits per byte of text"
            )
                .one_of({"heldout", "perplexity"}),
            field("dataset_uri", &EvaluateSpec::dataset_uri, "Rows to evaluate on")
                .alias("dataset_id"),
            field("max_samples", &EvaluateSpec::max_samples, "Take the first rows only; 0: all")
                .within(0, 1'000'000'000),
            field("max_new_tokens", &EvaluateSpec::max_new_tokens, "Longest answer")
                .within(1, 131072)
                .unit("tokens"),
            field("temperature", &EvaluateSpec::temperature, "0 is greedy").within(0, 2),
            field("seed", &EvaluateSpec::seed, "Of the sampling"),
        };
    }
};

struct DeploySpec {
    static constexpr std::string_view kName = "DeploySpec";
    std::string model_id;
    std::string region = "local";
    std::optional<std::string> name;

    bool operator==(const DeploySpec&) const = default;
    static constexpr auto fields() {
        return std::tuple{
            field("model_id", &DeploySpec::model_id, "Checkpoint to serve")
                .required()
                .alias("model")
                .alias("checkpoint_id")
                .length(1, 2048)
                .example("ckpt_456"),
            field("region", &DeploySpec::region, "Gateway pool that serves it")
                .length(1, 64)
                .example("us-east-1"),
            field(
                "name", &DeploySpec::name, "Model name on the gateway; default: the deployment's id"
            )
                .length(1, 128),
        };
    }
};

}  // namespace nexa::protocol
