// SPDX-License-Identifier: Apache-2.0
#include "orchestration/job_charge.h"

#include "accounts/audit_store.h"
#include "billing/budgets.h"
#include "billing/usage_store.h"
#include "core/json.h"
#include "orchestration/orchestration_sql.h"

namespace nexa::orchestration {

Status note_budget_alerts(db::Tx& tx, const std::string& tenant_id, const std::string& key_id) {
    TRY(const auto alerts, billing::budgets::take_alerts(tx, tenant_id, key_id));
    for (const billing::BudgetAlert& alert : alerts) {
        TRY_STATUS(accounts::audit_store::add(
            tx,
            {},
            {
                .action = "budget.alert",
                .target = alert.key_id.empty() ? tenant_id : alert.key_id,
                .details =
                    {
                        {"percent", std::to_string(alert.percent)},
                        {"month", alert.month},
                        {"spent", billing::to_dollars(alert.spent)},
                        {"budget", billing::to_dollars(alert.amount)},
                    },
                .project_id = tenant_id,
            }
        ));
    }
    return {};
}

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
    TRY_STATUS(note_budget_alerts(tx, job.tenant_id, job.key_id));
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
