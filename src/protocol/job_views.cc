// SPDX-License-Identifier: Apache-2.0
#include "protocol/job_views.h"

#include "core/json_codec.h"

namespace nexa::protocol {

NEXA_JSON_CODEC(JobSubmitted);
NEXA_JSON_CODEC(JobView);
NEXA_JSON_CODEC(JobList);
NEXA_JSON_CODEC(JobStatusView);
NEXA_JSON_CODEC(JobEventView);

}  // namespace nexa::protocol
