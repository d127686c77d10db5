// SPDX-License-Identifier: Apache-2.0
#include "protocol/storage_views.h"

#include "core/json_codec.h"

namespace nexa::protocol {

NEXA_JSON_CODEC(StorageView);
NEXA_JSON_CODEC(CollectedView);

}  // namespace nexa::protocol
