// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cli/context.h"
#include "core/json.h"
#include "core/result.h"
#include "net/http_client.h"

namespace nexa::cli {

/// The address of the API without a slash at its end, from NEXA_API_URL.
/// Errors: kInvalidArgument if it is no http or https URL.
Result<std::string> api_url(const CliContext& context);
/// The same without "/api": where /readyz and /version are.
std::string server_root(std::string_view url);

/// Asks the server in the name of the key that find_key() finds. Every call blocks. A reply with a
/// bad status is an Error with the server's code, place and hint. Not thread-safe.
class ApiClient {
public:
    /// Errors: those of api_url() and find_key(). Without any key the server decides.
    static Result<ApiClient> open(const CliContext& context);

    /// `path` begins behind /api: "/jobs".
    Result<std::string> get(const std::string& path);
    Result<std::string> post(const std::string& path, std::string body);
    Result<std::string> remove(const std::string& path);
    /// Any request; `request.url` is a path as above. Adds the key.
    Result<net::HttpResponse> send(
        net::HttpRequest request, const net::blocking::HttpClient::BodySink& sink = {}
    );

    /// To the whole URL that the server named, without the key. Errors: also kUnavailable (what was
    /// asked there is refused, now).
    Status send_elsewhere(const net::HttpRequest& request);

    const std::string& url() const { return url_; }
    bool has_key() const { return key_.has_value(); }
    /// Of the newest reply, to show with its error; empty if none came.
    const std::string& request_id() const { return request_id_; }

private:
    ApiClient(std::string url, std::optional<Secret> key, const CliContext& context);

    std::string url_;
    std::optional<Secret> key_;
    Random& random_;
    std::unique_ptr<net::blocking::HttpClient> client_;
    std::string request_id_;
};

/// A reply as the struct it is; keys of a newer server are ignored.
/// Errors: kUnavailable if it is something else: then it was no Nexa server that answered.
template <class T>
Result<T> read_reply(std::string_view body) {
    auto value = from_json<T>(
        body, {.limits = {.bytes_max = std::size_t{64} << 20}, .unknown_keys = UnknownKeys::kIgnore}
    );
    if (!value) {
        return Error::unavailable(
                   "cannot understand the server's answer: {}", value.error().to_string()
        )
            .hint("check that NEXA_API_URL names a Nexa server of this version");
    }
    return value;
}

}  // namespace nexa::cli
