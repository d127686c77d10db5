// SPDX-License-Identifier: Apache-2.0
#include "protocol/api_types.h"

#include "core/json_codec.h"

namespace nexa::protocol {

NEXA_JSON_CODEC(JobSubmitted);
NEXA_JSON_CODEC(JobView);
NEXA_JSON_CODEC(JobList);
NEXA_JSON_CODEC(JobStatusView);
NEXA_JSON_CODEC(JobEventView);
NEXA_JSON_CODEC(KeyCreate);
NEXA_JSON_CODEC(KeyView);
NEXA_JSON_CODEC(KeyCreated);
NEXA_JSON_CODEC(KeyList);
NEXA_JSON_CODEC(WorkerView);
NEXA_JSON_CODEC(WorkerList);
NEXA_JSON_CODEC(ArtifactCreate);
NEXA_JSON_CODEC(ArtifactView);
NEXA_JSON_CODEC(ArtifactList);
NEXA_JSON_CODEC(BillingSummary);
NEXA_JSON_CODEC(VersionView);
NEXA_JSON_CODEC(HealthView);

}  // namespace nexa::protocol
