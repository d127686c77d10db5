// SPDX-License-Identifier: Apache-2.0
#include "protocol/train_spec.h"

#include "core/json_codec.h"

namespace nexa::protocol {

NEXA_JSON_CODEC(TrainSpec);

}  // namespace nexa::protocol
