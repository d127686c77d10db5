// SPDX-License-Identifier: Apache-2.0
#include "billing/stripe_events.h"

#include <charconv>
#include <cstdint>

#include "billing/billing_sql.h"
#include "billing/invoices.h"
#include "core/value_node.h"

namespace nexa::billing {

namespace {

constexpr std::int64_t kMicrosPerCent = 10'000;
constexpr std::int64_t kCentsMax = 1'000'000'000'000;

/// An event, as far as it is of interest.
struct Event {
    std::string id;
    std::string type;
    ValueNode object;  ///< what it is about, as it was then
};

const ValueNode* at(const ValueNode& node, std::string_view name) {
    return node.kind == ValueNode::Kind::kObject ? node.find(name) : nullptr;
}

std::string text_at(const ValueNode& node, std::string_view name) {
    const ValueNode* const found = at(node, name);
    return found != nullptr && found->kind == ValueNode::Kind::kString ? found->text : "";
}

MicroUsd cents_at(const ValueNode& node, std::string_view name) {
    const ValueNode* const found = at(node, name);
    std::int64_t cents = 0;
    if (found != nullptr && found->kind == ValueNode::Kind::kNumber) {
        const std::string& text = found->text;
        std::from_chars(text.data(), text.data() + text.size(), cents);
    }
    return MicroUsd(cents < 0 || cents > kCentsMax ? 0 : cents * kMicrosPerCent);
}

Result<Event> read_event(const std::string& payload) {
    TRY(const ValueNode root, parse_json(payload));
    const ValueNode* const data = at(root, "data");
    const ValueNode* const object = data == nullptr ? nullptr : at(*data, "object");
    Event event{.id = text_at(root, "id"), .type = text_at(root, "type"), .object = {}};
    if (event.id.empty() || event.id.size() > 255 || event.type.empty() || object == nullptr) {
        return Error::invalid_argument("this is no event: it has no id, type or data.object");
    }
    event.object = *object;
    return event;
}

/// Our invoice that Stripe's is, by what we wrote on it or by its id; empty if it is none of ours.
Result<std::string> invoice_named(
    db::Tx& tx, const ValueNode& object, const std::string& stripe_id
) {
    const ValueNode* const metadata = at(object, "metadata");
    std::string ours = metadata == nullptr ? "" : text_at(*metadata, "nexa_invoice_id");
    if (ours.empty() && !stripe_id.empty()) {
        TRY(const auto row, tx.query_one(sql::kInvoiceOfStripe, {{"stripe_id", stripe_id}}));
        ours = row ? row->text("invoice_id") : "";
    }
    if (ours.empty()) {
        return ours;
    }
    const auto invoice = invoices::get(tx, ours, std::nullopt);
    if (!invoice && invoice.error().code == ErrorCode::kNotFound) {
        return std::string();  // another installation's, on the same account of Stripe
    }
    return invoice ? Result<std::string>(ours) : invoice.error();
}

bool is_about_charge(const Event& event) {
    return event.type.starts_with("charge.");
}

Status apply(db::Tx& tx, const Event& event, const protocol::InvoiceView& invoice) {
    const std::string& type = event.type;
    if (type == "invoice.paid" || type == "invoice.payment_succeeded") {
        const MicroUsd amount = cents_at(event.object, "amount_paid");
        if (amount == MicroUsd(0)) {
            TRY_STATUS(invoices::set_state(tx, invoice.invoice_id, InvoiceState::kPaid));
            return {};
        }
        const std::string stripe_id = text_at(event.object, "id");
        TRY_STATUS(invoices::pay(
            tx, invoice, {.subject = "stripe/" + stripe_id, .amount = amount, .note = stripe_id}
        ));
    } else if (type == "invoice.payment_failed" || type == "invoice.marked_uncollectible") {
        TRY_STATUS(invoices::set_state(tx, invoice.invoice_id, InvoiceState::kPastDue));
    } else if (type == "invoice.voided") {
        TRY_STATUS(invoices::set_state(tx, invoice.invoice_id, InvoiceState::kVoid));
    } else if (type == "charge.refunded") {
        const std::string charge = text_at(event.object, "id");
        const MicroUsd amount = cents_at(event.object, "amount_refunded");
        TRY_STATUS(
            invoices::pay_back(tx, invoice, {.subject = charge, .amount = amount, .note = charge})
        );
    }
    return {};
}

}  // namespace

Result<TakenEvent> take_stripe_event(db::Tx& tx, const std::string& payload) {
    TRY(const Event event, read_event(payload));
    const std::string stripe_id = text_at(event.object, is_about_charge(event) ? "invoice" : "id");
    TakenEvent taken{.type = event.type};
    TRY(taken.invoice_id, invoice_named(tx, event.object, stripe_id));
    TRY(const std::int64_t added,
        tx.execute(
            sql::kAddStripeEvent,
            {{"id", event.id}, {"type", event.type}, {"invoice_id", taken.invoice_id}}
        ));
    taken.is_new = added == 1;
    if (taken.is_new && !taken.invoice_id.empty()) {
        TRY(const auto invoice, invoices::get(tx, taken.invoice_id, std::nullopt));
        TRY_STATUS(apply(tx, event, invoice));
    }
    return taken;
}

}  // namespace nexa::billing
