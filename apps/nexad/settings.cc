// SPDX-License-Identifier: Apache-2.0
#include "settings.h"

#include "core/json_codec.h"

namespace nexa::nexad {

NEXA_JSON_CODEC(AccountSettings);
NEXA_JSON_CODEC(DatabaseSettings);
NEXA_JSON_CODEC(StorageSettings);
NEXA_JSON_CODEC(StripeSettings);
NEXA_JSON_CODEC(Settings);

}  // namespace nexa::nexad
