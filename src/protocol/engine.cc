// SPDX-License-Identifier: Apache-2.0
#include "protocol/engine.h"

#include "core/json_codec.h"

namespace nexa::protocol {

NEXA_JSON_CODEC(EngineInput);
NEXA_JSON_CODEC(EngineSpec);
NEXA_JSON_CODEC(EngineEvent);
NEXA_JSON_CODEC(Usage);
NEXA_JSON_CODEC(EngineOutput);
NEXA_JSON_CODEC(EngineError);
NEXA_JSON_CODEC(EngineResult);

}  // namespace nexa::protocol
