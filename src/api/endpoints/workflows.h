// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "core/clock.h"
#include "core/run_manifest.h"
#include "net/router.h"
#include "net/typed_route.h"
#include "orchestration/workflow_service.h"
#include "protocol/workflow_views.h"

namespace nexa::api {

/// /api/workflows: submit as JSON or YAML, read, list, cancel, run again.
class WorkflowEndpoints {
public:
    WorkflowEndpoints(orchestration::WorkflowService& workflows, const Clock& clock)
        : workflows_(workflows), clock_(clock) {}

    std::vector<net::Route> routes();

private:
    net::Task<net::Response> submit(net::Request request);
    net::Task<protocol::WorkflowView> get(net::Call call);
    net::Task<protocol::WorkflowList> list(net::Call call);
    net::Task<protocol::WorkflowView> cancel(net::Call call);
    net::Task<net::Response> rerun(net::Request request);
    net::Task<RunManifest> manifest(net::Call call);

    orchestration::WorkflowService& workflows_;
    const Clock& clock_;
};

}  // namespace nexa::api
