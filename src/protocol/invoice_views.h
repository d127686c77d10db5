// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "core/fields.h"

namespace nexa::protocol {

/// One movement of money between two accounts of a project.
struct LedgerEntryView {
    static constexpr std::string_view kName = "LedgerEntry";
    std::int64_t sequence = 0;
    std::string kind;
    std::string subject;
    std::string debit;
    std::string credit;
    std::string amount;
    std::string job_id;
    std::string meter;
    std::string rate_card;
    std::string note;
    std::string at;

    static constexpr auto fields() {
        using S = LedgerEntryView;
        return std::tuple{
            field("sequence", &S::sequence, "Its number; rises").required(),
            field("kind", &S::kind, "charge, accrual, rounding, refund, payment or payout")
                .required(),
            field("subject", &S::subject, "What it is for; once in each kind").required(),
            field("debit", &S::debit, "The account that is debited").required(),
            field("credit", &S::credit, "The account that is credited").required(),
            field("amount", &S::amount, "In dollars, above zero").required(),
            field("job_id", &S::job_id, "Of which job; empty if of none").required(),
            field("meter", &S::meter, "What was counted; empty if nothing was").required(),
            field("rate_card", &S::rate_card, "Priced by").required(),
            field("note", &S::note, "For people").required(),
            field("at", &S::at, "When what it is for happened").required(),
        };
    }
};

struct LedgerPage {
    static constexpr std::string_view kName = "LedgerPage";
    std::string object = "list";
    std::vector<LedgerEntryView> data;
    bool has_more = false;
    std::optional<std::string> next_cursor;

    static constexpr auto fields() {
        using S = LedgerPage;
        return std::tuple{
            field("object", &S::object, "list").required(),
            field("data", &S::data, "Newest first").required(),
            field("has_more", &S::has_more, "There is another page").required(),
            field("next_cursor", &S::next_cursor, "For `after`").null_when_empty(),
        };
    }
};

/// Whether the books of the installation hold.
struct LedgerCheck {
    static constexpr std::string_view kName = "LedgerCheck";
    bool is_sound = false;
    std::int64_t entries = 0;
    std::map<std::string, std::string> balances;
    std::string sum;
    std::int64_t uncharged_usage = 0;
    std::int64_t wrong_invoices = 0;

    static constexpr auto fields() {
        using S = LedgerCheck;
        return std::tuple{
            field("is_sound", &S::is_sound, "Nothing below is wrong").required(),
            field("entries", &S::entries, "How many there are").required(),
            field("balances", &S::balances, "Dollars by account, debits less credits").required(),
            field("sum", &S::sum, "Of all balances: zero").required(),
            field(
                "uncharged_usage",
                &S::uncharged_usage,
                "Charges of jobs whose entry is missing or of another amount: zero"
            )
                .required(),
            field("wrong_invoices", &S::wrong_invoices, "Invoices that are not their entries' sum")
                .required(),
        };
    }
};

struct InvoiceLine {
    static constexpr std::string_view kName = "InvoiceLine";
    std::string kind;
    std::string job_type;
    std::string meter;
    std::string rate_card;
    double quantity = 0;
    std::string unit;
    std::string amount;
    std::int64_t amount_microusd = 0;

    bool operator==(const InvoiceLine&) const = default;
    static constexpr auto fields() {
        using S = InvoiceLine;
        return std::tuple{
            field("kind", &S::kind, "charge, accrual, refund or rounding").required(),
            field("job_type", &S::job_type, "Of which jobs").required(),
            field("meter", &S::meter, "What was counted").required(),
            field("rate_card", &S::rate_card, "Priced by").required(),
            field("quantity", &S::quantity, "How much").required(),
            field("unit", &S::unit, "What quantity counts").required(),
            field("amount", &S::amount, "In dollars; below zero for what is given back").required(),
            field("amount_microusd", &S::amount_microusd, "The same in millionths of a dollar")
                .required(),
        };
    }
};

/// A month of a project. Its lines never change once it is there; its state does.
struct InvoiceView {
    static constexpr std::string_view kName = "Invoice";
    std::string invoice_id;
    std::string number;
    std::string project_id;
    std::string month;
    std::string state;
    std::string currency = "USD";
    std::string total;
    std::int64_t total_microusd = 0;
    std::vector<InvoiceLine> lines;
    std::string created_at;
    std::optional<std::string> paid_at;
    std::optional<std::string> stripe_invoice_id;
    std::optional<std::string> payment_url;

    static constexpr auto fields() {
        using S = InvoiceView;
        return std::tuple{
            field("invoice_id", &S::invoice_id, "To name it by").required(),
            field("number", &S::number, "For people").required(),
            field("project_id", &S::project_id, "Who owes it").required(),
            field("month", &S::month, "For which calendar month (UTC)").required(),
            field("state", &S::state, "open, past_due, paid, refunded or void").required(),
            field("currency", &S::currency, "USD").required(),
            field("total", &S::total, "Sum of the lines, in whole cents").required(),
            field("total_microusd", &S::total_microusd, "In millionths of a dollar").required(),
            field("lines", &S::lines, "What it is made of").required(),
            field("created_at", &S::created_at, "When the month was closed").required(),
            field("paid_at", &S::paid_at, "When").null_when_empty(),
            field("stripe_invoice_id", &S::stripe_invoice_id, "Stripe's id of it")
                .null_when_empty(),
            field("payment_url", &S::payment_url, "Where it can be paid").null_when_empty(),
        };
    }
};

struct InvoiceList {
    static constexpr std::string_view kName = "InvoiceList";
    std::string object = "list";
    std::vector<InvoiceView> data;

    static constexpr auto fields() {
        return std::tuple{
            field("object", &InvoiceList::object, "list").required(),
            field("data", &InvoiceList::data, "Newest month first").required(),
        };
    }
};

struct MonthClose {
    static constexpr std::string_view kName = "MonthClose";
    std::string month;
    std::optional<std::string> project_id;

    static constexpr auto fields() {
        return std::tuple{
            field("month", &MonthClose::month, "A month that has ended")
                .required()
                .length(7, 7)
                .example("2026-10"),
            field("project_id", &MonthClose::project_id, "Only this project's; default: all"),
        };
    }
};

struct RefundRequest {
    static constexpr std::string_view kName = "RefundRequest";
    std::optional<std::string> project_id;
    std::optional<std::string> job_id;
    std::optional<std::string> amount;
    std::string reason;

    static constexpr auto fields() {
        using S = RefundRequest;
        return std::tuple{
            field("project_id", &S::project_id, "To whom; default: your project"),
            field("job_id", &S::job_id, "For which job; default: for none in particular"),
            field("amount", &S::amount, "Dollars; default: all that is left of the job's charges")
                .length(1, 20)
                .example("1.25"),
            field("reason", &S::reason, "For the books").required().length(1, 500),
        };
    }
};

struct RefundView {
    static constexpr std::string_view kName = "Refund";
    std::string refund_id;
    std::string project_id;
    std::optional<std::string> job_id;
    std::string amount;
    std::string reason;
    std::string created_at;

    static constexpr auto fields() {
        using S = RefundView;
        return std::tuple{
            field("refund_id", &S::refund_id, "To name it by").required(),
            field("project_id", &S::project_id, "To whom").required(),
            field("job_id", &S::job_id, "For which job").null_when_empty(),
            field("amount", &S::amount, "In dollars").required(),
            field("reason", &S::reason, "Why").required(),
            field("created_at", &S::created_at, "When").required(),
        };
    }
};

struct PaymentNote {
    static constexpr std::string_view kName = "PaymentNote";
    std::string reference;

    static constexpr auto fields() {
        return std::tuple{
            field("reference", &PaymentNote::reference, "Where the money came from")
                .required()
                .length(1, 200)
                .example("bank transfer of 2026-11-05"),
        };
    }
};

/// How a project stands with what it owes.
struct AccountView {
    static constexpr std::string_view kName = "BillingAccount";
    std::string project_id;
    std::string state;
    std::string balance;
    std::string currency = "USD";
    std::vector<std::string> unpaid_invoices;
    std::optional<std::string> stripe_customer_id;

    static constexpr auto fields() {
        using S = AccountView;
        return std::tuple{
            field("project_id", &S::project_id, "Whose").required(),
            field("state", &S::state, "good, or past_due: a payment failed").required(),
            field("balance", &S::balance, "Charged and not paid yet, in dollars").required(),
            field("currency", &S::currency, "USD").required(),
            field("unpaid_invoices", &S::unpaid_invoices, "Their ids").required(),
            field("stripe_customer_id", &S::stripe_customer_id, "Stripe's id of the project")
                .null_when_empty(),
        };
    }
};

}  // namespace nexa::protocol
