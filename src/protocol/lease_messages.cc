// SPDX-License-Identifier: Apache-2.0
#include "protocol/lease_messages.h"

#include "core/json_codec.h"

namespace nexa::protocol {

NEXA_JSON_CODEC(NextJobRequest);
NEXA_JSON_CODEC(JobInput);
NEXA_JSON_CODEC(JobSpec);
NEXA_JSON_CODEC(LeasedJob);
NEXA_JSON_CODEC(NextJobReply);
NEXA_JSON_CODEC(JobReport);
NEXA_JSON_CODEC(ReportRequest);
NEXA_JSON_CODEC(JobReportReply);
NEXA_JSON_CODEC(ReportReply);

}  // namespace nexa::protocol
