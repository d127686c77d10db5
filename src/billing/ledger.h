// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "billing/money.h"
#include "core/clock.h"
#include "core/result.h"
#include "db/tx.h"
#include "protocol/invoice_views.h"

namespace nexa::billing {

/// The accounts of a project's books, from the installation's side: what the project owes, what was
/// earned, what was given up again, what rounding to cents took, and the money itself.
namespace account {
inline constexpr std::string_view kReceivable = "receivable";
inline constexpr std::string_view kRevenue = "revenue";
inline constexpr std::string_view kRefunds = "refunds";
inline constexpr std::string_view kRounding = "rounding";
inline constexpr std::string_view kCash = "cash";
}  // namespace account

/// One movement: `amount`, above zero, from the credited to the debited account. (Debit and credit
/// in one row, as in TigerBeetle's transfers: no entry can be out of balance.)
struct LedgerEntry {
    std::string_view kind;
    std::string subject;  ///< what it is for: a kind has one entry for it, whatever is replayed
    std::string tenant_id;
    std::string_view debit;
    std::string_view credit;
    MicroUsd amount;
    Timestamp at;  ///< which month it is of
    std::string job_id = {};
    std::string job_type = {};
    std::string meter = {};
    std::string rate_card = {};
    double quantity = 0;  ///< in the unit that people see
    std::string note = {};
};

/// A refund that was asked for.
struct RefundWish {
    std::string refund_id;
    std::string tenant_id;
    std::optional<std::string> job_id;
    std::optional<MicroUsd> amount;  ///< none: all that is left of the job's charges
    std::string reason;
};

/// A project's money. Every call is inside a transaction; entries are added and never changed.
namespace ledger {

/// Whether the entry is new: false if there is one of this kind for this subject.
Result<bool> post(db::Tx& tx, const LedgerEntry& entry);
/// Waits until no other transaction decides about this project's money, and keeps them out to the
/// end of this one.
Status lock_account(db::Tx& tx, const std::string& tenant_id);

/// Gives back some or all of what was charged. The same refund again gives the one that is there.
/// Errors: kConflict (another refund has this id), kInvalidArgument (more than was charged; nothing
/// left; no amount and no job), kNotFound (the project was never charged for this job).
Result<protocol::RefundView> refund(db::Tx& tx, const RefundWish& wish);
Result<MicroUsd> refunded_of_job(
    db::Tx& tx, const std::string& tenant_id, const std::string& job_id
);

/// Newest first, one more than `limit` if there are more.
Result<std::vector<protocol::LedgerEntryView>> list(
    db::Tx& tx, const std::string& tenant_id, std::optional<std::int64_t> after, int limit
);
/// Debits less credits by account: of a project, or of the installation.
Result<std::map<std::string, MicroUsd>> balances(
    db::Tx& tx, const std::optional<std::string>& tenant_id
);
/// Reads all of the books: whether they are in balance, charge every use once, and agree with the
/// invoices.
Result<protocol::LedgerCheck> check(db::Tx& tx);

}  // namespace ledger

}  // namespace nexa::billing
