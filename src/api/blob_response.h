// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "net/http_types.h"
#include "net/pools.h"
#include "net/task.h"
#include "orchestration/artifact_service.h"

namespace nexa::api {

/// The bytes of a blob: from our disk, or by the store's link, to which the client is sent (307).
/// `download_name` may be empty.
net::Task<net::Response> answer_with(
    net::WorkPool& pool,
    orchestration::ArtifactFileRef blob,
    std::string download_name,
    std::shared_ptr<const net::RequestHead> head
);

/// The head of a blob's answer: a link is for GET alone. Errors: kNotFound, kInvalidArgument.
net::Task<net::Response> head_of(orchestration::ArtifactService& artifacts, std::string digest);

/// The bytes of the blob whose digest is in the path, for programs of the installation: workers and
/// gateways, which know it from what we signed for them. Takes Range. Errors: kNotFound,
/// kInvalidArgument.
net::Task<net::Response> send_blob(
    orchestration::ArtifactService& artifacts, net::WorkPool& pool, net::Request request
);

}  // namespace nexa::api
