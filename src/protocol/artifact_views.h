// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "core/fields.h"
#include "core/json_text.h"
#include "protocol/artifact_files.h"

namespace nexa::protocol {

/// An upload, after its files were put under their hashes.
struct ArtifactCreate {
    static constexpr std::string_view kName = "ArtifactCreate";
    std::string kind = "dataset";
    std::string name;
    std::vector<InputFile> files;

    static constexpr auto fields() {
        return std::tuple{
            field("kind", &ArtifactCreate::kind, "dataset or checkpoint")
                .one_of({"dataset", "checkpoint"}),
            field("name", &ArtifactCreate::name, "For people").length(0, 255),
            field("files", &ArtifactCreate::files, "Each uploaded before").required(),
        };
    }
};

struct ArtifactView {
    static constexpr std::string_view kName = "ArtifactView";
    std::string artifact_id;
    std::string kind;
    std::string name;
    std::string uri;
    std::optional<std::string> job_id;
    std::string root_digest;
    std::int64_t bytes = 0;
    std::string created_at;
    std::vector<InputFile> files;

    static constexpr auto fields() {
        return std::tuple{
            field("artifact_id", &ArtifactView::artifact_id, "The artifact").required(),
            field("kind", &ArtifactView::kind, "dataset, distill, checkpoint, eval or deployment")
                .required(),
            field("name", &ArtifactView::name, "For people").required(),
            field("uri", &ArtifactView::uri, "To name it in a job").required(),
            field("job_id", &ArtifactView::job_id, "Which job made it; null for an upload")
                .null_when_empty(),
            field("root_digest", &ArtifactView::root_digest, "Digest over its files").required(),
            field("bytes", &ArtifactView::bytes, "In all").required().unit("bytes"),
            field("created_at", &ArtifactView::created_at, "When").required(),
            field("files", &ArtifactView::files, "Its files").required(),
        };
    }
};

struct ArtifactList {
    static constexpr std::string_view kName = "ArtifactList";
    std::string object = "list";
    std::vector<ArtifactView> data;
    bool has_more = false;
    std::optional<std::string> next_cursor;

    static constexpr auto fields() {
        return std::tuple{
            field("object", &ArtifactList::object, "list").required(),
            field("data", &ArtifactList::data, "Newest first").required(),
            field("has_more", &ArtifactList::has_more, "True: ask again with `after`").required(),
            field("next_cursor", &ArtifactList::next_cursor, "To give as `after`")
                .null_when_empty(),
        };
    }
};

/// One that an artifact was made from, or that was made from it.
struct ArtifactKin {
    static constexpr std::string_view kName = "ArtifactKin";
    std::string artifact_id;
    std::string kind;
    std::string name;
    std::string root_digest;
    std::optional<std::string> job_id;
    std::optional<std::string> job_type;
    int distance = 1;
    bool deleted = false;

    static constexpr auto fields() {
        return std::tuple{
            field("artifact_id", &ArtifactKin::artifact_id, "The artifact").required(),
            field("kind", &ArtifactKin::kind, "dataset, distill, checkpoint, eval or deployment")
                .required(),
            field("name", &ArtifactKin::name, "For people").required(),
            field("root_digest", &ArtifactKin::root_digest, "Digest over its files").required(),
            field("job_id", &ArtifactKin::job_id, "Which job made it; null for an upload")
                .null_when_empty(),
            field("job_type", &ArtifactKin::job_type, "Of that job").null_when_empty(),
            field("distance", &ArtifactKin::distance, "Jobs between the two").required(),
            field("deleted", &ArtifactKin::deleted, "True: its files are no longer kept")
                .required(),
        };
    }
};

struct ArtifactLineage {
    static constexpr std::string_view kName = "ArtifactLineage";
    std::string artifact_id;
    std::vector<ArtifactKin> ancestors;
    std::vector<ArtifactKin> descendants;

    static constexpr auto fields() {
        return std::tuple{
            field("artifact_id", &ArtifactLineage::artifact_id, "Whose").required(),
            field("ancestors", &ArtifactLineage::ancestors, "What it was made from, nearest first")
                .required(),
            field(
                "descendants", &ArtifactLineage::descendants, "What was made from it, nearest first"
            )
                .required(),
        };
    }
};

}  // namespace nexa::protocol
