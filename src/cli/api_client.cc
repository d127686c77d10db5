// SPDX-License-Identifier: Apache-2.0
#include "cli/api_client.h"

#include <fmt/format.h>

#include "cli/credentials.h"
#include "net/url.h"

namespace nexa::cli {

namespace {

constexpr std::string_view kDefaultUrl = "http://localhost:8000/api";
constexpr std::string_view kApi = "/api";

net::HttpClientOptions options_for(const CliContext& context, std::string_view url) {
    const bool is_https = url.starts_with("https:");
    return {
        .proxy = context.variable(is_https ? "https_proxy" : "http_proxy"),
        .no_proxy = context.variable("no_proxy"),
        .ca_file = context.variable("SSL_CERT_FILE"),
        .user_agent = fmt::format("nexa/{}", context.version),
    };
}

}  // namespace

Result<std::string> api_url(const CliContext& context) {
    std::string url = context.variable("NEXA_API_URL");
    if (url.empty()) {
        url = kDefaultUrl;
    }
    if (!url.starts_with("http://") && !url.starts_with("https://")) {
        return Error::invalid_argument("must begin with http:// or https://")
            .at("NEXA_API_URL")
            .hint(fmt::format("for example {}", kDefaultUrl));
    }
    url = net::without_end_slash(url);
    const bool names_no_path = url.find('/', url.find("://") + 3) == std::string::npos;
    return names_no_path ? url + std::string(kApi) : url;
}

std::string server_root(std::string_view url) {
    if (url.ends_with(kApi)) {
        url.remove_suffix(kApi.size());
    }
    return std::string(url);
}

ApiClient::ApiClient(std::string url, std::optional<Secret> key, const CliContext& context)
    : url_(std::move(url)),
      key_(std::move(key)),
      random_(context.random),
      client_(std::make_unique<net::blocking::HttpClient>(
          options_for(context, url_),
          RetryTools{.clock = context.clock, .random = context.random, .sleeper = context.sleeper}
      )) {}

Result<ApiClient> ApiClient::open(const CliContext& context) {
    TRY(std::string url, api_url(context));
    TRY(auto found, find_key(context));
    std::optional<Secret> key;
    if (found) {
        key = std::move(found->key);
    }
    return ApiClient(std::move(url), std::move(key), context);
}

Result<net::HttpResponse> ApiClient::send(
    net::HttpRequest request, const net::blocking::HttpClient::BodySink& sink
) {
    request.url = url_ + request.url;
    if (key_) {
        request.headers.set("Authorization", fmt::format("Bearer {}", key_->reveal()));
    }
    request_id_.clear();
    auto response = client_->send(request, sink);
    if (!response) {
        Error error = std::move(response).error();
        if (error.code == ErrorCode::kUnavailable && error.advice.empty()) {
            error = std::move(error).hint(fmt::format(
                "is the server running at {}? start one with 'nexa up', or set NEXA_API_URL", url_
            ));
        }
        return error;
    }
    request_id_ = response->headers.get("x-request-id");
    if (response->is_success()) {
        return response;
    }
    Error error = net::to_error(*response);
    if (error.code == ErrorCode::kUnauthenticated) {  // the server's own advice is about headers
        error = std::move(error).hint(
            "give a key in NEXA_API_KEY, or store one with 'nexa login'; the first one lies in "
            "admin.key of the folder of 'nexa up'"
        );
    }
    return error;
}

Status ApiClient::send_elsewhere(const net::HttpRequest& request) {
    TRY(const auto response, client_->send(request));
    if (response.is_success()) {
        return {};
    }
    return Error::unavailable("the store answered {}", response.status)
        .hint("the link may have expired: try again");
}

Result<std::string> ApiClient::get(const std::string& path) {
    TRY(auto response, send({.url = path}));
    return std::move(response.body);
}

Result<std::string> ApiClient::post(const std::string& path, std::string body) {
    // The same key in every retry: a reply that was lost does not make two of what is created.
    const std::string once = fmt::format("cli-{:016x}{:016x}", random_.next(), random_.next());
    TRY(auto response,
        send({
            .method = net::Method::kPost,
            .url = path,
            .headers = {{"Content-Type", "application/json"}, {"Idempotency-Key", once}},
            .body = std::move(body),
        }));
    return std::move(response.body);
}

Result<std::string> ApiClient::remove(const std::string& path) {
    TRY(auto response, send({.method = net::Method::kDelete, .url = path}));
    return std::move(response.body);
}

}  // namespace nexa::cli
