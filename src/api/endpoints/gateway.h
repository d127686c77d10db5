// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "net/router.h"
#include "net/typed_route.h"
#include "orchestration/artifact_service.h"
#include "orchestration/gateway_feed.h"
#include "protocol/deployment_views.h"
#include "protocol/envelope.h"
#include "protocol/gateway_feed.h"

namespace nexa::api {

/// What gateways call: /api/gateway, and blobs by their hash.
class GatewayEndpoints {
public:
    struct Collaborators {
        orchestration::GatewayFeed& feed;
        orchestration::ArtifactService& artifacts;
        net::WorkPool& pool;
    };
    explicit GatewayEndpoints(Collaborators with) : with_(with) {}

    std::vector<net::Route> routes();

private:
    net::Task<protocol::Envelope> snapshot(net::Call call);
    net::Task<protocol::GatewayReportReply> report(net::Call call, protocol::GatewayReport report);
    net::Task<protocol::GatewayUsageReply> usage(net::Call call, protocol::GatewayUsage usage);
    net::Task<protocol::CoordinatorKeyView> key(net::Call call);
    net::Task<net::Response> get_blob(net::Request request);

    Collaborators with_;
};

}  // namespace nexa::api
