// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "net/router.h"
#include "net/typed_route.h"
#include "orchestration/artifact_service.h"

namespace nexa::api {

/// /api/blobs and /api/artifacts: upload, register, list, read, download, delete.
class ArtifactEndpoints {
public:
    ArtifactEndpoints(orchestration::ArtifactService& artifacts, net::WorkPool& pool)
        : artifacts_(artifacts), pool_(pool) {}

    std::vector<net::Route> routes();

private:
    net::Task<net::Response> put_blob(net::Request request);
    net::Task<protocol::UploadPlan> plan_blob(net::Call call, protocol::UploadWish wish);
    net::Task<protocol::ArtifactView> add(net::Call call, protocol::ArtifactCreate wish);
    net::Task<protocol::ArtifactList> list(net::Call call);
    net::Task<protocol::ArtifactView> get(net::Call call);
    net::Task<protocol::ArtifactLineage> lineage(net::Call call);
    net::Task<net::Response> remove(net::Request request);
    net::Task<net::Response> manifest(net::Request request);
    net::Task<net::Response> file(net::Request request);

    orchestration::ArtifactService& artifacts_;
    net::WorkPool& pool_;
};

}  // namespace nexa::api
