// SPDX-License-Identifier: Apache-2.0
#include "protocol/upload_plan.h"

#include "core/json_codec.h"

namespace nexa::protocol {

NEXA_JSON_CODEC(UploadWish);
NEXA_JSON_CODEC(UploadHeader);
NEXA_JSON_CODEC(UploadPlan);

}  // namespace nexa::protocol
