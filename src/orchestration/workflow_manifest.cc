// SPDX-License-Identifier: Apache-2.0
#include "orchestration/workflow_manifest.h"

#include <charconv>
#include <cmath>
#include <map>

#include "core/json.h"
#include "core/json_writer.h"
#include "orchestration/artifact_manifest.h"
#include "orchestration/artifact_store.h"
#include "orchestration/job_store.h"

namespace nexa::orchestration {

namespace {

using Kind = ValueNode::Kind;
/// By URI: two jobs that read one file make one line.
using Files = std::map<std::string, RunFile>;

constexpr int kArtifactsOfJobMax = 100;

Status add_files(
    const std::string& artifact_id, const std::vector<protocol::InputFile>& files, Files& found
) {
    for (const protocol::InputFile& file : files) {
        TRY(const Sha256Digest digest, Sha256Digest::parse(file.digest));
        const std::string uri = fmt::format("internal://{}/{}", artifact_id, file.path);
        found[uri] = {.uri = uri, .digest = digest, .size = Bytes(file.size)};
    }
    return {};
}

Status add_inputs(const Job& job, Files& inputs) {
    TRY(const auto read, from_json<std::vector<protocol::JobInput>>(job.inputs.text));
    for (const protocol::JobInput& input : read) {
        TRY_STATUS(add_files(input.artifact_id, input.files, inputs));
    }
    return {};
}

Status add_outputs(db::Tx& tx, const Job& job, Files& outputs) {
    const ArtifactFilter made{
        .tenant_id = job.tenant_id, .job_id = job.job_id.text(), .limit = kArtifactsOfJobMax
    };
    TRY(const auto artifacts, artifact_store::list(tx, made));
    for (const ArtifactRecord& artifact : artifacts) {
        TRY(const auto files, files_of(artifact.manifest));
        TRY_STATUS(add_files(artifact.artifact_id, files, outputs));
    }
    return {};
}

/// Every number in a result, as "evaluate.scores.exact_match".
void add_metrics(
    const ValueNode& value,
    const std::string& name,
    std::map<std::string, std::optional<double>>& metrics
) {
    if (value.kind == Kind::kObject) {
        for (std::size_t i = 0; i < value.keys.size(); ++i) {
            add_metrics(value.items[i], fmt::format("{}.{}", name, value.keys[i]), metrics);
        }
        return;
    }
    double number = 0;
    const char* const end = value.text.data() + value.text.size();
    if (value.kind == Kind::kNumber &&
        std::from_chars(value.text.data(), end, number).ec == std::errc() &&
        std::isfinite(number)) {
        metrics[name] = number;
    }
}

std::vector<RunFile> listed(Files files) {
    std::vector<RunFile> list;
    for (auto& [uri, file] : files) {
        list.push_back(std::move(file));
    }
    return list;
}

}  // namespace

Result<RunManifest> manifest_of(db::Tx& tx, const StoredWorkflow& stored, const RunCode& code) {
    const WorkflowHead& head = stored.head;
    const Workflow workflow(stored.definition, stored.record);
    RunManifest manifest{
        .run_id = head.workflow_id.text(),
        .created_at = head.created_at,
        .started_at = head.created_at,  // what can start does so with the submission
        .finished_at = head.finished_at,
        .code = code,
    };
    Files inputs;
    Files outputs;
    JsonWriter config;
    config.begin_object();
    config.key("workflow");
    config.raw(head.definition.text);
    config.key("steps");
    config.begin_object();
    for (std::size_t step = 0; step < stored.record.steps.size(); ++step) {
        const StepDefinition& definition = stored.definition.steps[step];
        const StepRecord& record = stored.record.steps[step];
        config.key(definition.name);
        config.begin_array();
        for (const BranchRecord& branch : record.branches) {
            if (branch.job_id.empty()) {
                continue;
            }
            TRY(const JobId job_id, JobId::parse(branch.job_id));
            TRY(const Job job, job_store::get(tx, job_id, head.tenant_id));
            config.raw(job.payload.text);
            TRY_STATUS(add_inputs(job, inputs));
            TRY_STATUS(add_outputs(tx, job, outputs));
        }
        config.end_array();
        if (record.state == StepState::kCompleted && definition.matrix.empty()) {
            add_metrics(workflow.outputs(step), definition.name, manifest.metrics);
        }
        if (manifest.error.empty() && record.state == StepState::kFailed) {
            manifest.error = fmt::format("{}: {}", definition.name, record.reason);
        }
    }
    config.end_object();
    config.end_object();
    manifest.config = {config.take()};
    manifest.inputs = listed(std::move(inputs));
    manifest.outputs = listed(std::move(outputs));
    if (head.state != WorkflowState::kRunning) {
        manifest.exit_status = head.state == WorkflowState::kCompleted ? 0 : 1;
    }
    return manifest;
}

}  // namespace nexa::orchestration
