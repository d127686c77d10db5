// SPDX-License-Identifier: Apache-2.0
#include "api/blob_response.h"

#include "net/file_response.h"

namespace nexa::api {

net::Task<net::Response> send_blob(
    // NOLINTBEGIN(cppcoreguidelines-avoid-reference-coroutine-parameters): the server's own
    orchestration::ArtifactService& artifacts,
    net::WorkPool& pool,
    // NOLINTEND(cppcoreguidelines-avoid-reference-coroutine-parameters)
    net::Request request
) {
    CO_TRY(auto blob, co_await artifacts.blob(request.parameter("digest")));
    net::FileOptions options{.etag = fmt::format("\"{}\"", blob.digest)};
    co_return co_await net::file_response(
        pool, std::move(blob.path), std::move(options), request.head
    );
}

}  // namespace nexa::api
