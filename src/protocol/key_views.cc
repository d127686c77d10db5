// SPDX-License-Identifier: Apache-2.0
#include "protocol/key_views.h"

#include "core/json_codec.h"

namespace nexa::protocol {

NEXA_JSON_CODEC(KeyCreate);
NEXA_JSON_CODEC(KeyRoll);
NEXA_JSON_CODEC(KeyView);
NEXA_JSON_CODEC(KeyCreated);
NEXA_JSON_CODEC(KeyList);

}  // namespace nexa::protocol
