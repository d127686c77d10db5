// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "core/clock.h"
#include "core/fields.h"
#include "core/json_text.h"
#include "core/result.h"
#include "core/sha256.h"
#include "core/strong.h"
#include "core/text_form.h"

namespace nexa::storage {

/// What an artifact was made from.
struct ArtifactInput {
    std::string uri{};
    Sha256Digest digest{};
    Bytes size{};
    std::string media_type{};
    std::string role{};
    std::string license{};

    static constexpr auto fields() {
        using Self = ArtifactInput;
        return std::tuple{
            field("uri", &Self::uri, "Where the input was read from").required(),
            field("digest", &Self::digest, "SHA-256 of its bytes; left out if it has none"),
            field("size", &Self::size, "Its size").unit("bytes").within(0, INT64_MAX),
            field("media_type", &Self::media_type, "Its media type"),
            field("role", &Self::role, "What it was used for, such as dataset or base_model"),
            field("license", &Self::license, "SPDX license expression, if known"),
        };
    }
};

struct ArtifactFile {
    std::string path{};  ///< relative, see check_key()
    Sha256Digest digest{};
    Bytes size{};
    std::string media_type{};

    static constexpr auto fields() {
        using Self = ArtifactFile;
        return std::tuple{
            field("path", &Self::path, "Path below the artifact's folder, with slashes").required(),
            field("digest", &Self::digest, "SHA-256 of its bytes").required(),
            field("size", &Self::size, "Its size").unit("bytes").within(0, INT64_MAX).required(),
            field("media_type", &Self::media_type, "Its media type"),
        };
    }
};

/// What an artifact is, where it came from and which bytes it holds: manifest.json in its folder
/// (docs/formats/artifact_manifest.md). build_manifest() fills what follows from the bytes.
struct ArtifactManifest {
    int schema_version = 1;
    std::string kind{};
    std::string name{};
    std::string version{};
    Timestamp created_at{};
    std::string job_id{};
    std::vector<std::string> parents{};
    std::vector<ArtifactInput> inputs{};
    JsonText config{"{}"};
    Sha256Digest config_digest{};  ///< of config's canonical JSON
    JsonText metrics{"{}"};
    std::map<std::string, std::string> annotations{};
    std::vector<ArtifactFile> files{};  ///< in the order of their paths' bytes
    Sha256Digest root_digest{};  ///< of the raw digests of `files`, one after the other (OMS)
    Sha256Digest hash{};         ///< of the canonical JSON without `hash` and `signatures`

    static constexpr auto fields() {
        using Self = ArtifactManifest;
        return std::tuple{
            field("schema_version", &Self::schema_version, "Version of this format")
                .within(1, 1)
                .required(),
            field("kind", &Self::kind, "dataset, distill, checkpoint, eval, deployment or model")
                .length(1, 64)
                .required(),
            field("name", &Self::name, "What people call it").length(0, 256).required(),
            field("version", &Self::version, "Its version among those of its name").length(0, 128),
            field("created_at", &Self::created_at, "When it was complete").required(),
            field("job_id", &Self::job_id, "The job that made it; empty if none did").required(),
            field("parents", &Self::parents, "Ids or digests of the versions it continues"),
            field("inputs", &Self::inputs, "What it was made from").required(),
            field("config", &Self::config, "The resolved specification of the job").required(),
            field("config_digest", &Self::config_digest, "SHA-256 of config's canonical JSON")
                .required(),
            field("metrics", &Self::metrics, "The result's numbers").required(),
            field("annotations", &Self::annotations, "Free texts, as in OCI"),
            field("files", &Self::files, "Every file of the artifact but this one")
                .length(0, 100'000)
                .required(),
            field("root_digest", &Self::root_digest, "SHA-256 over the files' digests in order")
                .required(),
            field("hash", &Self::hash, "SHA-256 of the canonical JSON without hash and signatures")
                .required(),
        };
    }
};

/// The manifest's file in the artifact's folder. With model.sig, a signature over the manifest's
/// files, it is no file of the artifact.
inline constexpr std::string_view kManifestName = "manifest.json";
inline constexpr std::string_view kSignatureName = "model.sig";

/// Reads every file of `folder` and returns `about` with files, digests and hash filled in.
/// Blocking. Errors: kInvalidArgument (a symbolic link, a special file, a name that check_key()
/// refuses, more than 100,000 files, config or metrics that are no JSON object, or another
/// field of `about` that parse_manifest() would refuse), kNotFound,
/// kUnavailable.
Result<ArtifactManifest> build_manifest(
    const std::filesystem::path& folder, ArtifactManifest about
);

/// The same for files that are already listed, with their digests: sorts them and fills in what
/// follows from them. Reads no file. Errors: kInvalidArgument, as build_manifest().
Result<ArtifactManifest> seal_manifest(ArtifactManifest about);

/// The manifest as canonical JSON. Its hash must be set: what build_manifest() returned.
/// Errors: kMalformed (config or metrics are no JSON).
Result<std::string> manifest_text(const ArtifactManifest& manifest);

/// Reads a manifest's text and checks what it says about itself. Members that it does not know are
/// covered by the hash and ignored.
/// Errors: kMalformed, kInvalidArgument (a bad field; a path refused by check_key(), twice or out
/// of order), kDataLoss (hash, root_digest or config_digest is not that of the text).
Result<ArtifactManifest> parse_manifest(std::string_view text);

/// manifest.json of `folder`. Blocking. Writing replaces it as a whole.
Status write_manifest(const std::filesystem::path& folder, const ArtifactManifest& manifest);
/// Errors: kNotFound and those of parse_manifest().
Result<ArtifactManifest> read_manifest(const std::filesystem::path& folder);

/// How the files of a folder differ from those of a manifest, each list in order.
struct ArtifactDifferences {
    std::vector<std::string> missing;
    std::vector<std::string> extra;
    std::vector<std::string> changed;

    bool none() const { return missing.empty() && extra.empty() && changed.empty(); }
    /// "1 missing (a.bin), 2 changed (b.bin, c.bin)"; names at most ten of each.
    std::string to_string() const;
};

/// Reads every file of `folder`. Blocking. A symbolic link or special file counts as extra, or as
/// changed where a file should be. Errors: kNotFound (no such folder), kUnavailable.
Result<ArtifactDifferences> compare_artifact(
    const std::filesystem::path& folder, const ArtifactManifest& manifest
);
/// The same, for those who want nothing but the files of the manifest.
/// Errors: also kDataLoss, with the names of the files that differ.
Status verify_artifact(const std::filesystem::path& folder, const ArtifactManifest& manifest);

}  // namespace nexa::storage
