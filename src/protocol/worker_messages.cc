// SPDX-License-Identifier: Apache-2.0
#include "protocol/worker_messages.h"

#include "core/json_codec.h"

namespace nexa::protocol {

NEXA_JSON_CODEC(HardwareProfile);
NEXA_JSON_CODEC(WorkerRegistration);
NEXA_JSON_CODEC(RegisterReply);
NEXA_JSON_CODEC(HealthProblem);
NEXA_JSON_CODEC(Heartbeat);
NEXA_JSON_CODEC(HeartbeatReply);

}  // namespace nexa::protocol
