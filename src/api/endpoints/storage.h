// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "net/router.h"
#include "net/typed_route.h"
#include "orchestration/blob_collector.h"

namespace nexa::api {

/// /api/storage: what the server keeps, and what of it may go.
class StorageEndpoints {
public:
    explicit StorageEndpoints(orchestration::BlobCollector& collector) : collector_(collector) {}

    std::vector<net::Route> routes();

private:
    net::Task<protocol::StorageView> look(net::Call call);
    net::Task<protocol::CollectedView> collect(net::Call call);

    orchestration::BlobCollector& collector_;
};

}  // namespace nexa::api
