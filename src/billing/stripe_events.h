// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/result.h"
#include "db/tx.h"

namespace nexa::billing {

/// What an event of Stripe's did here.
struct TakenEvent {
    std::string type;
    std::string invoice_id;  ///< ours; empty: it is about none of ours
    bool is_new = false;     ///< false: it was taken before, and did nothing now
};

/// Takes in an event whose signature is good: invoice.paid, invoice.payment_failed, invoice.voided,
/// charge.refunded and the like; others are noted alone. The same event again, and news that are
/// older than what is known, change nothing. Errors: kMalformed, kInvalidArgument (no event).
Result<TakenEvent> take_stripe_event(db::Tx& tx, const std::string& payload);

}  // namespace nexa::billing
