// SPDX-License-Identifier: Apache-2.0
#include "protocol/job_live_views.h"

#include "core/json_codec.h"

namespace nexa::protocol {

NEXA_JSON_CODEC(LogMatchView);
NEXA_JSON_CODEC(LogSearchView);
NEXA_JSON_CODEC(MetricSeriesView);
NEXA_JSON_CODEC(JobMetrics);

}  // namespace nexa::protocol
