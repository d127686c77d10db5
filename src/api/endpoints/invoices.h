// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "core/ids.h"
#include "net/router.h"
#include "net/typed_route.h"
#include "orchestration/backend.h"
#include "protocol/invoice_views.h"

namespace nexa::api {

/// /api/billing: invoices, the ledger behind them, refunds, payments by hand.
///
/// A project sees its own; who administers the installation may name another with `project_id`.
class InvoiceEndpoints {
public:
    struct Collaborators {
        orchestration::Backend backend;
        IdSource& ids;
    };
    explicit InvoiceEndpoints(Collaborators with) : with_(with) {}

    std::vector<net::Route> routes();

private:
    net::Task<protocol::InvoiceList> list(net::Call call);
    net::Task<net::Response> get(net::Request request);
    net::Task<protocol::AccountView> account(net::Call call);
    net::Task<protocol::LedgerPage> ledger(net::Call call);
    net::Task<protocol::LedgerCheck> check(net::Call call);
    net::Task<protocol::InvoiceList> close(net::Call call, protocol::MonthClose wish);
    net::Task<protocol::InvoiceView> pay(net::Call call, protocol::PaymentNote payment);
    net::Task<protocol::RefundView> refund(net::Call call, protocol::RefundRequest wish);

    std::vector<net::Route> reading_routes();
    std::vector<net::Route> writing_routes();

    Collaborators with_;
};

}  // namespace nexa::api
