// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "core/clock.h"
#include "core/result.h"
#include "protocol/backup_info.h"
#include "settings.h"

namespace nexa::nexad {

/// Writes all that the server of `settings` has into `folder`, laid out as a server's own folder
/// with SQLite. The server may run meanwhile: the database is of one moment, and every blob that it
/// names is there. Into a folder with an older backup only new blobs are written; until the end the
/// older one stays good. With `storage.url` the blobs stay in the bucket. Blocks.
/// Errors: kConflict (the folder holds something else), those of databases and the disk.
Result<protocol::BackupInfo> take_backup(
    const Settings& settings, const std::filesystem::path& folder, const Clock& clock
);

/// Brings a backup into the empty `dir` and database of `settings`. A run that was cut off is run
/// again. Blocks. Errors: kNotFound (no backup), kConflict (there is something already; a server
/// uses `dir`; the blobs are in another bucket), kDataLoss (a blob is not what its name says),
/// those of databases and the disk.
Result<protocol::BackupInfo> restore_backup(
    const Settings& settings, const std::filesystem::path& folder, const Clock& clock
);

}  // namespace nexa::nexad
