// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "net/router.h"
#include "net/typed_route.h"
#include "orchestration/artifact_service.h"
#include "orchestration/dispatcher.h"
#include "orchestration/worker_service.h"
#include "protocol/envelope.h"
#include "protocol/lease_messages.h"
#include "protocol/result_messages.h"
#include "protocol/worker_messages.h"
#include "protocol/worker_views.h"

namespace nexa::api {

/// /api/workers: what workers call, the list of them, and what operators order.
class WorkerEndpoints {
public:
    struct Collaborators {
        orchestration::WorkerService& workers;
        orchestration::Dispatcher& dispatcher;
        orchestration::ArtifactService& artifacts;
        net::WorkPool& pool;
        std::string coordinator_key;  ///< Ed25519, base64
    };
    explicit WorkerEndpoints(Collaborators with) : with_(std::move(with)) {}

    std::vector<net::Route> routes();

private:
    net::Task<protocol::RegisterReply> add(net::Call call, protocol::Envelope envelope);
    net::Task<protocol::HeartbeatReply> heartbeat(net::Call call, protocol::Heartbeat heartbeat);
    net::Task<protocol::NextJobReply> next_job(net::Call call, protocol::NextJobRequest request);
    net::Task<protocol::ReportReply> report(net::Call call, protocol::ReportRequest request);
    net::Task<protocol::CompleteReply> complete(net::Call call, protocol::CompleteRequest request);
    net::Task<protocol::WorkerList> list(net::Call call);
    net::Task<protocol::WorkerView> get(net::Call call);
    net::Task<protocol::WorkerView> cordon(net::Call call);
    net::Task<protocol::WorkerView> uncordon(net::Call call);
    net::Task<protocol::WorkerView> drain(net::Call call);
    net::Task<protocol::WorkerView> remove(net::Call call);
    net::Task<protocol::WorkerView> change(net::Call call, orchestration::WorkerChange change);
    net::Task<net::Response> get_blob(net::Request request);
    net::Task<protocol::UploadPlan> plan_blob(net::Call call, protocol::UploadWish wish);
    net::Task<net::Response> put_blob(net::Request request);

    Collaborators with_;
};

}  // namespace nexa::api
