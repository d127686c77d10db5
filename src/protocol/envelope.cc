// SPDX-License-Identifier: Apache-2.0
#include "protocol/envelope.h"

#include "core/json_codec.h"

namespace nexa::protocol {

NEXA_JSON_CODEC(EnvelopeSignature);
NEXA_JSON_CODEC(Envelope);

}  // namespace nexa::protocol
