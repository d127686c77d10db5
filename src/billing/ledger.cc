// SPDX-License-Identifier: Apache-2.0
#include "billing/ledger.h"

#include "billing/billing_sql.h"
#include "core/check.h"

namespace nexa::billing::ledger {

namespace {

std::optional<std::string> unless_empty(const std::string& text) {
    return text.empty() ? std::nullopt : std::optional(text);
}

protocol::RefundView refund_view(const db::Row& row) {
    return {
        .refund_id = row.text("subject"),
        .project_id = row.text("tenant_id"),
        .job_id = unless_empty(row.text("job_id")),
        .amount = to_dollars(MicroUsd(row.int64("amount_microusd"))),
        .reason = row.text("note"),
        .created_at = to_rfc3339(row.timestamp("created_at")),
    };
}

Result<std::optional<db::Row>> find(db::Tx& tx, std::string_view kind, const std::string& subject) {
    return tx.query_one(sql::kFindEntry, {{"kind", kind}, {"subject", subject}});
}

Result<MicroUsd> sum_of(
    db::Tx& tx,
    const std::string& tenant_id,
    std::string_view kind,
    const std::optional<std::string>& job_id
) {
    TRY(const auto row,
        tx.query_one(
            sql::kSumOfKind, {{"tenant_id", tenant_id}, {"kind", kind}, {"job_id", job_id}}
        ));
    NEXA_CHECK(row.has_value());  // an aggregate without GROUP BY gives one row
    return MicroUsd(row->int64("amount_microusd"));
}

/// What may still be given back.
Result<MicroUsd> left_of(db::Tx& tx, const RefundWish& wish) {
    TRY(MicroUsd charged, sum_of(tx, wish.tenant_id, "charge", wish.job_id));
    if (wish.job_id && charged == MicroUsd(0)) {
        return Error::not_found("nothing was charged for job {}", *wish.job_id).at("job_id");
    }
    if (!wish.job_id) {
        TRY(const MicroUsd accrued, sum_of(tx, wish.tenant_id, "accrual", std::nullopt));
        charged += accrued;
    }
    TRY(const MicroUsd refunded, sum_of(tx, wish.tenant_id, "refund", wish.job_id));
    return charged - refunded;
}

/// The wish as it was carried out before. Errors: kConflict if it was another.
Result<protocol::RefundView> same_again(const db::Row& row, const RefundWish& wish) {
    const bool is_same = row.text("tenant_id") == wish.tenant_id &&
                         row.text("job_id") == wish.job_id.value_or("") &&
                         row.text("note") == wish.reason &&
                         (!wish.amount || wish.amount->value() == row.int64("amount_microusd"));
    if (!is_same) {
        return Error::conflict("another refund was made with this idempotency key");
    }
    return refund_view(row);
}

}  // namespace

Result<bool> post(db::Tx& tx, const LedgerEntry& entry) {
    NEXA_CHECK(entry.amount > MicroUsd(0));
    TRY(const std::int64_t added,
        tx.execute(
            sql::kPost,
            {
                {"kind", entry.kind},
                {"subject", entry.subject},
                {"tenant_id", entry.tenant_id},
                {"debit", entry.debit},
                {"credit", entry.credit},
                {"amount_microusd", entry.amount},
                {"job_id", entry.job_id},
                {"job_type", entry.job_type},
                {"meter", entry.meter},
                {"rate_card", entry.rate_card},
                {"quantity", entry.quantity},
                {"note", entry.note},
                {"at", entry.at},
            }
        ));
    return added == 1;
}

Status lock_account(db::Tx& tx, const std::string& tenant_id) {
    TRY_STATUS(tx.execute(sql::kLockAccount, {{"tenant_id", tenant_id}}));
    return {};
}

Result<protocol::RefundView> refund(db::Tx& tx, const RefundWish& wish) {
    TRY_STATUS(lock_account(tx, wish.tenant_id));
    TRY(const auto before, find(tx, "refund", wish.refund_id));
    if (before) {
        return same_again(*before, wish);
    }
    if (!wish.job_id && !wish.amount) {
        return Error::invalid_argument("a refund for no job in particular needs an amount")
            .at("amount");
    }
    TRY(const MicroUsd left, left_of(tx, wish));
    const MicroUsd amount = wish.amount.value_or(left);
    if (amount <= MicroUsd(0) || amount > left) {
        return Error::invalid_argument(
                   "{} dollars cannot be given back: {} are left of what was charged",
                   to_dollars(amount),
                   to_dollars(left)
        )
            .at("amount");
    }
    const LedgerEntry entry{
        .kind = "refund",
        .subject = wish.refund_id,
        .tenant_id = wish.tenant_id,
        .debit = account::kRefunds,
        .credit = account::kReceivable,
        .amount = amount,
        .at = tx.now(),
        .job_id = wish.job_id.value_or(""),
        .note = wish.reason,
    };
    TRY_STATUS(post(tx, entry));
    TRY(const auto row, find(tx, "refund", wish.refund_id));
    NEXA_CHECK(row.has_value());  // added above
    return refund_view(*row);
}

Result<MicroUsd> refunded_of_job(
    db::Tx& tx, const std::string& tenant_id, const std::string& job_id
) {
    return sum_of(tx, tenant_id, "refund", job_id);
}

Result<std::vector<protocol::LedgerEntryView>> list(
    db::Tx& tx, const std::string& tenant_id, std::optional<std::int64_t> after, int limit
) {
    TRY(const auto rows,
        tx.query(
            sql::kListEntries, {{"tenant_id", tenant_id}, {"after", after}, {"limit", limit + 1}}
        ));
    std::vector<protocol::LedgerEntryView> entries;
    for (const db::Row& row : rows) {
        entries.push_back({
            .sequence = row.int64("sequence"),
            .kind = row.text("kind"),
            .subject = row.text("subject"),
            .debit = row.text("debit"),
            .credit = row.text("credit"),
            .amount = to_dollars(MicroUsd(row.int64("amount_microusd"))),
            .job_id = row.text("job_id"),
            .meter = row.text("meter"),
            .rate_card = row.text("rate_card"),
            .note = row.text("note"),
            .at = to_rfc3339(row.timestamp("at")),
        });
    }
    return entries;
}

Result<std::map<std::string, MicroUsd>> balances(
    db::Tx& tx, const std::optional<std::string>& tenant_id
) {
    TRY(const auto rows, tx.query(sql::kBalances, {{"tenant_id", tenant_id}}));
    std::map<std::string, MicroUsd> sums;
    for (const db::Row& row : rows) {
        sums.emplace(row.text("account"), MicroUsd(row.int64("balance")));
    }
    return sums;
}

Result<protocol::LedgerCheck> check(db::Tx& tx) {
    TRY(const auto rows, tx.query(sql::kBalances, {{"tenant_id", nullptr}}));
    protocol::LedgerCheck found;
    MicroUsd sum;
    for (const db::Row& row : rows) {
        const MicroUsd balance(row.int64("balance"));
        found.balances.emplace(row.text("account"), to_dollars(balance));
        found.entries += row.int64("entries");
        sum += balance;
    }
    found.sum = to_dollars(sum);
    TRY(const auto uncharged, tx.query_one(sql::kCountUncharged));
    found.uncharged_usage = uncharged->int64("wrong");
    TRY(const auto wrong, tx.query_one(sql::kCountWrongInvoices));
    found.wrong_invoices = wrong->int64("wrong");
    found.is_sound = sum == MicroUsd(0) && found.uncharged_usage == 0 && found.wrong_invoices == 0;
    return found;
}

}  // namespace nexa::billing::ledger
