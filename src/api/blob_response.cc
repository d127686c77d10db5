// SPDX-License-Identifier: Apache-2.0
#include "api/blob_response.h"

#include "net/file_response.h"

namespace nexa::api {

namespace {

/// Nothing, of a known length: the head of an answer whose body is not asked for.
class LengthAlone final : public net::BodySource {
public:
    explicit LengthAlone(std::uint64_t length) : length_(length) {}
    std::optional<std::uint64_t> length() const override { return length_; }
    net::Task<std::string> read() override { co_return std::string(); }

private:
    std::uint64_t length_;
};

}  // namespace

net::Task<net::Response> answer_with(
    // NOLINTNEXTLINE(cppcoreguidelines-avoid-reference-coroutine-parameters): the server's own
    net::WorkPool& pool,
    orchestration::ArtifactFileRef blob,
    std::string download_name,
    std::shared_ptr<const net::RequestHead> head
) {
    std::string etag = fmt::format("\"{}\"", blob.digest);
    if (blob.way.link.empty()) {
        net::FileOptions options{
            .etag = std::move(etag), .download_name = std::move(download_name)
        };
        co_return co_await net::file_response(
            pool, std::move(blob.way.file), std::move(options), std::move(head)
        );
    }
    net::Response response = net::Response::empty(307);
    response.headers.add("location", blob.way.link);
    response.headers.add("etag", std::move(etag));
    // The link is a permission, and ends.
    response.headers.add("cache-control", "no-store");
    co_return response;
}

net::Task<net::Response> send_blob(
    // NOLINTBEGIN(cppcoreguidelines-avoid-reference-coroutine-parameters): the server's own
    orchestration::ArtifactService& artifacts,
    net::WorkPool& pool,
    // NOLINTEND(cppcoreguidelines-avoid-reference-coroutine-parameters)
    net::Request request
) {
    const std::string& digest = request.parameter("digest");
    if (request.head->method == net::Method::kHead) {
        co_return co_await head_of(artifacts, digest);
    }
    CO_TRY(auto blob, co_await artifacts.blob(digest, ""));
    co_return co_await answer_with(pool, std::move(blob), "", request.head);
}

net::Task<net::Response> head_of(
    // NOLINTNEXTLINE(cppcoreguidelines-avoid-reference-coroutine-parameters): the server's own
    orchestration::ArtifactService& artifacts,
    std::string digest
) {
    CO_TRY(const Bytes size, co_await artifacts.blob_size(digest));
    net::Response response = net::Response::stream(
        std::make_shared<LengthAlone>(static_cast<std::uint64_t>(size.value())),
        "application/octet-stream"
    );
    response.headers.add("etag", fmt::format("\"{}\"", digest));
    co_return response;
}

}  // namespace nexa::api
