// SPDX-License-Identifier: Apache-2.0
#include "protocol/schedule_views.h"

#include "core/json_codec.h"

namespace nexa::protocol {

NEXA_JSON_CODEC(ScheduleSpec);
NEXA_JSON_CODEC(ScheduleChange);
NEXA_JSON_CODEC(ScheduleView);
NEXA_JSON_CODEC(ScheduleList);

}  // namespace nexa::protocol
