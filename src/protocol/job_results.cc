// SPDX-License-Identifier: Apache-2.0
#include "protocol/job_results.h"

#include "core/json_codec.h"

namespace nexa::protocol {

NEXA_JSON_CODEC(EchoResult);
NEXA_JSON_CODEC(GenerateResult);
NEXA_JSON_CODEC(AuditResult);
NEXA_JSON_CODEC(DistillResult);
NEXA_JSON_CODEC(TrainResult);
NEXA_JSON_CODEC(EvaluateResult);
NEXA_JSON_CODEC(DeployResult);

}  // namespace nexa::protocol
