// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <curl/curl.h>

#include "net/http_client.h"

namespace nexa::net {

/// How long to pause before the next attempt; nothing if `result` is the answer.
std::optional<std::chrono::microseconds> pause_before_retry(
    const HttpRequest& request,
    const Result<HttpResponse>& result,
    Backoff& backoff,
    const Clock& clock
);

/// The request that a redirect asks for; nothing if `response` is none, or no more are allowed:
/// then it is the answer. Another origin gets the request without its headers, but the few that
/// carry no secret and say nothing of us: whoever answers a redirect must not learn a key of ours.
/// Errors: kUnavailable (`followed` ones already; a location that is no URL of http or https).
Result<std::optional<HttpRequest>> redirected(
    const HttpRequest& request,
    const HttpResponse& response,
    int followed,
    const HttpClientOptions& options
);

/// One request on one curl handle: sets it up, takes what comes, says what became of it.
///
/// Used by one thread at a time; neither moves nor copies, since curl holds its address.
class Transfer {
public:
    enum class Taken : std::uint8_t { kAll, kPause, kAbort };

    /// `easy` is a fresh or reset handle and outlives the transfer.
    Transfer(CURL* easy, HttpRequest request, const HttpClientOptions& options);
    Transfer(const Transfer&) = delete;
    Transfer& operator=(const Transfer&) = delete;
    ~Transfer();

    /// Errors: kInvalidArgument (URL or header), kNotFound (no file to upload).
    Status prepare();
    /// The reply, or why there is none, once curl has ended with `code`.
    Result<HttpResponse> finish(CURLcode code);

    CURL* easy() const { return easy_; }
    const HttpRequest& request() const { return request_; }

    /// Called once with the head of the final reply, before any of its body.
    std::function<void(const HttpResponse&)> on_head;
    /// Takes the body; empty: it is kept for finish().
    std::function<Taken(const HttpResponse& head, std::string_view)> on_body;

private:
    void set_limits(const HttpClientOptions& options);
    void set_route(const HttpClientOptions& options);
    Status set_headers();
    Status set_body();
    void set_callbacks();
    Taken take(std::string_view bytes);
    void take_header(std::string_view line);
    Error error_of_code(CURLcode code) const;

    static std::size_t write_callback(char* bytes, std::size_t, std::size_t count, void* self);
    static std::size_t header_callback(char* bytes, std::size_t, std::size_t count, void* self);
    static std::size_t read_callback(char* buffer, std::size_t size, std::size_t count, void* self);
    static int seek_callback(void* self, curl_off_t offset, int origin);

    template <class T>
    void set(CURLoption option, T value) {
        // Every option used here exists in the curl we link; only memory can run out.
        if (curl_easy_setopt(easy_, option, value) != CURLE_OK) {
            set_failed_ = true;
        }
    }

    CURL* easy_;
    HttpRequest request_;
    const HttpClientOptions& options_;
    curl_slist* header_list_ = nullptr;
    std::unique_ptr<std::FILE, int (*)(std::FILE*)> upload_;
    HttpResponse response_;
    std::uint64_t body_bytes_ = 0;
    bool set_failed_ = false;
    bool head_told_ = false;
    bool too_large_ = false;
    char error_text_[CURL_ERROR_SIZE] = {};
};

}  // namespace nexa::net
