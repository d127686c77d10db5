// SPDX-License-Identifier: Apache-2.0
#include "api/endpoints/storage.h"

#include "api/rows.h"

namespace nexa::api {

using net::Method;

std::vector<net::Route> StorageEndpoints::routes() {
    const net::Route look_row{
        .path = "/api/storage",
        .operation_id = "storage_get",
        .summary = "Read how much is stored, and how much of it no artifact names",
        .tag = "system",
        .scope = "system:read",
    };
    const net::Route collect_row{
        .method = Method::kPost,
        .path = "/api/storage/collect",
        .operation_id = "storage_collect",
        .summary = "Remove now what no artifact has named for a while",
        .tag = "system",
        .scope = "fleet:write",
        .body_bytes_max = kIgnoredBodyMax,
    };
    return {
        net::typed(look_row, *this, &StorageEndpoints::look),
        net::typed(collect_row, *this, &StorageEndpoints::collect),
    };
}

net::Task<protocol::StorageView> StorageEndpoints::look(net::Call) {
    co_return co_await collector_.look();
}

net::Task<protocol::CollectedView> StorageEndpoints::collect(net::Call) {
    co_return co_await collector_.collect();
}

}  // namespace nexa::api
