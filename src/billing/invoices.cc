// SPDX-License-Identifier: Apache-2.0
#include "billing/invoices.h"

#include <array>

#include <fmt/format.h>

#include "billing/billing_sql.h"
#include "billing/ledger.h"
#include "billing/usage_store.h"
#include "core/check.h"
#include "core/json.h"

namespace nexa::billing {

namespace {

constexpr std::array<std::string_view, 5> kStates{"open", "past_due", "paid", "refunded", "void"};
constexpr std::int64_t kMicrosPerCent = 10'000;

using Lines = std::vector<protocol::InvoiceLine>;

std::string unit_of(std::string_view kind, std::string_view meter) {
    if (kind == "accrual") {
        return meter == kStoredBytes ? "GB hours" : "hours";
    }
    return meter.ends_with("_seconds") ? "s" : "";
}

Result<protocol::InvoiceView> view_of(const db::Row& row) {
    TRY(Lines lines, from_json<Lines>(row.text("lines")));
    const MicroUsd total(row.int64("total_microusd"));
    const auto paid_at = row.optional_int64("paid_at");
    return protocol::InvoiceView{
        .invoice_id = row.text("id"),
        .number = fmt::format("{}-{:05}", row.text("month"), row.int64("sequence")),
        .project_id = row.text("tenant_id"),
        .month = row.text("month"),
        .state = row.text("state"),
        .total = to_dollars(total),
        .total_microusd = total.value(),
        .lines = std::move(lines),
        .created_at = to_rfc3339(row.timestamp("created_at")),
        .paid_at = paid_at ? std::optional(to_rfc3339(row.timestamp("paid_at"))) : std::nullopt,
        .stripe_invoice_id = row.optional_text("stripe_id"),
        .payment_url = row.optional_text("url"),
    };
}

/// What accrued in the month, as entries: before, it was known by the time that passed alone.
Status post_accrued(db::Tx& tx, const std::string& tenant_id, const Period& month) {
    TRY(const auto sums, usage_store::accrued(tx, {.tenant_id = tenant_id}, month));
    for (const usage_store::Accrued& sum : sums) {
        if (sum.cost == MicroUsd(0)) {
            continue;
        }
        constexpr double kSecondsPerHour = 3600;
        constexpr double kBytesPerGb = 1e9;
        const double hours = sum.unit_seconds / kSecondsPerHour;
        TRY_STATUS(ledger::post(
            tx,
            {
                .kind = "accrual",
                .subject = fmt::format(
                    "{}/{}/{}/{}/{}",
                    tenant_id,
                    month_name(month.from),
                    sum.meter,
                    sum.job_type,
                    sum.rate_card
                ),
                .tenant_id = tenant_id,
                .debit = account::kReceivable,
                .credit = account::kRevenue,
                .amount = sum.cost,
                .at = month.until - std::chrono::microseconds{1},
                .job_type = sum.job_type,
                .meter = sum.meter,
                .rate_card = sum.rate_card,
                .quantity = sum.meter == kStoredBytes ? hours / kBytesPerGb : hours,
            }
        ));
    }
    return {};
}

Result<Lines> lines_of(db::Tx& tx, const InvoiceId& id) {
    TRY(const auto rows, tx.query(sql::kSumInvoice, {{"invoice_id", id}}));
    Lines lines;
    for (const db::Row& row : rows) {
        const std::int64_t amount = row.int64("amount_microusd");
        lines.push_back({
            .kind = row.text("kind"),
            .job_type = row.text("job_type"),
            .meter = row.text("meter"),
            .rate_card = row.text("rate_card"),
            .quantity = row.real("quantity"),
            .unit = unit_of(row.text("kind"), row.text("meter")),
            .amount = to_dollars(MicroUsd(amount)),
            .amount_microusd = amount,
        });
    }
    return lines;
}

MicroUsd sum_of(const Lines& lines) {
    MicroUsd sum;
    for (const protocol::InvoiceLine& line : lines) {
        sum += MicroUsd(line.amount_microusd);
    }
    return sum;
}

/// To the nearest cent, halves away from zero.
MicroUsd in_whole_cents(MicroUsd amount) {
    const std::int64_t half = amount.value() < 0 ? -kMicrosPerCent / 2 : kMicrosPerCent / 2;
    return MicroUsd((amount.value() + half) / kMicrosPerCent * kMicrosPerCent);
}

/// Nobody pays parts of a cent: an entry of its own makes the sum whole.
Status add_rounding(
    db::Tx& tx, const std::string& tenant_id, const Period& month, const InvoiceId& id
) {
    TRY(const Lines lines, lines_of(tx, id));
    const MicroUsd more = in_whole_cents(sum_of(lines)) - sum_of(lines);
    if (more == MicroUsd(0)) {
        return {};
    }
    const bool is_up = more > MicroUsd(0);
    const LedgerEntry entry{
        .kind = "rounding",
        .subject = fmt::format("{}/{}", tenant_id, month_name(month.from)),
        .tenant_id = tenant_id,
        .debit = is_up ? account::kReceivable : account::kRounding,
        .credit = is_up ? account::kRounding : account::kReceivable,
        .amount = is_up ? more : MicroUsd(0) - more,
        .at = month.until - std::chrono::microseconds{1},
    };
    TRY_STATUS(ledger::post(tx, entry));
    TRY_STATUS(
        tx.execute(sql::kPutRoundingOnInvoice, {{"invoice_id", id}, {"subject", entry.subject}})
    );
    return {};
}

/// Entries first, then the lines from what is on it: what comes meanwhile is on the next one.
Status make_invoice(
    db::Tx& tx, const std::string& tenant_id, const Period& month, const InvoiceId& id
) {
    TRY_STATUS(tx.execute(
        sql::kAddInvoice, {{"id", id}, {"tenant_id", tenant_id}, {"month", month_name(month.from)}}
    ));
    TRY_STATUS(tx.execute(
        sql::kPutOnInvoice, {{"invoice_id", id}, {"tenant_id", tenant_id}, {"until", month.until}}
    ));
    TRY_STATUS(add_rounding(tx, tenant_id, month, id));
    TRY(const Lines lines, lines_of(tx, id));
    const MicroUsd total = sum_of(lines);
    if (total > MicroUsd(0)) {
        TRY_STATUS(tx.execute(
            sql::kAddStripeTask,
            {
                {"kind", "invoice"},
                {"subject", id},
                {"tenant_id", tenant_id},
                {"amount_microusd", total},
                {"at", tx.now()},
            }
        ));
    }
    TRY_STATUS(tx.execute(
        sql::kFillInvoice,
        {
            {"id", id},
            {"state", to_string(total > MicroUsd(0) ? InvoiceState::kOpen : InvoiceState::kPaid)},
            {"lines", to_json(lines)},
            {"total_microusd", total},
        }
    ));
    return {};
}

Result<std::optional<db::Row>> find(
    db::Tx& tx, const std::string& tenant_id, const std::string& month
) {
    return tx.query_one(sql::kFindInvoice, {{"tenant_id", tenant_id}, {"month", month}});
}

/// What went back to the payer, of all whose subject begins with `name` and a '/'.
Result<MicroUsd> paid_back(db::Tx& tx, const std::string& name) {
    const std::string prefix = name + "/";
    const std::string behind = name + "0";  // the character behind '/'
    TRY(const auto row,
        tx.query_one(
            sql::kSumOfSubjects, {{"kind", "payout"}, {"prefix", prefix}, {"behind", behind}}
        ));
    NEXA_CHECK(row.has_value());  // an aggregate without GROUP BY gives one row
    return MicroUsd(row->int64("amount_microusd"));
}

/// A paid invoice whose whole sum went back is refunded, whichever of both was heard of first.
Status settle(db::Tx& tx, const protocol::InvoiceView& invoice) {
    TRY(const MicroUsd back, paid_back(tx, invoice.invoice_id));
    if (back > MicroUsd(0) && back.value() >= invoice.total_microusd) {
        TRY_STATUS(invoices::set_state(tx, invoice.invoice_id, InvoiceState::kRefunded));
    }
    return {};
}

}  // namespace

std::string_view to_string(InvoiceState state) {
    return kStates[static_cast<std::size_t>(state)];
}

namespace invoices {

Result<std::optional<protocol::InvoiceView>> close_month(
    db::Tx& tx, const std::string& tenant_id, const Period& month, const InvoiceId& id
) {
    const std::string name = month_name(month.from);
    if (tx.now() < month.until) {
        return Error::conflict("{} has not ended", name)
            .at("month")
            .hint(fmt::format("close it from {} on", to_rfc3339(month.until)));
    }
    TRY_STATUS(ledger::lock_account(tx, tenant_id));
    TRY(const auto before, find(tx, tenant_id, name));
    if (before) {
        TRY(auto view, view_of(*before));
        return std::optional(std::move(view));
    }
    TRY_STATUS(post_accrued(tx, tenant_id, month));
    TRY(const auto open,
        tx.query_one(sql::kFindUninvoiced, {{"tenant_id", tenant_id}, {"until", month.until}}));
    if (!open) {
        return std::optional<protocol::InvoiceView>();
    }
    TRY_STATUS(make_invoice(tx, tenant_id, month, id));
    TRY(auto view, get(tx, id.text(), tenant_id));
    return std::optional(std::move(view));
}

Result<std::vector<std::string>> projects_to_close(
    db::Tx& tx, const Period& month, const std::string& after, int limit
) {
    TRY(const auto rows,
        tx.query(
            sql::kProjectsToClose, {{"until", month.until}, {"after", after}, {"limit", limit}}
        ));
    std::vector<std::string> projects;
    for (const db::Row& row : rows) {
        projects.push_back(row.text("tenant_id"));
    }
    return projects;
}

Result<protocol::InvoiceView> get(
    db::Tx& tx, const std::string& invoice_id, const std::optional<std::string>& tenant_id
) {
    TRY(const auto row,
        tx.query_one(sql::kGetInvoice, {{"id", invoice_id}, {"tenant_id", tenant_id}}));
    if (!row) {
        return Error::not_found("there is no invoice {}", invoice_id).at("invoice_id");
    }
    return view_of(*row);
}

Result<std::vector<protocol::InvoiceView>> list(db::Tx& tx, const Filter& filter) {
    TRY(const auto rows,
        tx.query(
            sql::kListInvoices,
            {{"tenant_id", filter.tenant_id}, {"month", filter.month}, {"limit", filter.limit}}
        ));
    std::vector<protocol::InvoiceView> found;
    for (const db::Row& row : rows) {
        TRY(auto view, view_of(row));
        found.push_back(std::move(view));
    }
    return found;
}

Result<bool> pay(db::Tx& tx, const protocol::InvoiceView& invoice, const Payment& payment) {
    TRY_STATUS(ledger::lock_account(tx, invoice.project_id));
    TRY(const bool is_new,
        ledger::post(
            tx,
            {
                .kind = "payment",
                .subject = payment.subject,
                .tenant_id = invoice.project_id,
                .debit = account::kCash,
                .credit = account::kReceivable,
                .amount = payment.amount,
                .at = tx.now(),
                .note = payment.note,
            }
        ));
    if (is_new) {
        TRY_STATUS(set_state(tx, invoice.invoice_id, InvoiceState::kPaid));
        TRY_STATUS(settle(tx, invoice));
    }
    return is_new;
}

Result<bool> pay_back(db::Tx& tx, const protocol::InvoiceView& invoice, const Payment& in_all) {
    TRY_STATUS(ledger::lock_account(tx, invoice.project_id));
    const std::string name = fmt::format("{}/{}", invoice.invoice_id, in_all.subject);
    TRY(const MicroUsd before, paid_back(tx, name));
    if (in_all.amount <= before) {
        return false;
    }
    TRY_STATUS(ledger::post(
        tx,
        {
            .kind = "payout",
            .subject = fmt::format("{}/{}", name, in_all.amount.value()),
            .tenant_id = invoice.project_id,
            .debit = account::kReceivable,
            .credit = account::kCash,
            .amount = in_all.amount - before,
            .at = tx.now(),
            .note = in_all.note,
        }
    ));
    TRY_STATUS(settle(tx, invoice));
    return true;
}

Result<bool> set_state(db::Tx& tx, const std::string& invoice_id, InvoiceState state) {
    TRY(const std::int64_t changed,
        tx.execute(sql::kSetInvoiceState, {{"id", invoice_id}, {"state", to_string(state)}}));
    return changed == 1;
}

Result<protocol::AccountView> account_of(db::Tx& tx, const std::string& tenant_id) {
    TRY(const auto balances, ledger::balances(tx, tenant_id));
    const auto owed = balances.find(std::string(account::kReceivable));
    protocol::AccountView view{
        .project_id = tenant_id,
        .state = "good",
        .balance = to_dollars(owed == balances.end() ? MicroUsd(0) : owed->second),
    };
    TRY(const auto customer, tx.query_one(sql::kStripeCustomer, {{"tenant_id", tenant_id}}));
    if (customer) {
        view.stripe_customer_id = customer->text("customer_id");
    }
    TRY(const auto all, list(tx, {.tenant_id = tenant_id, .month = std::nullopt}));
    for (const protocol::InvoiceView& invoice : all) {
        const bool is_past_due = invoice.state == to_string(InvoiceState::kPastDue);
        if (is_past_due || invoice.state == to_string(InvoiceState::kOpen)) {
            view.unpaid_invoices.push_back(invoice.invoice_id);
        }
        if (is_past_due) {
            view.state = "past_due";
        }
    }
    return view;
}

}  // namespace invoices

}  // namespace nexa::billing
