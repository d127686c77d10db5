// SPDX-License-Identifier: Apache-2.0
#include "settings.h"

#include "core/json_codec.h"

namespace nexa::gateway_app {

NEXA_JSON_CODEC(Settings);

}  // namespace nexa::gateway_app
