// SPDX-License-Identifier: Apache-2.0
#include "protocol/job_estimate.h"

#include "core/json_codec.h"

namespace nexa::protocol {

NEXA_JSON_CODEC(EstimateRange);
NEXA_JSON_CODEC(MeterEstimate);
NEXA_JSON_CODEC(CostEstimate);
NEXA_JSON_CODEC(EstimateInput);
NEXA_JSON_CODEC(JobEstimate);

}  // namespace nexa::protocol
