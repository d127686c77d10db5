// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/result.h"
#include "core/run_manifest.h"
#include "db/tx.h"
#include "orchestration/workflow_store.h"

namespace nexa::orchestration {

/// The manifest of a workflow's run: as config its definition and the canonical spec of every job,
/// as inputs every file that a job of it read, as outputs every file that one made, each once and
/// sorted by its URI. Until the workflow has ended it has no exit status, and may grow.
/// Errors: of the database, and kMalformed for rows that it cannot read.
Result<RunManifest> manifest_of(db::Tx& tx, const StoredWorkflow& stored, const RunCode& code);

}  // namespace nexa::orchestration
