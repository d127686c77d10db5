// SPDX-License-Identifier: Apache-2.0
#include "api/rows.h"

namespace nexa::api {

namespace {
constexpr std::size_t kBlobBytesMax = std::size_t{1} << 40U;
constexpr std::chrono::hours kUploadTimeMax{6};
}  // namespace

net::Route row(const Noun& noun, RowName name) {
    return {
        .method = name.method,
        .path = std::move(name.path),
        .operation_id = std::move(name.operation_id),
        .summary = std::move(name.summary),
        .tag = std::string(noun.tag),
        .scope = std::string(name.method == net::Method::kGet ? noun.read_scope : noun.write_scope),
    };
}

net::Route alias(net::Route route, std::string path) {
    route.path = std::move(path);
    route.documented = false;
    return route;
}

net::Route upload(net::Route route) {
    route.body_bytes_max = kBlobBytesMax;
    route.body_mode = net::BodyMode::kStream;
    route.content_types = {};
    route.success_status = 204;
    route.time_max = kUploadTimeMax;
    return route;
}

}  // namespace nexa::api
