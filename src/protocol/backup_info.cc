// SPDX-License-Identifier: Apache-2.0
#include "protocol/backup_info.h"

#include "core/json_codec.h"

namespace nexa::protocol {

NEXA_JSON_CODEC(TableCount);
NEXA_JSON_CODEC(BackupInfo);
NEXA_JSON_CODEC(MigrationReport);

}  // namespace nexa::protocol
