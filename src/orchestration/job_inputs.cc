// SPDX-License-Identifier: Apache-2.0
#include "orchestration/job_inputs.h"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/check.h"
#include "core/near_name.h"
#include "orchestration/artifact_manifest.h"
#include "orchestration/artifact_store.h"
#include "orchestration/job_store.h"
#include "orchestration/orchestration_sql.h"
#include "protocol/job_types.h"
#include "protocol/train_spec.h"

namespace nexa::orchestration {

namespace {

constexpr std::string_view kInternal = "internal://";
constexpr std::array<std::string_view, 4> kArtifactPrefixes{"ds_", "ckpt_", "ev_", "dp_"};

bool is_artifact_id(std::string_view text) {
    return std::ranges::any_of(kArtifactPrefixes, [&](std::string_view prefix) {
        return text.starts_with(prefix);
    });
}

/// "internal://ds_1/scored.parquet" and "ds_1" name the artifact ds_1.
std::optional<std::string> artifact_named_by(std::string_view text) {
    if (text.starts_with(kInternal)) {
        text.remove_prefix(kInternal.size());
        return std::string(text.substr(0, text.find('/')));
    }
    return is_artifact_id(text) ? std::optional(std::string(text)) : std::nullopt;
}

bool is_model(std::string_view input) {
    return input == "model" || input == "teacher";
}

bool takes_presets(std::string_view job_type, const protocol::InputReference& reference) {
    return job_type == "train" && reference.input == "model";
}

bool is_preset(std::string_view name) {
    return std::ranges::find(protocol::kModelPresets, name) != protocol::kModelPresets.end();
}

/// A teacher may be an endpoint, which the worker knows, and a training can begin with a preset.
/// All else is stored.
bool is_a_name(std::string_view job_type, const protocol::InputReference& reference) {
    return reference.input == "teacher" ||
           (takes_presets(job_type, reference) && is_preset(reference.text));
}

/// A reference by id, by URI, or by the name of a checkpoint.
Result<std::optional<std::string>> artifact_behind(
    db::Tx& tx,
    const std::string& tenant_id,
    std::string_view job_type,
    const protocol::InputReference& reference
) {
    if (auto artifact_id = artifact_named_by(reference.text)) {
        return artifact_id;
    }
    if (!is_model(reference.input) ||
        (takes_presets(job_type, reference) && is_preset(reference.text))) {
        return std::nullopt;
    }
    TRY(const auto row,
        tx.query_one(sql::kFindCheckpoint, {{"tenant_id", tenant_id}, {"name", reference.text}}));
    return row ? std::optional(row->text("id")) : std::nullopt;
}

/// What was most likely meant by an id or a name that is not stored: "ds_1" or "ds_1 ('sums')".
/// Empty if nothing is near, or it cannot be told.
std::string near_artifact(
    db::Tx& tx, const std::string& tenant_id, const protocol::InputReference& reference
) {
    const auto rows = tx.query(
        sql::kNearArtifacts, {{"tenant_id", tenant_id}, {"models", is_model(reference.input)}}
    );
    if (!rows) {
        return {};
    }
    std::vector<std::string> words;
    for (const char* column : {"id", "name"}) {
        for (const db::Row& row : *rows) {
            words.push_back(row.text(column));
        }
    }
    const auto near =
        nearest(reference.text, std::vector<std::string_view>(words.begin(), words.end()));
    if (!near) {
        return {};
    }
    const auto at = static_cast<std::size_t>(std::ranges::find(words, *near) - words.begin());
    const std::string& id = words[at % rows->size()];
    return at < rows->size() ? id : fmt::format("{} ('{}')", id, *near);
}

/// The names that a model can be asked for by: ", Mistral-7B, llama".
std::string names_of_models(db::Tx& tx, const std::string& tenant_id) {
    constexpr std::size_t kShownMax = 20;
    const auto rows = tx.query(sql::kNearArtifacts, {{"tenant_id", tenant_id}, {"models", true}});
    std::vector<std::string> names;
    for (std::size_t i = 0; rows && i < rows->size() && names.size() < kShownMax; ++i) {
        std::string name = (*rows)[i].text("name");
        if (!name.empty() && std::ranges::find(names, name) == names.end()) {
            names.push_back(std::move(name));
        }
    }
    return fmt::format("{}", fmt::join(names, ", "));
}

std::string advice_for(bool is_for_model, bool takes_presets) {
    if (!is_for_model) {
        return "upload it with `nexa artifact push` and give the ds_… id that it prints";
    }
    std::string advice = "give the ckpt_… id of one: `nexa artifact ls --kind checkpoint`";
    if (takes_presets) {
        advice += fmt::format("; or begin with {}", fmt::join(protocol::kModelPresets, ", "));
    }
    return advice;
}

Error unknown_input(
    db::Tx& tx,
    const std::string& tenant_id,
    std::string_view job_type,
    const protocol::InputReference& reference
) {
    const bool is_for_model = is_model(reference.input);
    const bool presets = takes_presets(job_type, reference);
    const auto preset = presets ? nearest(reference.text, protocol::kModelPresets) : std::nullopt;
    const std::string near =
        preset ? std::string(*preset) : near_artifact(tx, tenant_id, reference);
    std::string hint =
        near.empty() ? advice_for(is_for_model, presets) : fmt::format("did you mean {}?", near);
    const std::string known = is_for_model ? names_of_models(tx, tenant_id) : std::string();
    if (!known.empty()) {
        hint += fmt::format(" The models here are called {}", known);
    }
    return Error::invalid_argument(
               "'{}' is no {} of this server", reference.text, is_for_model ? "model" : "dataset"
    )
        .at(reference.field)
        .hint(hint);
}

/// A dataset where a model is asked for, or the other way round, is seen here and not by an engine.
Status check_kind(const protocol::InputReference& reference, std::string_view kind) {
    if (is_model(reference.input) == (kind == "checkpoint")) {
        return {};
    }
    return Error::invalid_argument("{} is a {}", reference.text, kind)
        .at(reference.field)
        .hint(
            is_model(reference.input) ? "give the ckpt_… id of a checkpoint"
                                      : "give the ds_… id of a dataset"
        );
}

Result<protocol::JobInput> stored_input(
    db::Tx& tx,
    const std::string& tenant_id,
    const protocol::InputReference& reference,
    const std::string& artifact_id,
    Holding holding
) {
    auto artifact = holding == Holding::kUntilCommit
                        ? artifact_store::hold(tx, artifact_id, tenant_id)
                        : artifact_store::get(tx, artifact_id, tenant_id);
    if (!artifact) {
        Error error = std::move(artifact).error();
        error.param = reference.field;  // the caller wrote a spec, not a request for an artifact
        if (error.code != ErrorCode::kNotFound) {
            return error;
        }
        const std::string near = near_artifact(tx, tenant_id, reference);
        return std::move(error).hint(
            near.empty() ? "`nexa artifact ls` lists what is stored"
                         : fmt::format("did you mean {}?", near)
        );
    }
    TRY_STATUS(check_kind(reference, artifact->kind));
    TRY(auto files, files_of(artifact->manifest));
    return protocol::JobInput{
        .name = reference.input,
        .artifact_id = artifact_id,
        .kind = artifact->kind,
        .root_digest = artifact->root_digest,
        .files = std::move(files),
    };
}

const protocol::JobInput* input_called(
    std::string_view name, const std::vector<protocol::JobInput>& inputs
) {
    const auto found = std::ranges::find(inputs, name, &protocol::JobInput::name);
    return found == inputs.end() ? nullptr : &*found;
}

/// The dataset that the job read which made `artifact_id`, if a job did and it read one.
Result<std::optional<protocol::JobInput>> dataset_behind(
    db::Tx& tx, const std::string& tenant_id, const std::string& artifact_id, Holding holding
) {
    TRY(const ArtifactRecord artifact, artifact_store::get(tx, artifact_id, tenant_id));
    if (!artifact.job_id) {
        return std::nullopt;
    }
    TRY(const JobId job_id, JobId::parse(*artifact.job_id));
    TRY(const Job job, job_store::get(tx, job_id, tenant_id));
    TRY(const protocol::JobTypeRow* type, protocol::find_job_type(job.job_type));
    for (const protocol::InputReference& reference : type->references(job.payload)) {
        const auto dataset_id = artifact_named_by(reference.text);
        if (reference.input == "dataset" && dataset_id) {
            TRY(auto input, stored_input(tx, tenant_id, reference, *dataset_id, holding));
            return std::move(input);
        }
    }
    return std::nullopt;
}

/// Without a dataset a model is measured on what its own training held out.
Result<protocol::JobInput> default_dataset(
    db::Tx& tx,
    const std::string& tenant_id,
    const std::vector<protocol::JobInput>& inputs,
    Holding holding
) {
    const protocol::JobInput* model = input_called("model", inputs);
    NEXA_CHECK(model != nullptr);  // an evaluation has one, and no preset
    TRY(auto dataset, dataset_behind(tx, tenant_id, model->artifact_id, holding));
    if (!dataset) {
        return Error::invalid_argument(
                   "is missing, and {} was not trained here", model->artifact_id
        )
            .at("dataset_uri")
            .hint("give the ds_… id of a dataset; its test split is used");
    }
    return *std::move(dataset);
}

}  // namespace

Result<std::vector<protocol::JobInput>> find_inputs(
    db::Tx& tx,
    const std::string& tenant_id,
    std::string_view job_type,
    const JsonText& payload,
    Holding holding
) {
    TRY(const protocol::JobTypeRow* type, protocol::find_job_type(job_type));
    std::vector<protocol::JobInput> inputs;
    for (const protocol::InputReference& reference : type->references(payload)) {
        TRY(const auto artifact_id, artifact_behind(tx, tenant_id, job_type, reference));
        if (artifact_id) {
            TRY(auto input, stored_input(tx, tenant_id, reference, *artifact_id, holding));
            inputs.push_back(std::move(input));
        } else if (!is_a_name(job_type, reference)) {
            return unknown_input(tx, tenant_id, job_type, reference);
        }
    }
    if (job_type == "evaluate" && input_called("dataset", inputs) == nullptr) {
        TRY(auto dataset, default_dataset(tx, tenant_id, inputs, holding));
        inputs.push_back(std::move(dataset));
    }
    return inputs;
}

}  // namespace nexa::orchestration
