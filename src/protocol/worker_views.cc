// SPDX-License-Identifier: Apache-2.0
#include "protocol/worker_views.h"

#include "core/json_codec.h"

namespace nexa::protocol {

NEXA_JSON_CODEC(WorkerView);
NEXA_JSON_CODEC(WorkerList);

}  // namespace nexa::protocol
