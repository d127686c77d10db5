// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "core/fields.h"

namespace nexa::protocol {

/// One file of a staged input, fetched by its hash.
struct InputFile {
    static constexpr std::string_view kName = "InputFile";
    std::string path;
    std::string digest;
    std::int64_t size = 0;

    bool operator==(const InputFile&) const = default;
    static constexpr auto fields() {
        return std::tuple{
            field("path", &InputFile::path, "Relative, with /").required(),
            field("digest", &InputFile::digest, "sha256:…").required(),
            field("size", &InputFile::size, "Of the file").required().unit("bytes"),
        };
    }
};

/// An artifact as a worker made it: its files are uploaded under their hashes before the result is
/// sent.
struct ResultArtifact {
    static constexpr std::string_view kName = "ResultArtifact";
    std::string artifact_id;
    std::string kind;
    std::string name;
    std::vector<InputFile> files;
    std::map<std::string, double> metrics;

    bool operator==(const ResultArtifact&) const = default;
    static constexpr auto fields() {
        return std::tuple{
            field("artifact_id", &ResultArtifact::artifact_id, "From artifact_id_of()").required(),
            field("kind", &ResultArtifact::kind, "dataset, distill, checkpoint, eval or deployment")
                .required(),
            field("name", &ResultArtifact::name, "For people"),
            field("files", &ResultArtifact::files, "Sorted by path").required(),
            field("metrics", &ResultArtifact::metrics, "Into the manifest"),
        };
    }
};

}  // namespace nexa::protocol
