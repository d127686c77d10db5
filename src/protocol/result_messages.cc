// SPDX-License-Identifier: Apache-2.0
#include "protocol/result_messages.h"

#include "core/json_codec.h"

namespace nexa::protocol {

NEXA_JSON_CODEC(JobResult);
NEXA_JSON_CODEC(CompleteRequest);
NEXA_JSON_CODEC(CompleteOutcome);
NEXA_JSON_CODEC(CompleteReply);

}  // namespace nexa::protocol
