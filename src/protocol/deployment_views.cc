// SPDX-License-Identifier: Apache-2.0
#include "protocol/deployment_views.h"

#include "core/json_codec.h"

namespace nexa::protocol {

NEXA_JSON_CODEC(DeploymentGateway);
NEXA_JSON_CODEC(DeploymentView);
NEXA_JSON_CODEC(DeploymentList);
NEXA_JSON_CODEC(CoordinatorKeyView);

}  // namespace nexa::protocol
