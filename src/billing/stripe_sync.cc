// SPDX-License-Identifier: Apache-2.0
#include "billing/stripe_sync.h"

#include <algorithm>

#include <fmt/format.h>

#include "billing/billing_sql.h"
#include "core/log.h"
#include "net/commit.h"

namespace nexa::billing {

namespace {

constexpr std::chrono::seconds kPoll{1};
/// Longer than a request takes with its retries.
constexpr std::chrono::seconds kHold{120};
constexpr int kTasksAtOnce = 20;
constexpr std::int64_t kMicrosPerCent = 10'000;

Result<std::vector<StripeTask>> claim(db::Tx& tx) {
    TRY(const auto rows,
        tx.query(
            sql::kClaimStripeTasks,
            {{"hold", std::chrono::microseconds(kHold)}, {"limit", kTasksAtOnce}}
        ));
    std::vector<StripeTask> tasks;
    for (const db::Row& row : rows) {
        tasks.push_back({
            .sequence = row.int64("sequence"),
            .kind = row.text("kind"),
            .subject = row.text("subject"),
            .tenant_id = row.text("tenant_id"),
            .amount = MicroUsd(row.int64("amount_microusd")),
            .at = row.timestamp("at"),
            .done = row.int64("done"),
            .attempts = row.int64("attempts"),
        });
    }
    std::ranges::sort(tasks, {}, &StripeTask::sequence);
    return tasks;
}

Status note_outcome(db::Tx& tx, const StripeTask& task, const Status& outcome) {
    if (outcome) {
        TRY_STATUS(tx.execute(sql::kStripeTaskDone, {{"sequence", task.sequence}}));
        return {};
    }
    TRY_STATUS(tx.execute(
        sql::kStripeTaskFailed,
        {
            {"sequence", task.sequence},
            {"pause", stripe_pause(task.attempts)},
            {"error", outcome.error().to_string()},
        }
    ));
    return {};
}

std::int64_t cents_of(std::int64_t micros) {
    const std::int64_t half = micros < 0 ? -kMicrosPerCent / 2 : kMicrosPerCent / 2;
    return (micros + half) / kMicrosPerCent;
}

std::string seconds_of(Timestamp time) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(time).time_since_epoch();
    return std::to_string(seconds.count());
}

}  // namespace

std::chrono::microseconds stripe_pause(std::int64_t attempts) {
    constexpr std::int64_t kDoublingsMax = 11;
    const std::int64_t doublings = std::clamp<std::int64_t>(attempts, 1, kDoublingsMax);
    return std::chrono::seconds{std::int64_t{1} << doublings};
}

std::vector<StripeItem> items_of(const protocol::InvoiceView& invoice) {
    std::vector<StripeItem> items;
    std::int64_t exact = 0;
    std::int64_t told = 0;
    for (const protocol::InvoiceLine& line : invoice.lines) {
        exact += line.amount_microusd;
        const std::int64_t cents = cents_of(exact) - told;
        told += cents;
        if (cents != 0) {
            std::string description =
                fmt::format("{}: {} {}", invoice.month, line.kind, line.job_type);
            if (!line.meter.empty()) {
                description += fmt::format(", {} {}", line.quantity, line.meter);
            }
            items.push_back({.cents = cents, .description = std::move(description)});
        }
    }
    return items;
}

template <class F>
auto StripeSync::read(F f) {
    return net::run_on(with_.pool, [&database = with_.database, f = std::move(f)]() mutable {
        return database.read(f);
    });
}

template <class F>
auto StripeSync::write(F f) {
    return net::commit(with_.writer, std::move(f));
}

Status StripeSync::switch_on(db::Tx& tx, const StripeSyncOptions& options) {
    const bool by_usage = !options.meter.empty();
    TRY_STATUS(tx.execute(sql::kStripeSwitchOn, {{"name", by_usage ? "usage" : "invoices"}}));
    TRY_STATUS(tx.execute(sql::kStripeSwitchOff, {{"name", by_usage ? "invoices" : "usage"}}));
    return {};
}

Status StripeSync::switch_off(db::Tx& tx) {
    for (const std::string_view name : {"invoices", "usage"}) {
        TRY_STATUS(tx.execute(sql::kStripeSwitchOff, {{"name", name}}));
    }
    return {};
}

net::Task<void> StripeSync::run() {
    while (true) {
        const auto tasks = co_await write([](db::Tx& tx) { return claim(tx); });
        if (!tasks || tasks->empty()) {
            CO_TRY_STATUS(co_await net::sleep_for(kPoll));
            continue;
        }
        for (const StripeTask& task : *tasks) {
            CO_TRY_STATUS(co_await handle(task));
        }
    }
}

net::Task<void> StripeSync::handle(StripeTask task) {
    Status outcome;
    if (task.kind == "invoice") {
        outcome = co_await send_invoice(task);
    } else {
        outcome = co_await send_usage(task);
    }
    if (!outcome) {
        if (outcome.error().code == ErrorCode::kCancelled) {
            co_return outcome.error();
        }
        get_logger("stripe").warning(
            "not told yet",
            {{"what", task.kind},
             {"id", task.subject},
             {"attempts", task.attempts},
             {"error", outcome.error().to_string()}}
        );
    }
    auto apply = [task, outcome](db::Tx& tx) { return note_outcome(tx, task, outcome); };
    // Not noted is tried again, and changes nothing there.
    static_cast<void>(co_await write(std::move(apply)));
    co_return ok();
}

net::Task<std::string> StripeSync::customer_of(std::string tenant_id) {
    auto look_up = [tenant_id](db::Tx& tx) {
        return tx.query_one(sql::kStripeCustomer, {{"tenant_id", tenant_id}});
    };
    CO_TRY(const auto known, co_await read(look_up));
    if (known) {
        co_return known->text("customer_id");
    }
    StripeForm form{{"name", tenant_id}, {"metadata[nexa_project_id]", tenant_id}};
    CO_TRY(
        const StripeObject made,
        co_await with_.client.post(
            "/v1/customers", std::move(form), fmt::format("nexa-customer-{}", tenant_id)
        )
    );
    auto keep = [tenant_id, customer_id = made.id](db::Tx& tx) -> Status {
        TRY_STATUS(tx.execute(
            sql::kPutStripeCustomer, {{"tenant_id", tenant_id}, {"customer_id", customer_id}}
        ));
        return {};
    };
    CO_TRY_STATUS(co_await write(std::move(keep)));
    co_return made.id;
}

net::Task<std::string> StripeSync::place_invoice(
    protocol::InvoiceView invoice, std::string customer
) {
    if (invoice.stripe_invoice_id) {
        co_return *invoice.stripe_invoice_id;
    }
    StripeForm form{
        {"customer", std::move(customer)},
        {"currency", "usd"},
        {"auto_advance", "false"},
        {"pending_invoice_items_behavior", "exclude"},
        {"description", fmt::format("{} ({})", invoice.month, invoice.number)},
        {"metadata[nexa_invoice_id]", invoice.invoice_id},
    };
    if (options_.days_until_due > 0) {
        form.emplace_back("collection_method", "send_invoice");
        form.emplace_back("days_until_due", std::to_string(options_.days_until_due));
    }
    CO_TRY(
        const StripeObject made,
        co_await with_.client.post(
            "/v1/invoices", std::move(form), fmt::format("nexa-{}", invoice.invoice_id)
        )
    );
    CO_TRY_STATUS(co_await keep_invoice(invoice.invoice_id, made.id, ""));
    co_return made.id;
}

net::Task<void> StripeSync::keep_invoice(
    std::string invoice_id, std::string stripe_id, std::string url
) {
    auto keep = [invoice_id, stripe_id, url](db::Tx& tx) -> Status {
        TRY_STATUS(tx.execute(
            sql::kPutStripeInvoice,
            {{"invoice_id", invoice_id}, {"stripe_id", stripe_id}, {"url", url}}
        ));
        return {};
    };
    co_return co_await write(std::move(keep));
}

net::Task<void> StripeSync::send_invoice(StripeTask task) {
    auto look_up = [task](db::Tx& tx) { return invoices::get(tx, task.subject, task.tenant_id); };
    CO_TRY(const protocol::InvoiceView invoice, co_await read(look_up));
    if (invoice.state != "open" && invoice.state != "past_due") {
        co_return Status();  // paid by hand before Stripe heard of it: nothing is to be collected
    }
    CO_TRY(const std::string customer, co_await customer_of(task.tenant_id));
    CO_TRY(const std::string stripe_id, co_await place_invoice(invoice, customer));
    StripeForm about{{"customer", customer}, {"invoice", stripe_id}, {"currency", "usd"}};
    CO_TRY_STATUS(co_await send_items(task, invoice, std::move(about)));
    CO_TRY(
        const StripeObject finalized,
        co_await with_.client.post(
            fmt::format("/v1/invoices/{}/finalize", stripe_id),
            {{"auto_advance", "true"}},
            fmt::format("nexa-{}-finalize", invoice.invoice_id)
        )
    );
    co_return co_await keep_invoice(invoice.invoice_id, stripe_id, finalized.url);
}

net::Task<void> StripeSync::send_items(
    StripeTask task, protocol::InvoiceView invoice, StripeForm about
) {
    const std::vector<StripeItem> items = items_of(invoice);
    for (auto i = static_cast<std::size_t>(task.done); i < items.size(); ++i) {
        StripeForm form = about;
        form.emplace_back("amount", std::to_string(items[i].cents));
        form.emplace_back("description", items[i].description);
        CO_TRY_STATUS(co_await with_.client.post(
            "/v1/invoiceitems",
            std::move(form),
            fmt::format("nexa-{}-item-{}", invoice.invoice_id, i)
        ));
        // Keys of Stripe's are forgotten after a day: what is done is not even asked for again.
        auto note = [sequence = task.sequence, done = i + 1](db::Tx& tx) -> Status {
            TRY_STATUS(tx.execute(sql::kStripeTaskStep, {{"sequence", sequence}, {"done", done}}));
            return {};
        };
        CO_TRY_STATUS(co_await write(std::move(note)));
    }
    co_return ok();
}

net::Task<void> StripeSync::send_usage(StripeTask task) {
    CO_TRY(const std::string customer, co_await customer_of(task.tenant_id));
    StripeForm form{
        {"event_name", options_.meter},
        {"identifier", task.subject},
        {"timestamp", seconds_of(task.at)},
        {"payload[stripe_customer_id]", customer},
        {"payload[value]", std::to_string(task.amount.value())},
    };
    CO_TRY_STATUS(co_await with_.client.post(
        "/v1/billing/meter_events", std::move(form), fmt::format("nexa-usage-{}", task.subject)
    ));
    co_return ok();
}

}  // namespace nexa::billing
