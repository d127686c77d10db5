// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "billing/rate_card.h"
#include "core/clock.h"
#include "core/result.h"
#include "db/tx.h"
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

struct Period {
    Timestamp from;
    Timestamp until;
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

/// What a project used in a period and what it cost; storage and deployments up to the period's end
/// or now, whichever is first.
Result<protocol::BillingSummary> summarize(
    db::Tx& tx, const RateCard& card, const std::string& tenant_id, const Period& period
);

/// What a job stored was deleted, or what it deployed stopped: it costs nothing from now on.
/// Repeatable.
Status end_accrual(db::Tx& tx, const std::string& job_id, std::string_view meter);

Result<MicroUsd> job_cost(db::Tx& tx, const std::string& job_id);

}  // namespace usage_store

/// The calendar month (UTC) that `now` is in, up to `now`.
Period month_so_far(Timestamp now);

}  // namespace nexa::billing
