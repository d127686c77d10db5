// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/json_text.h"
#include "core/result.h"
#include "orchestration/artifact_store.h"
#include "orchestration/job_store.h"
#include "protocol/artifact_files.h"

namespace nexa::orchestration {

/// The registry's record of what a job made, with its manifest.
/// Errors: kInvalidArgument (an id or kind that is not this job's, a bad file).
Result<ArtifactRecord> describe_artifact(
    const Job& job, const protocol::ResultArtifact& made, Timestamp now
);

/// An upload's: it has no job.
struct Upload {
    std::string artifact_id;
    std::string tenant_id;
    std::string kind;
    std::string name;
    std::vector<protocol::InputFile> files;
};
Result<ArtifactRecord> describe_upload(const Upload& upload, Timestamp now);

/// The files that a stored manifest lists.
Result<std::vector<protocol::InputFile>> files_of(const JsonText& manifest);

}  // namespace nexa::orchestration
