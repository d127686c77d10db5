// SPDX-License-Identifier: Apache-2.0
#include "orchestration/job_inputs.h"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "core/json.h"
#include "core/near_name.h"
#include "orchestration/artifact_manifest.h"
#include "orchestration/artifact_store.h"
#include "protocol/job_types.h"

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

/// A model may be a preset and a teacher an endpoint: the engine and the worker know those. Data is
/// always stored.
bool may_be_a_name(std::string_view input) {
    return input == "model" || input == "teacher";
}

/// What was most likely meant by an id or a name that is not stored: "ds_1" or "ds_1 ('sums')".
/// Looks at the newest ones only: what somebody has just mistyped is seldom old.
Result<std::optional<std::string>> near_artifact(
    db::Tx& tx, const std::string& tenant_id, std::string_view text
) {
    constexpr int kLookedAt = 200;
    TRY(const auto stored, artifact_store::list(tx, {.tenant_id = tenant_id, .limit = kLookedAt}));
    std::vector<std::string_view> words;
    for (const ArtifactRecord& artifact : stored) {
        words.push_back(artifact.artifact_id);
    }
    for (const ArtifactRecord& artifact : stored) {
        words.push_back(artifact.name);
    }
    const auto near = nearest(text, words);
    if (!near) {
        return std::optional<std::string>();
    }
    const auto at = static_cast<std::size_t>(std::ranges::find(words, *near) - words.begin());
    const ArtifactRecord& meant = stored[at % stored.size()];
    return at < stored.size() ? meant.artifact_id
                              : fmt::format("{} ('{}')", meant.artifact_id, meant.name);
}

Result<protocol::JobInput> stored_input(
    db::Tx& tx,
    const std::string& tenant_id,
    const protocol::InputReference& reference,
    const std::string& artifact_id
) {
    auto artifact = artifact_store::get(tx, artifact_id, tenant_id);
    if (!artifact) {
        Error error = std::move(artifact).error();
        error.param = reference.field;  // the caller wrote a spec, not a request for an artifact
        TRY(const auto near, near_artifact(tx, tenant_id, artifact_id));
        return std::move(error).hint(
            near ? fmt::format("did you mean {}?", *near)
                 : "`nexa artifact ls` lists what is stored"
        );
    }
    TRY(auto files, files_of(artifact->manifest));
    return protocol::JobInput{
        .name = reference.input,
        .artifact_id = artifact_id,
        .kind = artifact->kind,
        .root_digest = artifact->root_digest,
        .files = std::move(files),
    };
}

}  // namespace

Result<std::vector<protocol::JobInput>> find_inputs(
    db::Tx& tx, const std::string& tenant_id, std::string_view job_type, const JsonText& payload
) {
    TRY(const protocol::JobTypeRow* type, protocol::find_job_type(job_type));
    std::vector<protocol::JobInput> inputs;
    for (const protocol::InputReference& reference : type->references(payload)) {
        if (const auto artifact_id = artifact_named_by(reference.text)) {
            TRY(auto input, stored_input(tx, tenant_id, reference, *artifact_id));
            inputs.push_back(std::move(input));
        } else if (!may_be_a_name(reference.input)) {
            TRY(const auto near, near_artifact(tx, tenant_id, reference.text));
            return Error::invalid_argument("'{}' is no dataset of this server", reference.text)
                .at(reference.field)
                .hint(
                    near ? fmt::format("did you mean {}?", *near)
                         : "upload it with `nexa artifact push` and give the ds_… id that it prints"
                );
        }
    }
    return inputs;
}

}  // namespace nexa::orchestration
