// SPDX-License-Identifier: Apache-2.0
#include "storage/artifact.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "core/file.h"
#include "core/json.h"
#include "core/json_codec.h"
#include "core/utf8.h"
#include "crypto/canonical_json.h"
#include "storage/artifact_files_internal.h"
#include "storage/object_key.h"

namespace nexa::storage {

NEXA_JSON_CODEC(ArtifactInput);
NEXA_JSON_CODEC(ArtifactFile);
NEXA_JSON_CODEC(ArtifactManifest);

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kManifestBytesMax = std::size_t{64} << 20U;
constexpr crypto::CanonicalJsonLimits kCanonicalLimits{.bytes_max = kManifestBytesMax};
constexpr ParseLimits kParseLimits{.bytes_max = kManifestBytesMax};

Sha256Digest root_digest_of(const std::vector<ArtifactFile>& files) {
    Sha256 root;
    for (const ArtifactFile& file : files) {
        root.update(file.digest.bytes);
    }
    return root.digest();
}

Result<Sha256Digest> canonical_digest(std::string_view json) {
    TRY(const std::string canonical, crypto::canonical_json(json, kCanonicalLimits));
    return sha256(canonical);
}

/// The digest of an object that may stand in a manifest. `place` is for errors.
Result<Sha256Digest> object_digest(const JsonText& json, std::string_view place) {
    auto canonical = crypto::canonical_json(json.text, kCanonicalLimits);
    if (!canonical) {
        return std::move(canonical).error().at(place);
    }
    if (!canonical->starts_with('{')) {
        return Error::invalid_argument("must be a JSON object").at(place);
    }
    return sha256(*canonical);
}

/// What `hash` covers: the text's members but two, so also those that this version does not know.
Result<Sha256Digest> hash_of_text(std::string_view text) {
    TRY(ValueNode node, parse_json(text, kParseLimits));
    for (std::size_t i = node.keys.size(); i-- > 0;) {
        if (node.keys[i] == "hash" || node.keys[i] == "signatures") {
            node.keys.erase(node.keys.begin() + static_cast<std::ptrdiff_t>(i));
            node.items.erase(node.items.begin() + static_cast<std::ptrdiff_t>(i));
        }
    }
    return canonical_digest(to_json(node));
}

Status check_files(const std::vector<ArtifactFile>& files) {
    for (std::size_t i = 0; i < files.size(); ++i) {
        const std::string place = fmt::format("files[{}].path", i);
        if (Status valid = check_key(files[i].path); !valid) {
            return std::move(valid).error().at(place);
        }
        if (i > 0 && files[i - 1].path >= files[i].path) {
            return Error::invalid_argument(
                       "'{}' is there twice or out of order", quotable(files[i].path)
            )
                .at(place);
        }
    }
    return {};
}

Status check_digest(
    const Sha256Digest& stated, const Sha256Digest& actual, std::string_view field
) {
    if (stated == actual) {
        return {};
    }
    return Error::data_loss("the manifest says {}, but its content gives {}", stated, actual)
        .at(field);
}

/// "2 changed (b.bin, c.bin)", or nothing.
void append_names(std::string& text, std::string_view what, const std::vector<std::string>& names) {
    constexpr std::size_t kNamesMax = 10;
    if (names.empty()) {
        return;
    }
    text += fmt::format("{}{} {} (", text.empty() ? "" : ", ", names.size(), what);
    for (std::size_t i = 0; i < std::min(names.size(), kNamesMax); ++i) {
        text += (i == 0 ? "" : ", ") + quotable(names[i]);
    }
    text += names.size() > kNamesMax ? ", …)" : ")";
}

}  // namespace

Result<ArtifactManifest> build_manifest(const fs::path& folder, ArtifactManifest about) {
    TRY(const auto found, find_files(folder));
    about.files.clear();
    about.files.reserve(found.size());
    for (const FoundFile& file : found) {
        TRY_STATUS(check_key(file.path));
        if (!file.is_regular) {
            return Error::invalid_argument(
                       "'{}' is a symbolic link or a special file", quotable(file.path)
            )
                .hint("an artifact holds regular files only");
        }
        TRY(ArtifactFile described, describe_file(folder, file.path));
        about.files.push_back(std::move(described));
    }
    return seal_manifest(std::move(about));
}

Result<ArtifactManifest> seal_manifest(ArtifactManifest about) {
    std::ranges::sort(about.files, {}, &ArtifactFile::path);
    about.root_digest = root_digest_of(about.files);
    TRY_STATUS(object_digest(about.metrics, "metrics"));
    TRY(about.config_digest, object_digest(about.config, "config"));
    TRY(about.hash, hash_of_text(to_json(about)));
    // Nobody shall write what nobody can read, such as a manifest without a kind.
    TRY(const std::string text, manifest_text(about));
    return parse_manifest(text);
}

Result<std::string> manifest_text(const ArtifactManifest& manifest) {
    return crypto::canonical_json(to_json(manifest), kCanonicalLimits);
}

Result<ArtifactManifest> parse_manifest(std::string_view text) {
    TRY(ArtifactManifest manifest,
        from_json<ArtifactManifest>(
            text, {.limits = kParseLimits, .unknown_keys = UnknownKeys::kIgnore}
        ));
    TRY_STATUS(check_files(manifest.files));
    TRY(const Sha256Digest hash, hash_of_text(text));
    TRY_STATUS(check_digest(manifest.hash, hash, "hash"));
    TRY_STATUS(check_digest(manifest.root_digest, root_digest_of(manifest.files), "root_digest"));
    TRY(const Sha256Digest config, object_digest(manifest.config, "config"));
    TRY_STATUS(check_digest(manifest.config_digest, config, "config_digest"));
    return manifest;
}

Status write_manifest(const fs::path& folder, const ArtifactManifest& manifest) {
    TRY(std::string text, manifest_text(manifest));
    text += '\n';
    return write_file_atomically(folder / kManifestName, text);
}

Result<ArtifactManifest> read_manifest(const fs::path& folder) {
    const fs::path path = folder / kManifestName;
    TRY(const std::string text, read_file(path, kManifestBytesMax));
    auto manifest = parse_manifest(text);
    if (!manifest) {
        return std::move(manifest).error().while_doing(fmt::format("read '{}'", path.native()));
    }
    return manifest;
}

std::string ArtifactDifferences::to_string() const {
    std::string text;
    append_names(text, "missing", missing);
    append_names(text, "extra", extra);
    append_names(text, "changed", changed);
    return text.empty() ? "no difference" : text;
}

Result<ArtifactDifferences> compare_artifact(
    const fs::path& folder, const ArtifactManifest& manifest
) {
    TRY(const auto found, find_files(folder));
    ArtifactDifferences differences;
    auto file = found.begin();
    // Two sorted lists side by side.
    for (const ArtifactFile& stated : manifest.files) {
        for (; file != found.end() && file->path < stated.path; ++file) {
            differences.extra.push_back(file->path);
        }
        if (file == found.end() || file->path != stated.path) {
            differences.missing.push_back(stated.path);
            continue;
        }
        const bool is_regular = file->is_regular;
        ++file;
        if (!is_regular) {
            differences.changed.push_back(stated.path);
            continue;
        }
        TRY(const ArtifactFile actual, describe_file(folder, stated.path));
        if (actual.digest != stated.digest || actual.size != stated.size) {
            differences.changed.push_back(stated.path);
        }
    }
    for (; file != found.end(); ++file) {
        differences.extra.push_back(file->path);
    }
    return differences;
}

Status verify_artifact(const fs::path& folder, const ArtifactManifest& manifest) {
    TRY(const ArtifactDifferences differences, compare_artifact(folder, manifest));
    if (!differences.none()) {
        return Error::data_loss(
            "artifact '{}' does not hold the files of its manifest: {}",
            folder.native(),
            differences.to_string()
        );
    }
    return {};
}

}  // namespace nexa::storage
