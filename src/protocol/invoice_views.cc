// SPDX-License-Identifier: Apache-2.0
#include "protocol/invoice_views.h"

#include "core/json_codec.h"

namespace nexa::protocol {

NEXA_JSON_CODEC(LedgerEntryView);
NEXA_JSON_CODEC(LedgerPage);
NEXA_JSON_CODEC(LedgerCheck);
NEXA_JSON_CODEC(InvoiceLine);
NEXA_JSON_CODEC(InvoiceView);
NEXA_JSON_CODEC(InvoiceList);
NEXA_JSON_CODEC(MonthClose);
NEXA_JSON_CODEC(RefundRequest);
NEXA_JSON_CODEC(RefundView);
NEXA_JSON_CODEC(PaymentNote);
NEXA_JSON_CODEC(AccountView);

}  // namespace nexa::protocol
