// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/file.h"
#include "core/result.h"
#include "core/storage_paths.h"

namespace nexa::worker {

/// Makes the worker's folders, for its owner alone, and locks them to this process until the
/// descriptor is closed. Blocking. Errors: kConflict (another worker uses them), kUnavailable,
/// kPermissionDenied.
Result<UniqueFd> lock_folders(const StoragePaths& paths);

/// Kills engines that an earlier worker has left (they run in a job's folder and name it in their
/// arguments), and removes the folders. Only with the lock held. Blocking. Errors: kUnavailable.
Status clear_leftovers(const StoragePaths& paths);

}  // namespace nexa::worker
