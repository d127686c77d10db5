// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/http_types.h"
#include "net/pools.h"
#include "net/task.h"
#include "orchestration/artifact_service.h"

namespace nexa::api {

/// The bytes of the blob whose digest is in the path, for programs of the installation: workers and
/// gateways, which know it from what we signed for them. Takes Range. Errors: kNotFound,
/// kInvalidArgument.
net::Task<net::Response> send_blob(
    orchestration::ArtifactService& artifacts, net::WorkPool& pool, net::Request request
);

}  // namespace nexa::api
