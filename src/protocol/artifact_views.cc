// SPDX-License-Identifier: Apache-2.0
#include "protocol/artifact_views.h"

#include "core/json_codec.h"

namespace nexa::protocol {

NEXA_JSON_CODEC(ArtifactCreate);
NEXA_JSON_CODEC(ArtifactView);
NEXA_JSON_CODEC(ArtifactList);
NEXA_JSON_CODEC(ArtifactKin);
NEXA_JSON_CODEC(ArtifactLineage);

}  // namespace nexa::protocol
