// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "billing/invoices.h"

namespace nexa::billing {

namespace {

constexpr std::string_view kStyle =
    "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:3rem auto;padding:0 1rem}"
    "table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.4rem .8rem .4rem 0;"
    "border-bottom:1px solid #ddd}.n{text-align:right;font-variant-numeric:tabular-nums}";

std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        switch (c) {
            case '&':
                out += "&amp;";
                break;
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '"':
                out += "&quot;";
                break;
            case '\'':
                out += "&#39;";
                break;
            default:
                out += c;
        }
    }
    return out;
}

/// Quoted where RFC 4180 asks for it; what a spreadsheet would take for a formula is made text.
std::string cell(std::string_view text) {
    const bool is_formula = !text.empty() && std::string_view("=+-@\t\r").contains(text.front());
    std::string value = is_formula ? fmt::format("'{}", text) : std::string(text);
    if (value.find_first_of(",\"\r\n") == std::string::npos) {
        return value;
    }
    std::string quoted = "\"";
    for (const char c : value) {
        quoted += c;
        if (c == '"') {
            quoted += '"';
        }
    }
    return quoted + '"';
}

std::string html_row(const protocol::InvoiceLine& line) {
    return fmt::format(
        "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td class=n>{} {}</td><td class=n>{}</td>"
        "</tr>\n",
        escaped(line.kind),
        escaped(line.job_type),
        escaped(line.meter),
        escaped(line.rate_card),
        line.quantity,
        escaped(line.unit),
        escaped(line.amount)
    );
}

}  // namespace

std::string to_html(const protocol::InvoiceView& invoice) {
    std::string rows;
    for (const protocol::InvoiceLine& line : invoice.lines) {
        rows += html_row(line);
    }
    return fmt::format(
        "<!doctype html>\n<html lang=en><head><meta charset=utf-8><title>Invoice {0}</title>"
        "<style>{1}</style></head>\n<body><h1>Invoice {0}</h1>\n"
        "<p>Project {2}<br>Month {3} (UTC)<br>Made {4}<br>State {5}</p>\n"
        "<table><thead><tr><th>Kind</th><th>Job type</th><th>Meter</th><th>Rate card</th>"
        "<th class=n>Quantity</th><th class=n>{6}</th></tr></thead>\n<tbody>\n{7}</tbody>\n"
        "<tfoot><tr><th colspan=5>Total</th><th class=n>{8}</th></tr></tfoot></table>\n"
        "</body></html>\n",
        escaped(invoice.number),
        kStyle,
        escaped(invoice.project_id),
        escaped(invoice.month),
        escaped(invoice.created_at),
        escaped(invoice.state),
        escaped(invoice.currency),
        rows,
        escaped(invoice.total)
    );
}

std::string to_csv(const protocol::InvoiceView& invoice) {
    std::string text = "invoice,month,kind,job_type,meter,rate_card,quantity,unit,amount_usd\r\n";
    for (const protocol::InvoiceLine& line : invoice.lines) {
        text += fmt::format(
            "{},{},{},{},{},{},{},{},{}\r\n",
            cell(invoice.number),
            cell(invoice.month),
            cell(line.kind),
            cell(line.job_type),
            cell(line.meter),
            cell(line.rate_card),
            line.quantity,
            cell(line.unit),
            line.amount  // a number of ours, which may be below zero
        );
    }
    return text +
           fmt::format(
               "{},{},total,,,,,,{}\r\n", cell(invoice.number), cell(invoice.month), invoice.total
           );
}

}  // namespace nexa::billing
