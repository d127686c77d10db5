// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "billing/money.h"
#include "billing/period.h"
#include "core/ids.h"
#include "core/result.h"
#include "db/tx.h"
#include "protocol/invoice_views.h"

namespace nexa::billing {

struct InvoiceIdTag {
    static constexpr std::string_view kPrefix = "inv_";
};
using InvoiceId = Id<InvoiceIdTag>;
struct RefundIdTag {
    static constexpr std::string_view kPrefix = "rf_";
};
using RefundId = Id<RefundIdTag>;

enum class InvoiceState : std::uint8_t { kOpen, kPastDue, kPaid, kRefunded, kVoid };
std::string_view to_string(InvoiceState state);

/// Closed months. Every call is inside a transaction.
namespace invoices {

/// Puts on an invoice what the project owes up to the end of `month` and what is on none yet: also
/// what came late for a month that was closed before. Storage and deployments of the month become
/// entries with it, and one that rounds the sum to whole cents. Closing again gives the invoice
/// that is there; a project that owes nothing and is owed nothing has none.
/// `id` names a new invoice. Errors: kConflict (the month has not ended).
Result<std::optional<protocol::InvoiceView>> close_month(
    db::Tx& tx, const std::string& tenant_id, const Period& month, const InvoiceId& id
);
/// Up to `limit` projects behind `after` that may have something to close.
Result<std::vector<std::string>> projects_to_close(
    db::Tx& tx, const Period& month, const std::string& after, int limit
);

/// Without a project: of any. Errors: kNotFound.
Result<protocol::InvoiceView> get(
    db::Tx& tx, const std::string& invoice_id, const std::optional<std::string>& tenant_id
);
struct Filter {
    std::optional<std::string> tenant_id;
    std::optional<std::string> month;
    int limit = 100;
};
/// Newest month first.
Result<std::vector<protocol::InvoiceView>> list(db::Tx& tx, const Filter& filter);

/// Takes a payment in, under its own name, so that news that come twice pay once. Returns whether
/// it is new. The invoice is paid from then on.
struct Payment {
    std::string subject;  ///< what names the payment; without '/' in pay_back()
    MicroUsd amount;
    std::string note;
};
Result<bool> pay(db::Tx& tx, const protocol::InvoiceView& invoice, const Payment& payment);
/// Money went back to the payer: all that went back under this name by now, whatever order the news
/// come in. Returns whether that is more than was known. At the full amount of the invoice that is
/// refunded.
Result<bool> pay_back(db::Tx& tx, const protocol::InvoiceView& invoice, const Payment& in_all);
/// Whether that changed anything: what makes no sense, as past due after paid, changes nothing.
Result<bool> set_state(db::Tx& tx, const std::string& invoice_id, InvoiceState state);

/// How a project stands.
Result<protocol::AccountView> account_of(db::Tx& tx, const std::string& tenant_id);

}  // namespace invoices

/// The invoice as a page of its own, to look at or print; all text in it is escaped.
std::string to_html(const protocol::InvoiceView& invoice);
/// One line each, with a head (RFC 4180); the last is the total.
std::string to_csv(const protocol::InvoiceView& invoice);

}  // namespace nexa::billing
