// SPDX-License-Identifier: Apache-2.0
#include "protocol/system_views.h"

#include "core/json_codec.h"

namespace nexa::protocol {

NEXA_JSON_CODEC(BillingSummary);
NEXA_JSON_CODEC(VersionView);
NEXA_JSON_CODEC(HealthView);

}  // namespace nexa::protocol
