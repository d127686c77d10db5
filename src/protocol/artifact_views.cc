// SPDX-License-Identifier: Apache-2.0
#include "protocol/artifact_views.h"

#include "core/json_codec.h"

namespace nexa::protocol {

NEXA_JSON_CODEC(ArtifactCreate);
NEXA_JSON_CODEC(ArtifactView);
NEXA_JSON_CODEC(ArtifactList);

}  // namespace nexa::protocol
