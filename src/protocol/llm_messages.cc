// SPDX-License-Identifier: Apache-2.0
#include "protocol/llm_messages.h"

#include "core/json_codec.h"

namespace nexa::protocol {

NEXA_JSON_CODEC(LlmMessage);
NEXA_JSON_CODEC(LlmRequest);
NEXA_JSON_CODEC(LlmChoice);
NEXA_JSON_CODEC(LlmReply);
NEXA_JSON_CODEC(LlmTerms);

}  // namespace nexa::protocol
