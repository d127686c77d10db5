// SPDX-License-Identifier: Apache-2.0
#include "protocol/billing_views.h"

#include "core/json_codec.h"

namespace nexa::protocol {

NEXA_JSON_CODEC(BillingPart);
NEXA_JSON_CODEC(BillingTrends);
NEXA_JSON_CODEC(CostLine);
NEXA_JSON_CODEC(JobCost);
NEXA_JSON_CODEC(JobCostRow);
NEXA_JSON_CODEC(JobCostList);
NEXA_JSON_CODEC(BudgetChange);
NEXA_JSON_CODEC(BudgetView);
NEXA_JSON_CODEC(BudgetList);

}  // namespace nexa::protocol
