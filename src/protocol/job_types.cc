// SPDX-License-Identifier: Apache-2.0
#include "protocol/job_types.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <fmt/ranges.h>

#include "core/check.h"
#include "core/json.h"
#include "core/near_name.h"
#include "protocol/audit_spec.h"
#include "protocol/deploy_spec.h"
#include "protocol/distill_spec.h"
#include "protocol/echo_spec.h"
#include "protocol/evaluate_spec.h"
#include "protocol/generate_spec.h"
#include "protocol/train_spec.h"

namespace nexa::protocol {

namespace {

template <class Spec>
Result<JsonText> canonical(std::string_view payload) {
    TRY(const Spec spec, from_json<Spec>(payload));
    return JsonText{to_json(spec)};
}

template <class Spec>
Result<JsonText> canonical_node(const ValueNode& payload, std::string_view source) {
    Spec spec;
    const auto faults = decode(payload, type_info<Spec>(), &spec, UnknownKeys::kRefuse);
    if (!faults.empty()) {
        return faults.front().in(source);
    }
    return JsonText{to_json(spec)};
}

/// Collects the references of one payload.
class References {
public:
    References& add(std::string_view input, std::string_view field, const std::string& text) {
        found_.push_back({.input = std::string(input), .field = std::string(field), .text = text});
        return *this;
    }
    References& add(
        std::string_view input, std::string_view field, const std::optional<std::string>& text
    ) {
        return text ? add(input, field, *text) : *this;
    }
    std::vector<InputReference> take() { return std::move(found_); }

private:
    std::vector<InputReference> found_;
};

std::vector<InputReference> references_of(const EchoSpec&) {
    return {};
}
std::vector<InputReference> references_of(const GenerateSpec& spec) {
    return References()
        .add("dataset", "dataset_uri", spec.dataset_uri)
        .add("teacher", "teacher", spec.teacher)
        .take();
}
std::vector<InputReference> references_of(const AuditSpec& spec) {
    return References().add("dataset", "dataset_uri", spec.dataset_uri).take();
}
std::vector<InputReference> references_of(const DistillSpec& spec) {
    return References()
        .add("dataset", "dataset_uri", spec.dataset_uri)
        .add("teacher", "teacher", spec.teacher)
        .take();
}
std::vector<InputReference> references_of(const TrainSpec& spec) {
    return References()
        .add("dataset", "dataset_uri", spec.dataset_uri)
        .add("model", "model_id", spec.model_id)
        .add("validation", "validation_uri", spec.validation_uri)
        .take();
}
std::vector<InputReference> references_of(const EvaluateSpec& spec) {
    return References()
        .add("model", "model_id", spec.model_id)
        .add("dataset", "dataset_uri", spec.dataset_uri)
        .take();
}
std::vector<InputReference> references_of(const DeploySpec& spec) {
    return References().add("model", "model_id", spec.model_id).take();
}

template <class Spec>
std::vector<InputReference> references(const JsonText& payload) {
    const auto spec = from_json<Spec>(payload.text);
    NEXA_CHECK(spec.has_value());  // it was canonical, so it decodes
    return references_of(*spec);
}

template <class Spec>
constexpr JobTypeRow row(
    std::string_view name, std::string_view summary, std::string_view example
) {
    return {
        .name = name,
        .summary = summary,
        .hidden = false,
        .spec = &type_info<Spec>,
        .schema = &json_schema<Spec>,
        .canonical = &canonical<Spec>,
        .canonical_node = &canonical_node<Spec>,
        .references = &references<Spec>,
        .example = example,
    };
}

constexpr JobTypeRow hidden(JobTypeRow visible) {
    visible.hidden = true;
    return visible;
}

constexpr std::array kJobTypes{
    row<GenerateSpec>(
        "generate",
        "Make a dataset: verifiable tasks, questions about your documents, or a teacher's rows",
        R"({"domain":"arithmetic","num_samples":1000,"seed":7})"
    ),
    row<AuditSpec>(
        "audit",
        "Score the quality of a dataset, row by row, with reasons",
        R"({"dataset_uri":"ds_123"})"
    ),
    row<DistillSpec>(
        "distill",
        "Let a teacher answer a dataset's prompts and keep what is right",
        R"({"dataset_uri":"ds_123","teacher":"ckpt_456"})"
    ),
    row<TrainSpec>(
        "train",
        "Train or fine-tune a model",
        R"({"dataset_uri":"ds_123","model_id":"nexa-small","epochs":3})"
    ),
    row<EvaluateSpec>(
        "evaluate",
        "Measure a checkpoint, with intervals and a report",
        R"({"model_id":"ckpt_456"})"
    ),
    row<DeploySpec>(
        "deploy", "Serve a checkpoint behind the gateway", R"({"model_id":"ckpt_456"})"
    ),
    hidden(row<EchoSpec>("echo", "Say a message back", R"({"message":"hello"})")),
};

constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kArtifactPrefixes{{
    {"dataset", "ds_"},
    {"distill", "ds_"},
    {"checkpoint", "ckpt_"},
    {"eval", "ev_"},
    {"deployment", "dp_"},
}};

constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kArtifactFolders{{
    {"dataset", "datasets"},
    {"distill", "distill"},
    {"checkpoint", "checkpoints"},
    {"eval", "evals"},
    {"deployment", "deployments"},
}};

std::string_view look_up(const auto& table, std::string_view kind) {
    const auto found =
        std::ranges::find(table, kind, [](const auto& entry) { return entry.first; });
    return found == table.end() ? std::string_view{} : found->second;
}

}  // namespace

std::span<const JobTypeRow> job_types() {
    return kJobTypes;
}

Result<const JobTypeRow*> find_job_type(std::string_view name) {
    std::vector<std::string_view> visible;
    for (const JobTypeRow& type : kJobTypes) {
        if (type.name == name) {
            return &type;
        }
        if (!type.hidden) {
            visible.push_back(type.name);
        }
    }
    const auto near = nearest(name, visible);
    return Error::not_found("there is no job type '{}'", name)
        .at("job_type")
        .hint(
            near ? fmt::format(
                       "did you mean '{}'? the types are {}", *near, fmt::join(visible, ", ")
                   )
                 : fmt::format("the types are {}", fmt::join(visible, ", "))
        );
}

std::string artifact_id_of(std::string_view job_id, std::string_view kind) {
    const std::size_t underscore = job_id.find('_');
    const std::string_view number =
        underscore == std::string_view::npos ? job_id : job_id.substr(underscore + 1);
    return fmt::format("{}{}", look_up(kArtifactPrefixes, kind), number);
}

std::string_view artifact_folder(std::string_view kind) {
    return look_up(kArtifactFolders, kind);
}

}  // namespace nexa::protocol
