// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "billing/invoices.h"
#include "billing/stripe_client.h"
#include "core/random.h"
#include "db/database.h"
#include "db/writer.h"
#include "net/pools.h"
#include "net/task.h"

namespace nexa::billing {

/// What Stripe is told.
struct StripeSyncOptions {
    /// The event name of a meter there. If set, Stripe is told what each job cost, in millionths of
    /// a dollar, and makes the invoices itself; if empty, it is given ours.
    std::string meter;
    /// Until an invoice is due; 0: Stripe charges the customer's card itself.
    int days_until_due = 30;
};

/// Something that Stripe has still to be told, as it is claimed.
struct StripeTask {
    std::int64_t sequence = 0;
    std::string kind;     ///< invoice or usage
    std::string subject;  ///< the invoice's or job's id
    std::string tenant_id;
    MicroUsd amount;
    Timestamp at;
    std::int64_t done = 0;  ///< steps known to have been taken
    std::int64_t attempts = 0;
};

/// How long to leave a task alone that has failed so often: 2 s, doubling up to 2048 s.
std::chrono::microseconds stripe_pause(std::int64_t attempts);

/// The items of an invoice in whole cents, whose sum is the invoice's: what rounding a line loses,
/// the next one takes. Lines of no cents are left out.
struct StripeItem {
    std::int64_t cents = 0;
    std::string description;
};
std::vector<StripeItem> items_of(const protocol::InvoiceView& invoice);

/// Tells Stripe what lies in the outbox, in the background, until Stripe has confirmed it. Every
/// request has an idempotency key made of what it is about, so neither a lost answer nor a kill at
/// any moment does anything twice. Thread-safe; all collaborators outlive it.
class StripeSync {
public:
    struct Collaborators {
        db::Database& database;
        db::Writer& writer;
        net::WorkPool& pool;
        StripeClient& client;
    };
    StripeSync(Collaborators with, StripeSyncOptions options)
        : with_(with), options_(std::move(options)) {}

    /// Until cancelled.
    net::Task<void> run();

    /// What there is to be told from now on: nothing more of either kind if there is no sync.
    static Status switch_on(db::Tx& tx, const StripeSyncOptions& options);
    static Status switch_off(db::Tx& tx);

private:
    net::Task<void> handle(StripeTask task);
    net::Task<std::string> customer_of(std::string tenant_id);
    net::Task<void> send_invoice(StripeTask task);
    net::Task<std::string> place_invoice(protocol::InvoiceView invoice, std::string customer);
    net::Task<void> keep_invoice(std::string invoice_id, std::string stripe_id, std::string url);
    net::Task<void> send_items(StripeTask task, protocol::InvoiceView invoice, StripeForm about);
    net::Task<void> send_usage(StripeTask task);
    template <class F>
    auto read(F f);
    template <class F>
    auto write(F f);

    Collaborators with_;
    StripeSyncOptions options_;
};

}  // namespace nexa::billing
