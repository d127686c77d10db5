// SPDX-License-Identifier: Apache-2.0
#include "orchestration/workflow_templates.h"

#include <array>
#include <vector>

#include <fmt/ranges.h>

#include "core/near_name.h"

namespace nexa::orchestration {

namespace {

/// The mission's TrainingPipeline. Without a teacher the audited rows are trained on as they are.
constexpr std::string_view kTrainingPipeline = R"json({
  "inputs": {
    "dataset_uri": null, "teacher": null, "model_id": "nexa-small", "epochs": 3,
    "quality_tier_min": "C-", "metric": "exact_match", "metric_min": 0,
    "selection": "verifier", "samples_per_prompt": null, "max_prompts": null, "max_new_tokens": null,
    "temperature": null,
    "max_steps": null, "batch_size": null, "max_seq_len": null, "learning_rate": null, "vocab_size": null,
    "benchmark_uri": null, "max_samples": null,
    "deploy": true, "region": null, "name": null, "seed": null
  },
  "steps": {
    "audit": {
      "job_type": "audit",
      "spec": {"dataset_uri": "${{ inputs.dataset_uri }}"}
    },
    "distill": {
      "job_type": "distill",
      "if": "inputs.teacher != null && tier_at_least(steps.audit.outputs.quality_tier, inputs.quality_tier_min)",
      "spec": {
        "dataset_uri": "${{ steps.audit.outputs.dataset_id }}",
        "teacher": "${{ inputs.teacher }}",
        "selection": "${{ inputs.selection }}",
        "samples_per_prompt": "${{ inputs.samples_per_prompt }}",
        "max_prompts": "${{ inputs.max_prompts }}",
        "max_new_tokens": "${{ inputs.max_new_tokens }}",
        "temperature": "${{ inputs.temperature }}",
        "seed": "${{ inputs.seed }}"
      }
    },
    "train": {
      "job_type": "train",
      "if": "!failure() && tier_at_least(steps.audit.outputs.quality_tier, inputs.quality_tier_min)",
      "spec": {
        "dataset_uri": "${{ steps.distill.outputs.distilled_dataset_id || steps.audit.outputs.dataset_id }}",
        "model_id": "${{ inputs.model_id }}",
        "epochs": "${{ inputs.epochs }}",
        "max_steps": "${{ inputs.max_steps }}",
        "batch_size": "${{ inputs.batch_size }}",
        "max_seq_len": "${{ inputs.max_seq_len }}",
        "learning_rate": "${{ inputs.learning_rate }}",
        "vocab_size": "${{ inputs.vocab_size }}",
        "seed": "${{ inputs.seed }}"
      }
    },
    "evaluate": {
      "job_type": "evaluate",
      "spec": {
        "model_id": "${{ steps.train.outputs.checkpoint_id }}",
        "dataset_uri": "${{ inputs.benchmark_uri }}",
        "max_samples": "${{ inputs.max_samples }}",
        "max_new_tokens": "${{ inputs.max_new_tokens }}"
      }
    },
    "deploy": {
      "job_type": "deploy",
      "needs": ["evaluate"],
      "if": "inputs.deploy && steps.evaluate.outputs.scores[inputs.metric] >= inputs.metric_min",
      "spec": {
        "model_id": "${{ steps.train.outputs.checkpoint_id }}",
        "region": "${{ inputs.region }}",
        "name": "${{ inputs.name }}"
      }
    }
  }
})json";

constexpr std::array<std::string_view, 1> kTrainingPipelineNeeds{"dataset_uri"};

constexpr std::array<WorkflowTemplate, 1> kTemplates{{
    {.name = "training_pipeline",
     .summary = "Audit a dataset, distill it, train on what is kept, evaluate, deploy",
     .definition = kTrainingPipeline,
     .required = kTrainingPipelineNeeds},
}};

}  // namespace

std::span<const WorkflowTemplate> workflow_templates() {
    return kTemplates;
}

Result<const WorkflowTemplate*> find_workflow_template(std::string_view name) {
    std::vector<std::string_view> names;
    names.reserve(kTemplates.size());
    for (const WorkflowTemplate& known : kTemplates) {
        if (known.name == name) {
            return &known;
        }
        names.push_back(known.name);
    }
    const auto near = nearest(name, names);
    return Error::not_found("there is no workflow template '{}'", name)
        .hint(
            near ? fmt::format("did you mean '{}'?", *near)
                 : fmt::format("the templates are {}", fmt::join(names, ", "))
        );
}

}  // namespace nexa::orchestration
