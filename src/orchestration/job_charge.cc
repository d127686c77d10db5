// SPDX-License-Identifier: Apache-2.0
#include "orchestration/job_charge.h"

#include "billing/usage_store.h"
#include "core/json.h"
#include "orchestration/orchestration_sql.h"

namespace nexa::orchestration {

Status charge(
    db::Tx& tx, const billing::RateCard& rate_card, const Job& job, const protocol::Usage& usage
) {
    TRY_STATUS(billing::usage_store::record(
        tx,
        rate_card,
        {
            .job_id = job.job_id.text(),
            .job_type = job.job_type,
            .tenant_id = job.tenant_id,
            .user_id = job.user_id,
            .key_id = job.key_id,
            .usage = usage,
        }
    ));
    TRY_STATUS(tx.execute(
        sql::kAppendOutbox,
        {
            {"kind", "job_completed"},
            {"subject", job.job_id},
            {"body", to_json(usage)},
        }
    ));
    return {};
}

}  // namespace nexa::orchestration
