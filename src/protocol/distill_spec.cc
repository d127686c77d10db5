// SPDX-License-Identifier: Apache-2.0
#include "protocol/distill_spec.h"

#include "core/json_codec.h"

namespace nexa::protocol {

NEXA_JSON_CODEC(DistillSpec);

}  // namespace nexa::protocol
