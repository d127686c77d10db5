// SPDX-License-Identifier: Apache-2.0
#include "protocol/scaling_views.h"

#include "core/json_codec.h"

namespace nexa::protocol {

NEXA_JSON_CODEC(DrainedWorker);
NEXA_JSON_CODEC(ScalingRequest);
NEXA_JSON_CODEC(ScalingCallView);
NEXA_JSON_CODEC(ScalingPoolView);
NEXA_JSON_CODEC(ScalingList);

}  // namespace nexa::protocol
