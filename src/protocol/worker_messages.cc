// SPDX-License-Identifier: Apache-2.0
#include "protocol/worker_messages.h"

#include "core/json_codec.h"

namespace nexa::protocol {

NEXA_JSON_CODEC(HardwareProfile);
NEXA_JSON_CODEC(WorkerRegistration);
NEXA_JSON_CODEC(EnvelopeSignature);
NEXA_JSON_CODEC(Envelope);
NEXA_JSON_CODEC(RegisterReply);
NEXA_JSON_CODEC(Heartbeat);
NEXA_JSON_CODEC(HeartbeatReply);
NEXA_JSON_CODEC(NextJobRequest);
NEXA_JSON_CODEC(InputFile);
NEXA_JSON_CODEC(JobInput);
NEXA_JSON_CODEC(JobSpec);
NEXA_JSON_CODEC(LeasedJob);
NEXA_JSON_CODEC(NextJobReply);
NEXA_JSON_CODEC(JobReport);
NEXA_JSON_CODEC(ReportRequest);
NEXA_JSON_CODEC(JobReportReply);
NEXA_JSON_CODEC(ReportReply);
NEXA_JSON_CODEC(ResultArtifact);
NEXA_JSON_CODEC(JobResult);
NEXA_JSON_CODEC(CompleteRequest);
NEXA_JSON_CODEC(CompleteOutcome);
NEXA_JSON_CODEC(CompleteReply);

}  // namespace nexa::protocol
