// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/mutex.h"
#include "core/result.h"
#include "net/http_client.h"
#include "storage/sigv4.h"
#include "storage/storage.h"

namespace nexa::storage {

/// "https://host:9000/base" taken apart.
struct Endpoint {
    std::string scheme;
    std::string host;  ///< with its port, if that is not the scheme's own
    std::string base;  ///< empty, or begins with a slash and ends without one

    /// Errors: kInvalidArgument.
    static Result<Endpoint> parse(std::string_view url);
};

/// A bucket, and how to speak of it.
struct BucketPlace {
    std::string name;
    SigningScope scope;
    Endpoint endpoint;
    Endpoint public_endpoint;
    bool is_in_host = false;  ///< the bucket's name is part of the host's
};

/// One request to the store, unsigned. The views outlive the call.
struct StoreRequest {
    net::Method method = net::Method::kGet;
    std::string key{};  ///< whole, below the bucket; empty: the bucket itself
    NameValues query{};
    NameValues headers{};
    std::string_view body{};
};

/// Speaks the S3 protocol with one bucket: signs, sends, tries again what may pass, and turns
/// refusals into errors that say what to do. Blocking. Thread-safe.
class BucketClient {
public:
    BucketClient(BucketPlace place, BucketOptions options);
    ~BucketClient();

    const BucketPlace& place() const { return place_; }
    const BucketOptions& options() const { return options_; }

    /// The answer in memory, if it is a success. Errors: kNotFound, kConflict (a condition does not
    /// hold), kPermissionDenied, kInvalidArgument, kDataLoss (the store got other bytes),
    /// kUnavailable after all attempts. `*is_repeated` becomes true when an attempt whose answer
    /// was lost may have been carried out: a refusal may then mean that it was.
    Result<net::HttpResponse> send(const StoreRequest& request, bool* is_repeated = nullptr);
    /// The object's bytes to `sink`; goes on after a break where it was. Errors: also the sink's;
    /// kConflict (it was replaced in the middle); kDataLoss.
    Status download(const std::string& key, const ByteRange& range, const ByteSink& sink);

    /// The link for anybody, signed now.
    Result<PresignedRequest> presign(StoreRequest request, std::chrono::seconds expires) const;
    /// Sends a body by a link as a stranger would, once; the answer whatever it is.
    Result<net::HttpResponse> send_presigned(StoreRequest request);

private:
    class Lease;
    struct Downloading;

    Result<net::HttpResponse> send_once(
        const StoreRequest& request, const net::blocking::HttpClient::BodySink& sink
    );
    Status download_some(Downloading& state);
    SignableRequest signable(const StoreRequest& request, const Endpoint& endpoint) const;
    std::string url_of(const SignableRequest& request, const Endpoint& endpoint) const;
    std::unique_ptr<net::blocking::HttpClient> borrow();
    void give_back(std::unique_ptr<net::blocking::HttpClient> client);
    /// False if `failed` is to be returned as it is; else it has slept.
    Result<bool> pause(Backoff& backoff, ErrorCode failed, std::chrono::seconds asked);

    const BucketPlace place_;
    const BucketOptions options_;
    Mutex mutex_;
    std::vector<std::unique_ptr<net::blocking::HttpClient>> idle_ NEXA_GUARDED_BY(mutex_);
};

/// The Error that a store's refusal stands for. `what` was being done: "get object 'a/b'".
Error store_error(const net::HttpResponse& refusal, std::string_view what, Timestamp now);

/// "Wed, 21 Oct 2015 07:28:00 GMT". Errors: kMalformed.
Result<Timestamp> parse_http_date(const std::string& text);

}  // namespace nexa::storage
