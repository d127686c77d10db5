// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "cli/command_line.h"
#include "net/url.h"
#include "protocol/billing_views.h"
#include "protocol/invoice_views.h"
#include "protocol/system_views.h"

namespace nexa::cli {

namespace {

struct BillingWish {
    std::string month;
    std::string key_id;
    std::string interval = "day";
    std::string job_type;
    std::string after;
    int limit = 20;

    std::string query() const {
        return fmt::format(
            "month={}&key_id={}", net::percent_encode(month), net::percent_encode(key_id)
        );
    }
};

/// A reply under --json, or what `show` prints of it.
template <class T, class Show>
Result<int> shown(Session& session, const std::string& body, Show show) {
    TRY(const T reply, read_reply<T>(body));
    if (session.json()) {
        session.print_json(body);
    } else {
        show(reply);
    }
    return 0;
}

Result<int> summarize(Session& session, const BillingWish& wish) {
    TRY(ApiClient* const api, session.api());
    TRY(const std::string body, api->get(fmt::format("/billing/summary?{}", wish.query())));
    return shown<protocol::BillingSummary>(session, body, [&](const auto& summary) {
        Table table({"WHAT", "QUANTITY", summary.currency});
        for (const auto& [meter, cost] : summary.cost_by_type) {
            const auto used = summary.usage_by_type.find(meter);
            table.add(
                {meter,
                 used == summary.usage_by_type.end() ? "" : fmt::format("{}", used->second),
                 cost}
            );
        }
        for (const auto& [type, cost] : summary.cost_by_job_type) {
            table.add({fmt::format("job type {}", type), "", cost});
        }
        table.add({"total", "", summary.total_cost});
        session.print_table(table, "");
        session.note(fmt::format(
            "{} to {}, rates {}", summary.period_start, summary.period_end, summary.rate_card
        ));
    });
}

Result<int> show_trends(Session& session, const BillingWish& wish) {
    TRY(ApiClient* const api, session.api());
    TRY(const std::string body,
        api->get(fmt::format(
            "/billing/trends?{}&interval={}", wish.query(), net::percent_encode(wish.interval)
        )));
    return shown<protocol::BillingTrends>(session, body, [&](const auto& trends) {
        Table table({"FROM", trends.currency});
        for (const protocol::BillingPart& part : trends.data) {
            table.add({part.start, part.cost});
        }
        table.add({"total", trends.total_cost});
        session.print_table(table, "");
    });
}

Result<int> list_job_costs(Session& session, const BillingWish& wish) {
    TRY(ApiClient* const api, session.api());
    TRY(const std::string body,
        api->get(fmt::format(
            "/billing/jobs?{}&job_type={}&limit={}&after={}",
            wish.query(),
            net::percent_encode(wish.job_type),
            wish.limit,
            net::percent_encode(wish.after)
        )));
    return shown<protocol::JobCostList>(session, body, [&](const auto& jobs) {
        Table table({"JOB", "TYPE", "USD", "CHARGED", "KEY"});
        for (const protocol::JobCostRow& job : jobs.data) {
            table.add({job.job_id, job.job_type, job.cost, job.charged_at, job.key_id});
        }
        session.print_table(table, "nothing was charged");
        if (jobs.next_cursor) {
            session.note(fmt::format("more: --after {}", *jobs.next_cursor));
        }
    });
}

Result<int> show_job_cost(Session& session, const std::string& job_id) {
    TRY(ApiClient* const api, session.api());
    TRY(const std::string body,
        api->get(fmt::format("/jobs/{}/cost", net::percent_encode(job_id))));
    return shown<protocol::JobCost>(session, body, [&](const protocol::JobCost& cost) {
        Table table({"METER", "QUANTITY", "RATES", "USD"});
        for (const protocol::CostLine& line : cost.lines) {
            table.add({line.meter, fmt::format("{}", line.quantity), line.rate_card, line.cost});
        }
        table.add({"total", "", "", cost.total_cost});
        session.print_table(table, "");
        if (cost.is_estimate) {
            session.note("the job still runs: this is what is known of it so far");
        }
    });
}

void print_invoices(Session& session, const protocol::InvoiceList& list) {
    Table table({"INVOICE", "NUMBER", "MONTH", "USD", "STATE", "PROJECT"});
    for (const protocol::InvoiceView& invoice : list.data) {
        table.add(
            {invoice.invoice_id,
             invoice.number,
             invoice.month,
             invoice.total,
             invoice.state,
             invoice.project_id}
        );
    }
    session.print_table(table, "no invoices");
}

Result<int> list_invoices(Session& session) {
    TRY(ApiClient* const api, session.api());
    TRY(const std::string body, api->get("/billing/invoices"));
    return shown<protocol::InvoiceList>(session, body, [&](const auto& list) {
        print_invoices(session, list);
    });
}

/// As it came: for a file or a program, whatever the format.
Result<int> print_invoice(
    Session& session, const std::string& invoice_id, const std::string& format
) {
    TRY(ApiClient* const api, session.api());
    TRY(const std::string body,
        api->get(fmt::format(
            "/billing/invoices/{}?format={}",
            net::percent_encode(invoice_id),
            net::percent_encode(format)
        )));
    session.print_json(body);
    return 0;
}

Result<int> close_month(Session& session, const protocol::MonthClose& wish) {
    TRY(ApiClient* const api, session.api());
    TRY(const std::string body, api->post("/billing/close", to_json(wish)));
    return shown<protocol::InvoiceList>(session, body, [&](const auto& list) {
        print_invoices(session, list);
    });
}

Result<int> refund(
    Session& session, const protocol::RefundRequest& wish, const std::string& idempotency_key
) {
    TRY(ApiClient* const api, session.api());
    net::HttpRequest request{
        .method = net::Method::kPost,
        .url = "/billing/refunds",
        .headers = {{"Content-Type", "application/json"}},
        .body = to_json(wish),
    };
    if (!idempotency_key.empty()) {
        request.headers.set("Idempotency-Key", idempotency_key);
    }
    TRY(const auto reply, api->send(std::move(request)));
    return shown<protocol::RefundView>(session, reply.body, [&](const auto& made) {
        session.print(fmt::format("{}\t{}", made.refund_id, made.amount));
    });
}

void print_budgets(Session& session, const protocol::BudgetList& list) {
    Table table({"BUDGET", "USD A MONTH", "SPENT", "PERCENT", "ALERTS", "HARD STOP"});
    for (const protocol::BudgetView& budget : list.data) {
        std::string alerts;
        for (const int percent : budget.alert_percents) {
            alerts += fmt::format("{}{}", alerts.empty() ? "" : ",", percent);
        }
        table.add(
            {budget.key_id.value_or("project"),
             budget.monthly_amount,
             budget.spent,
             fmt::format("{:.1f}", budget.percent),
             alerts,
             budget.hard_stop ? "yes" : "no"}
        );
    }
    session.print_table(table, "no budgets");
}

std::string path_of_budget(const std::string& key_id) {
    return key_id.empty() ? "/billing/budgets/project"
                          : fmt::format("/billing/budgets/keys/{}", net::percent_encode(key_id));
}

Result<int> list_budgets(Session& session) {
    TRY(ApiClient* const api, session.api());
    TRY(const std::string body, api->get("/billing/budgets"));
    return shown<protocol::BudgetList>(session, body, [&](const auto& list) {
        print_budgets(session, list);
    });
}

Result<int> set_budget(
    Session& session, const std::string& key_id, const protocol::BudgetChange& wish
) {
    TRY(ApiClient* const api, session.api());
    TRY(const auto reply,
        api->send({
            .method = net::Method::kPut,
            .url = path_of_budget(key_id),
            .headers = {{"Content-Type", "application/json"}},
            .body = to_json(wish),
        }));
    return shown<protocol::BudgetList>(session, reply.body, [&](const auto& list) {
        print_budgets(session, list);
    });
}

Result<int> remove_budget(Session& session, const std::string& key_id) {
    TRY(ApiClient* const api, session.api());
    TRY_STATUS(api->remove(path_of_budget(key_id)));
    session.json() ? session.print_json("{}") : session.print("removed");
    return 0;
}

Result<int> check_ledger(Session& session) {
    TRY(ApiClient* const api, session.api());
    TRY(const std::string body, api->get("/billing/ledger/check"));
    TRY(const auto found, read_reply<protocol::LedgerCheck>(body));
    if (session.json()) {
        session.print_json(body);
    } else {
        Table table({"ACCOUNT", "USD"});
        for (const auto& [account, balance] : found.balances) {
            table.add({account, balance});
        }
        table.add({"sum", found.sum});
        session.print_table(table, "");
    }
    if (!found.is_sound) {
        return Error::data_loss(
            "the books do not hold: sum {}, {} uses without their charge, {} wrong invoices",
            found.sum,
            found.uncharged_usage,
            found.wrong_invoices
        );
    }
    return 0;
}

void add_usage(CommandLine& line, Session& session, CLI::App* group) {
    auto wish = std::make_shared<BillingWish>();
    const auto command = [&](const char* name, const char* help, auto run) {
        CLI::App* added = group->add_subcommand(name, help);
        added->add_option("--month", wish->month, "As in 2026-10 (default: this month)");
        added->add_option("--key", wish->key_id, "Only what this API key asked for");
        line.on(added, [&session, wish, run] { return run(session, *wish); });
        return added;
    };
    command("summary", "Usage and cost of a month", summarize);
    CLI::App* trends = command("trends", "Cost by the hour or day", show_trends);
    trends->add_option("--by", wish->interval, "hour or day (default)");
    CLI::App* jobs = command("jobs", "What each job cost, newest first", list_job_costs);
    jobs->add_option("--type", wish->job_type, "Only jobs of this type");
    jobs->add_option("--limit", wish->limit, "How many (default 20)")->check(CLI::Range(1, 100));
    jobs->add_option("--after", wish->after, "Go on behind this job");
    auto job_id = std::make_shared<std::string>();
    CLI::App* job = group->add_subcommand("job", "What one job cost, also while it runs");
    job->add_option("JOB", *job_id, "The job's id")->required();
    line.on(job, [&session, job_id] { return show_job_cost(session, *job_id); });
}

void add_invoices(CommandLine& line, Session& session, CLI::App* group) {
    line.on(group->add_subcommand("invoices", "List the project's invoices"), [&session] {
        return list_invoices(session);
    });
    auto invoice_id = std::make_shared<std::string>();
    auto format = std::make_shared<std::string>("json");
    CLI::App* invoice = group->add_subcommand("invoice", "Print an invoice");
    invoice->add_option("INVOICE", *invoice_id, "Its id")->required();
    invoice->add_option("--format", *format, "json (default), html or csv");
    line.on(invoice, [&session, invoice_id, format] {
        return print_invoice(session, *invoice_id, *format);
    });
    auto month = std::make_shared<protocol::MonthClose>();
    CLI::App* close = group->add_subcommand("close", "Make the invoices of a month that has ended");
    close->add_option("MONTH", month->month, "As in 2026-10")->required();
    close->add_option("--project", month->project_id, "Only this project's");
    line.on(close, [&session, month] { return close_month(session, *month); });
    auto wish = std::make_shared<protocol::RefundRequest>();
    auto key = std::make_shared<std::string>();
    CLI::App* give_back = group->add_subcommand("refund", "Give back what was charged");
    give_back->add_option("--job", wish->job_id, "For which job");
    give_back->add_option("--amount", wish->amount, "Dollars (default: all that the job cost)");
    give_back->add_option("--project", wish->project_id, "To whom (default: your project)");
    give_back->add_option("--reason", wish->reason, "For the books")->required();
    give_back->add_option("--idempotency-key", *key, "Makes one refund, however often it is sent");
    line.on(give_back, [&session, wish, key] { return refund(session, *wish, *key); });
    line.on(group->add_subcommand("check", "Check the books of the installation"), [&session] {
        return check_ledger(session);
    });
}

void add_budgets(CommandLine& line, Session& session, CLI::App* billing) {
    CLI::App* group = billing->add_subcommand("budget", "Say what may be spent in a month");
    line.on(group->add_subcommand("ls", "List the budgets and how they stand"), [&session] {
        return list_budgets(session);
    });
    auto key_id = std::make_shared<std::string>();
    auto wish = std::make_shared<protocol::BudgetChange>();
    CLI::App* set = group->add_subcommand("set", "Set the project's budget, or a key's");
    set->add_option("AMOUNT", wish->monthly_amount, "Dollars a calendar month")->required();
    set->add_option("--key", *key_id, "Of this API key alone");
    set->add_option("--alert", wish->alert_percents, "Tell at this percentage; repeatable");
    set->add_flag("--hard-stop", wish->hard_stop, "Refuse new jobs once all of it is spent");
    line.on(set, [&session, key_id, wish] { return set_budget(session, *key_id, *wish); });
    CLI::App* remove = group->add_subcommand("rm", "Remove the project's budget, or a key's");
    remove->add_option("--key", *key_id, "Of this API key alone");
    line.on(remove, [&session, key_id] { return remove_budget(session, *key_id); });
}

}  // namespace

void add_billing_commands(CommandLine& line, Session& session) {
    CLI::App* group =
        line.root().add_subcommand("billing", "Usage, cost, invoices, budgets and refunds");
    group->group("Access and cost");
    add_usage(line, session, group);
    add_invoices(line, session, group);
    add_budgets(line, session, group);
}

}  // namespace nexa::cli
