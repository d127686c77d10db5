// SPDX-License-Identifier: Apache-2.0
#include "api/endpoints/invoices.h"

#include <iterator>
#include <limits>

#include "accounts/audit_store.h"
#include "api/authenticator.h"
#include "api/query.h"
#include "api/rows.h"
#include "billing/invoices.h"
#include "billing/ledger.h"
#include "core/json.h"
#include "core/sha256.h"

namespace nexa::api {

namespace {

using net::Method;

constexpr Noun kNoun{
    .tag = "billing", .read_scope = "billing:read", .write_scope = "billing:write"
};
/// What changes or checks the books of the installation.
constexpr Noun kBooks{.tag = "billing", .read_scope = "ledger:read", .write_scope = "ledger:write"};
constexpr int kProjectsPerRead = 100;

const net::ParameterInfo kProject{
    .name = "project_id", .description = "Another project's, for administrators"
};

/// Whose books a request is about. Errors: kNotFound (a project that the caller does not reach).
Result<std::string> project_of(
    const accounts::Principal& principal, const std::optional<std::string>& named
) {
    if (!named || *named == principal.project_id) {
        return principal.project_id;
    }
    if (!principal.is_admin) {
        return Error::not_found("there is no project {}", *named).at("project_id");
    }
    return *named;
}

Result<std::string> project_in(const net::Call& call) {
    return project_of(principal_of(call.principal), text_parameter(call.head->query, "project_id"));
}

/// Administrators look into every project's invoices.
std::optional<std::string> reach_of(const accounts::Principal& principal) {
    return principal.is_admin ? std::nullopt : std::optional(principal.project_id);
}

/// One idempotency key of a project is one refund.
std::string refund_id_of(const std::string& tenant_id, const std::string& idempotency_key) {
    constexpr std::size_t kDigits = 32;
    const std::string name = fmt::format("{}\n{}", tenant_id, idempotency_key);
    return fmt::format("{}{}", billing::RefundId::kPrefix, sha256(name).hex().substr(0, kDigits));
}

Result<net::Response> document_of(const protocol::InvoiceView& invoice, const std::string& format) {
    if (format == "json") {
        return net::Response::json(to_json(invoice));
    }
    if (format == "csv") {
        auto response = net::Response::text(billing::to_csv(invoice), "text/csv; charset=utf-8");
        response.headers.set(
            "Content-Disposition", fmt::format("attachment; filename=\"{}.csv\"", invoice.number)
        );
        return response;
    }
    if (format != "html") {
        return Error::invalid_argument("there is no format '{}'", format)
            .at("format")
            .hint("json, html or csv");
    }
    auto response = net::Response::text(billing::to_html(invoice), "text/html; charset=utf-8");
    response.headers.set(
        "Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'"
    );
    return response;
}

Status note(
    db::Tx& tx,
    const accounts::Principal& by,
    std::string_view action,
    const protocol::InvoiceView& invoice
) {
    return accounts::audit_store::add(
        tx,
        by,
        {.action = action,
         .target = invoice.invoice_id,
         .details = {{"month", invoice.month}, {"total", invoice.total}},
         .project_id = invoice.project_id}
    );
}

net::Route with(net::Route route, std::vector<net::ParameterInfo> parameters) {
    route.parameters = std::move(parameters);
    return route;
}

}  // namespace

std::vector<net::Route> InvoiceEndpoints::routes() {
    std::vector<net::Route> rows = reading_routes();
    std::ranges::move(writing_routes(), std::back_inserter(rows));
    return rows;
}

std::vector<net::Route> InvoiceEndpoints::reading_routes() {
    net::Route get_row =
        row(kNoun,
            {Method::kGet,
             "/api/billing/invoices/{invoice_id}",
             "invoices_get",
             "Read an invoice, as JSON, HTML or CSV"});
    get_row.parameters = {{.name = "format", .description = "json (default), html or csv"}};
    get_row.response = net::body_type<protocol::InvoiceView>();
    get_row.handler = bound(*this, &InvoiceEndpoints::get);
    net::Route list_row =
        row(kNoun,
            {Method::kGet, "/api/billing/invoices", "invoices_list", "List a project's invoices"});
    net::Route account_row =
        row(kNoun,
            {Method::kGet, "/api/billing/account", "billing_account", "What a project owes"});
    net::Route ledger_row =
        row(kNoun,
            {Method::kGet, "/api/billing/ledger", "ledger_list", "List a project's entries"});
    return {
        std::move(get_row),
        net::typed(with(list_row, {kProject}), *this, &InvoiceEndpoints::list),
        net::typed(with(account_row, {kProject}), *this, &InvoiceEndpoints::account),
        net::typed(
            with(
                ledger_row,
                {kProject,
                 {.name = "limit",
                  .description = "Entries per page, 1 to 100",
                  .schema = R"({"type":"integer"})"},
                 {.name = "after", .description = "next_cursor of the page before"}}
            ),
            *this,
            &InvoiceEndpoints::ledger
        ),
        net::typed(
            row(kBooks,
                {Method::kGet,
                 "/api/billing/ledger/check",
                 "ledger_check",
                 "Whether all books are in balance and agree with usage and invoices"}),
            *this,
            &InvoiceEndpoints::check
        ),
    };
}

std::vector<net::Route> InvoiceEndpoints::writing_routes() {
    net::Route refund_row =
        row(kBooks,
            {Method::kPost, "/api/billing/refunds", "refunds_create", "Give back what was charged"}
        );
    refund_row.parameters = {
        {.name = "Idempotency-Key",
         .description = "Sending the same refund twice under one key makes one",
         .in_header = true}
    };
    refund_row.success_status = 201;
    return {
        net::typed(
            row(kBooks,
                {Method::kPost,
                 "/api/billing/close",
                 "billing_close",
                 "Make the invoices of a month; again, the same ones"}),
            *this,
            &InvoiceEndpoints::close
        ),
        net::typed(
            row(kBooks,
                {Method::kPost,
                 "/api/billing/invoices/{invoice_id}/pay",
                 "invoices_pay",
                 "Note that an invoice was paid by other means"}),
            *this,
            &InvoiceEndpoints::pay
        ),
        net::typed(refund_row, *this, &InvoiceEndpoints::refund),
    };
}

net::Task<protocol::InvoiceList> InvoiceEndpoints::list(net::Call call) {
    CO_TRY(auto tenant_id, project_in(call));
    auto look_up = [tenant_id = std::move(tenant_id)](db::Tx& tx) {
        return billing::invoices::list(tx, {.tenant_id = tenant_id, .month = std::nullopt});
    };
    protocol::InvoiceList list;
    CO_TRY(list.data, co_await with_.backend.read(std::move(look_up)));
    co_return list;
}

net::Task<net::Response> InvoiceEndpoints::get(net::Request request) {
    auto look_up = [invoice_id = request.parameter("invoice_id"),
                    reach = reach_of(principal_of(request.principal))](db::Tx& tx) {
        return billing::invoices::get(tx, invoice_id, reach);
    };
    CO_TRY(const protocol::InvoiceView invoice, co_await with_.backend.read(std::move(look_up)));
    co_return document_of(invoice, text_parameter(request.head->query, "format").value_or("json"));
}

net::Task<protocol::AccountView> InvoiceEndpoints::account(net::Call call) {
    CO_TRY(auto tenant_id, project_in(call));
    auto look_up = [tenant_id = std::move(tenant_id)](db::Tx& tx) {
        return billing::invoices::account_of(tx, tenant_id);
    };
    co_return co_await with_.backend.read(std::move(look_up));
}

net::Task<protocol::LedgerPage> InvoiceEndpoints::ledger(net::Call call) {
    CO_TRY(auto tenant_id, project_in(call));
    CO_TRY(const int limit, limit_parameter(call.head->query));
    constexpr std::int64_t kNewest = std::numeric_limits<std::int64_t>::max();
    CO_TRY(
        const std::int64_t after,
        integer_parameter(
            call.head->query, "after", {.least = 1, .greatest = kNewest, .fallback = kNewest}
        )
    );
    auto look_up = [tenant_id = std::move(tenant_id), after, limit](db::Tx& tx) {
        return billing::ledger::list(tx, tenant_id, after, limit);
    };
    protocol::LedgerPage page;
    CO_TRY(page.data, co_await with_.backend.read(std::move(look_up)));
    page.has_more = page.data.size() > static_cast<std::size_t>(limit);
    if (page.has_more) {
        page.data.pop_back();
        page.next_cursor = std::to_string(page.data.back().sequence);
    }
    co_return page;
}

net::Task<protocol::LedgerCheck> InvoiceEndpoints::check(net::Call) {
    co_return co_await with_.backend.read([](db::Tx& tx) { return billing::ledger::check(tx); });
}

net::Task<protocol::InvoiceList> InvoiceEndpoints::close(
    net::Call call, protocol::MonthClose wish
) {
    CO_TRY(const billing::Period month, billing::month_named(wish.month));
    const accounts::Principal& by = principal_of(call.principal);
    protocol::InvoiceList list;
    std::string last;
    bool has_more = true;
    while (has_more) {
        std::vector<std::string> projects;
        if (wish.project_id) {
            CO_TRY(const std::string named, project_of(by, wish.project_id));
            projects.push_back(named);
        } else {
            auto look_up = [month, last](db::Tx& tx) {
                return billing::invoices::projects_to_close(tx, month, last, kProjectsPerRead);
            };
            CO_TRY(projects, co_await with_.backend.read(std::move(look_up)));
        }
        has_more = !wish.project_id && projects.size() == kProjectsPerRead;
        for (const std::string& project : projects) {
            auto apply = [month, project, by, id = with_.ids.make<billing::InvoiceId>()](db::Tx& tx
                         ) -> Result<std::optional<protocol::InvoiceView>> {
                TRY(auto invoice, billing::invoices::close_month(tx, project, month, id));
                if (invoice && invoice->invoice_id == id.text()) {
                    TRY_STATUS(note(tx, by, "invoice.created", *invoice));
                }
                return invoice;
            };
            CO_TRY(auto invoice, co_await with_.backend.write(std::move(apply)));
            if (invoice) {
                list.data.push_back(*std::move(invoice));
            }
            last = project;
        }
    }
    co_return list;
}

net::Task<protocol::InvoiceView> InvoiceEndpoints::pay(
    net::Call call, protocol::PaymentNote note_of
) {
    auto apply = [invoice_id = call.parameter("invoice_id"),
                  by = principal_of(call.principal),
                  reference =
                      std::move(note_of.reference)](db::Tx& tx) -> Result<protocol::InvoiceView> {
        TRY(const auto invoice, billing::invoices::get(tx, invoice_id, reach_of(by)));
        if (invoice.state == "paid" || invoice.state == "refunded") {
            return invoice;
        }
        if (invoice.state == "void") {
            return Error::conflict("invoice {} is void", invoice_id);
        }
        if (invoice.stripe_invoice_id) {
            return Error::conflict(
                       "Stripe collects invoice {} as {}", invoice_id, *invoice.stripe_invoice_id
            )
                .at("invoice_id")
                .hint("mark it as paid out of band there, and Stripe tells us");
        }
        TRY_STATUS(billing::invoices::pay(
            tx,
            invoice,
            {.subject = fmt::format("{}/by-hand", invoice_id),
             .amount = billing::MicroUsd(invoice.total_microusd),
             .note = reference}
        ));
        TRY_STATUS(note(tx, by, "invoice.paid", invoice));
        return billing::invoices::get(tx, invoice_id, std::nullopt);
    };
    co_return co_await with_.backend.write(std::move(apply));
}

net::Task<protocol::RefundView> InvoiceEndpoints::refund(
    net::Call call, protocol::RefundRequest request
) {
    const accounts::Principal& by = principal_of(call.principal);
    CO_TRY(const auto idempotency_key, idempotency_key_of(*call.head));
    billing::RefundWish wish{.job_id = request.job_id, .reason = std::move(request.reason)};
    CO_TRY(wish.tenant_id, project_of(by, request.project_id));
    if (request.amount) {
        auto amount = billing::parse_dollars(*request.amount);
        if (!amount) {
            co_return std::move(amount).error().at("amount");
        }
        wish.amount = *amount;
    }
    wish.refund_id = idempotency_key ? refund_id_of(wish.tenant_id, *idempotency_key)
                                     : with_.ids.make<billing::RefundId>().text();
    auto apply = [wish = std::move(wish), by](db::Tx& tx) -> Result<protocol::RefundView> {
        TRY(auto refund, billing::ledger::refund(tx, wish));
        TRY_STATUS(accounts::audit_store::add(
            tx,
            by,
            {.action = "refund.created",
             .target = refund.refund_id,
             .details = {{"amount", refund.amount}, {"job_id", refund.job_id.value_or("")}},
             .project_id = refund.project_id}
        ));
        return refund;
    };
    co_return co_await with_.backend.write(std::move(apply));
}

}  // namespace nexa::api
