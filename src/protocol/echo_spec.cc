// SPDX-License-Identifier: Apache-2.0
#include "protocol/echo_spec.h"

#include "core/json_codec.h"

namespace nexa::protocol {

NEXA_JSON_CODEC(EchoSpec);

}  // namespace nexa::protocol
