// SPDX-License-Identifier: Apache-2.0
#include "protocol/workflow_views.h"

#include "core/json_codec.h"

namespace nexa::protocol {

NEXA_JSON_CODEC(WorkflowStepSpec);
NEXA_JSON_CODEC(WorkflowSpec);
NEXA_JSON_CODEC(WorkflowJobView);
NEXA_JSON_CODEC(WorkflowStepView);
NEXA_JSON_CODEC(WorkflowView);
NEXA_JSON_CODEC(WorkflowSummary);
NEXA_JSON_CODEC(WorkflowList);
NEXA_JSON_CODEC(WorkflowRerun);

}  // namespace nexa::protocol
