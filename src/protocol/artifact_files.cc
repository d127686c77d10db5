// SPDX-License-Identifier: Apache-2.0
#include "protocol/artifact_files.h"

#include "core/json_codec.h"

namespace nexa::protocol {

NEXA_JSON_CODEC(InputFile);
NEXA_JSON_CODEC(ResultArtifact);

}  // namespace nexa::protocol
