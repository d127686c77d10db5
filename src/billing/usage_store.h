// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "billing/period.h"
#include "billing/rate_card.h"
#include "core/result.h"
#include "db/tx.h"
#include "protocol/billing_views.h"
#include "protocol/engine.h"
#include "protocol/gateway_feed.h"
#include "protocol/system_views.h"

namespace nexa::billing {

/// Who used what.
struct UsageEntry {
    std::string job_id;
    std::string job_type;
    std::string tenant_id;
    std::string user_id;
    std::string key_id;
    protocol::Usage usage;
};

/// Whose usage: a project's, or of that only what one API key asked for.
struct UsageFilter {
    std::string tenant_id;
    std::optional<std::string> key_id;
};

/// Usage as rows. Every call is inside a transaction; record() in the writer's.
namespace usage_store {

/// Writes one row per meter, priced by `card`; for a deploy job also that a deployment began. A job
/// that is there already keeps its rows.
Status record(db::Tx& tx, const RateCard& card, const UsageEntry& entry);

/// Writes what one answer of a deployed model used, under the job type "inference". An answer that
/// is there already keeps its rows. One without a project is nobody's, and not written.
/// Errors: kInvalidArgument (its time, an id that a job may have).
Status record_inference(db::Tx& tx, const RateCard& card, const protocol::GatewayUsageLine& answer);

/// What was used in a period and what it cost; storage and deployments up to the period's end or
/// now, whichever is first, by the card that the job was charged by.
Result<protocol::BillingSummary> summarize(
    db::Tx& tx, const RateCard& card, const UsageFilter& whose, const Period& period
);

/// The same for each hour or day. The parts' sums are the summary's, to the micro-dollar: what
/// accrues by time is rounded as it adds up. Errors: kInvalidArgument (see parts_of()).
Result<protocol::BillingTrends> trends(
    db::Tx& tx, const UsageFilter& whose, const Period& period, Interval interval
);

/// Cost of what accrues, of each meter, job type and card, within the period; up to now at most.
struct Accrued {
    std::string meter;
    std::string job_type;
    std::string rate_card;
    double unit_seconds = 0;
    MicroUsd cost;
};
Result<std::vector<Accrued>> accrued(db::Tx& tx, const UsageFilter& whose, const Period& period);

struct JobCostFilter {
    UsageFilter whose;
    Period period;
    std::optional<std::string> job_type;
    std::optional<std::string> after;  ///< the last id of the page before
    int limit = 20;
};
/// Jobs charged in a period, newest first, one more than `limit` if there are more: what each cost
/// when it completed, without what accrues.
Result<std::vector<protocol::JobCostRow>> list_job_costs(db::Tx& tx, const JobCostFilter& filter);

/// Every meter of one job: what it was charged, and what it has accrued by now. Empty if nothing
/// was charged.
Result<std::vector<protocol::CostLine>> job_cost_lines(
    db::Tx& tx, const std::string& tenant_id, const std::string& job_id
);

/// What a job stored was deleted, or what it deployed stopped: it costs nothing from now on.
/// Repeatable.
Status end_accrual(db::Tx& tx, const std::string& job_id, std::string_view meter);

/// Without what accrues.
Result<MicroUsd> job_cost(db::Tx& tx, const std::string& job_id);

/// What a job used, by meter, in whole units; empty for one that was not charged.
Result<std::map<std::string, std::int64_t>> job_usage(db::Tx& tx, const std::string& job_id);

}  // namespace usage_store

}  // namespace nexa::billing
