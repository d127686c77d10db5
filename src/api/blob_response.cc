// SPDX-License-Identifier: Apache-2.0
#include "api/blob_response.h"

#include "net/file_response.h"

namespace nexa::api {

// NOLINTNEXTLINE(cppcoreguidelines-avoid-reference-coroutine-parameters): they live as the server
net::Task<net::Response> send_blob(
    orchestration::ArtifactService& artifacts, net::WorkPool& pool, net::Request request
) {
    CO_TRY(auto blob, co_await artifacts.blob(request.parameter("digest")));
    net::FileOptions options{.etag = fmt::format("\"{}\"", blob.digest)};
    co_return co_await net::file_response(
        pool, std::move(blob.path), std::move(options), request.head
    );
}

}  // namespace nexa::api
