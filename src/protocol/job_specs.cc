// SPDX-License-Identifier: Apache-2.0
#include "protocol/job_specs.h"

#include "core/json_codec.h"

namespace nexa::protocol {

NEXA_JSON_CODEC(EchoSpec);
NEXA_JSON_CODEC(GenerateSpec);
NEXA_JSON_CODEC(AuditSpec);
NEXA_JSON_CODEC(DistillSpec);
NEXA_JSON_CODEC(TrainSpec);
NEXA_JSON_CODEC(EvaluateSpec);
NEXA_JSON_CODEC(DeploySpec);

}  // namespace nexa::protocol
