// SPDX-License-Identifier: Apache-2.0
#include "protocol/gateway_feed.h"

#include "core/json_codec.h"

namespace nexa::protocol {

NEXA_JSON_CODEC(GatewayDeployment);
NEXA_JSON_CODEC(GatewayKey);
NEXA_JSON_CODEC(GatewaySnapshot);
NEXA_JSON_CODEC(GatewayDeploymentState);
NEXA_JSON_CODEC(GatewayReport);
NEXA_JSON_CODEC(GatewayReportReply);
NEXA_JSON_CODEC(GatewayUsageLine);
NEXA_JSON_CODEC(GatewayUsage);
NEXA_JSON_CODEC(GatewayUsageReply);

}  // namespace nexa::protocol
