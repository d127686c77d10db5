// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>

#include "core/fields.h"

namespace nexa::protocol {

// What a completed job of each type answers, in its `result`.

struct EchoResult {
    static constexpr std::string_view kName = "EchoResult";
    std::string message;

    static constexpr auto fields() {
        return std::tuple{field("message", &EchoResult::message, "The message said back").required()
        };
    }
};

struct GenerateResult {
    static constexpr std::string_view kName = "GenerateResult";
    std::string dataset_id;
    std::string dataset_uri;
    std::int64_t num_samples = 0;
    std::int64_t num_failed = 0;
    std::map<std::string, std::int64_t> splits;
    std::uint64_t seed = 0;
    double diversity = 0;
    double cost_usd = 0;

    static constexpr auto fields() {
        return std::tuple{
            field("dataset_id", &GenerateResult::dataset_id, "The dataset made").required(),
            field("dataset_uri", &GenerateResult::dataset_uri, "Its URI").required(),
            field("num_samples", &GenerateResult::num_samples, "Rows in it").required(),
            field(
                "num_failed", &GenerateResult::num_failed, "Rows that failed, kept with a reason"
            ),
            field("splits", &GenerateResult::splits, "Rows by split"),
            field("seed", &GenerateResult::seed, "With which it can be made again"),
            field("diversity", &GenerateResult::diversity, "Distinct word trigrams as part of all"),
            field("cost_usd", &GenerateResult::cost_usd, "Paid to the teacher").unit("USD"),
        };
    }
};

struct AuditResult {
    static constexpr std::string_view kName = "AuditResult";
    std::string dataset_id;
    double overall_quality_score = 0;
    std::string quality_tier;
    std::string row_format;
    std::map<std::string, double> metrics;
    std::string scored_dataset_uri;
    std::string report_uri;

    static constexpr auto fields() {
        return std::tuple{
            field("dataset_id", &AuditResult::dataset_id, "The scored dataset").required(),
            field("overall_quality_score", &AuditResult::overall_quality_score, "0 to 5")
                .required(),
            field("quality_tier", &AuditResult::quality_tier, "A+ to F").required(),
            field(
                "row_format",
                &AuditResult::row_format,
                "What a row is: chat, prompt_completion, question_answer or text"
            ),
            field("metrics", &AuditResult::metrics, "By name").required(),
            field(
                "scored_dataset_uri",
                &AuditResult::scored_dataset_uri,
                "Rows with their scores, Parquet"
            )
                .required(),
            field("report_uri", &AuditResult::report_uri, "For people"),
        };
    }
};

struct DistillResult {
    static constexpr std::string_view kName = "DistillResult";
    std::string distilled_dataset_id;
    std::string sft_dataset_uri;
    std::int64_t num_samples = 0;
    std::int64_t estimated_tokens = 0;
    std::map<std::string, std::int64_t> counts;

    static constexpr auto fields() {
        return std::tuple{
            field("distilled_dataset_id", &DistillResult::distilled_dataset_id, "The dataset made")
                .required(),
            field("sft_dataset_uri", &DistillResult::sft_dataset_uri, "Rows to train on, Parquet")
                .required(),
            field("num_samples", &DistillResult::num_samples, "Rows kept").required(),
            field(
                "estimated_tokens", &DistillResult::estimated_tokens, "Tokens the teacher generated"
            )
                .required(),
            field(
                "counts",
                &DistillResult::counts,
                "Prompts, samples, accepted, rejected, from the cache"
            ),
        };
    }
};

struct TrainResult {
    static constexpr std::string_view kName = "TrainResult";
    std::string checkpoint_id;
    std::string checkpoint_uri;
    std::string train_metrics_uri;
    double gpu_hours = 0;
    double cpu_hours = 0;
    std::int64_t steps = 0;
    std::int64_t parameters = 0;
    std::map<std::string, double> metrics;

    static constexpr auto fields() {
        return std::tuple{
            field("checkpoint_id", &TrainResult::checkpoint_id, "The checkpoint made").required(),
            field("checkpoint_uri", &TrainResult::checkpoint_uri, "Its URI").required(),
            field("train_metrics_uri", &TrainResult::train_metrics_uri, "One line per step")
                .required(),
            field("gpu_hours", &TrainResult::gpu_hours, "GPUs held, times hours; 0 on CPU")
                .required(),
            field("cpu_hours", &TrainResult::cpu_hours, "Processor time"),
            field("steps", &TrainResult::steps, "Optimizer steps"),
            field("parameters", &TrainResult::parameters, "Of the model"),
            field("metrics", &TrainResult::metrics, "Final loss and its like"),
        };
    }
};

struct EvaluateResult {
    static constexpr std::string_view kName = "EvaluateResult";
    std::string eval_id;
    std::map<std::string, double> scores;
    std::string report_uri;
    std::int64_t num_samples = 0;

    static constexpr auto fields() {
        return std::tuple{
            field("eval_id", &EvaluateResult::eval_id, "The evaluation made").required(),
            field(
                "scores", &EvaluateResult::scores, "By name, with _ci95_low and _ci95_high beside"
            )
                .required(),
            field("report_uri", &EvaluateResult::report_uri, "HTML").required(),
            field("num_samples", &EvaluateResult::num_samples, "Items evaluated"),
        };
    }
};

struct DeployResult {
    static constexpr std::string_view kName = "DeployResult";
    std::string deployment_id;
    std::string inference_url;
    std::optional<std::string> hf_repo;

    static constexpr auto fields() {
        return std::tuple{
            field("deployment_id", &DeployResult::deployment_id, "The deployment").required(),
            field("inference_url", &DeployResult::inference_url, "Where it answers").required(),
            field("hf_repo", &DeployResult::hf_repo, "Where it was pushed, if a hub is configured")
                .null_when_empty(),
        };
    }
};

}  // namespace nexa::protocol
