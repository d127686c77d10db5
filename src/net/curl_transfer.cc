// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <limits>

#include <nlohmann/json.hpp>

#include "core/os_error.h"
#include "core/trim.h"
#include "net/curl_transfer_internal.h"
#include "net/http_date_internal.h"

namespace nexa::net {

namespace {

/// Without password and query, either of which may be a secret.
std::string shown(std::string_view url) {
    url = url.substr(0, url.find('?'));
    const std::size_t scheme = url.find("://");
    const std::size_t host = scheme == std::string_view::npos ? 0 : scheme + 3;
    const std::size_t path = std::min(url.find('/', host), url.size());
    const std::size_t at = url.substr(0, path).rfind('@');
    if (at == std::string_view::npos || at < host) {
        return std::string(url);
    }
    return std::string(url.substr(0, host)) + std::string(url.substr(at + 1));
}

bool is_transient(int status) {
    return status == 408 || status == 429 || status == 502 || status == 503 || status == 504;
}

bool may_repeat(const HttpRequest& request) {
    switch (request.retry) {
        case RetryWhen::kNever:
            return false;
        case RetryWhen::kAlways:
            return true;
        case RetryWhen::kIdempotent:
            break;
    }
    return (request.method != Method::kPost && request.method != Method::kPatch) ||
           request.headers.find("idempotency-key") != nullptr;
}

ErrorCode code_of_status(int status) {
    switch (status) {
        case 400:
            return ErrorCode::kMalformed;
        case 401:
            return ErrorCode::kUnauthenticated;
        case 403:
            return ErrorCode::kPermissionDenied;
        case 404:
        case 410:
            return ErrorCode::kNotFound;
        case 408:
        case 504:
            return ErrorCode::kDeadlineExceeded;
        case 409:
        case 412:
            return ErrorCode::kConflict;
        case 413:
        case 429:
            return ErrorCode::kResourceExhausted;
        case 499:
            return ErrorCode::kCancelled;
        case 502:
        case 503:
        case 507:
            return ErrorCode::kUnavailable;
        default:
            return status >= 500 ? ErrorCode::kInternal : ErrorCode::kInvalidArgument;
    }
}

std::string text_at(const nlohmann::json& json, const char* key) {
    const auto found = json.find(key);
    return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace

Error to_error(const HttpResponse& response) {
    Error error(
        code_of_status(response.status),
        fmt::format("{} answered {}", shown(response.url), response.status)
    );
    nlohmann::json body = nlohmann::json::parse(response.body, nullptr, false);
    if (body.is_object() && body.contains("error") && body["error"].is_object()) {
        nlohmann::json inner = body["error"];
        inner["detail"] = text_at(inner, "message");
        body = std::move(inner);
    } else if (body.is_object() && body.contains("error")) {
        body["detail"] = text_at(body, "error");
    }
    if (!body.is_object()) {
        return error;
    }
    error.code = error_code_from(text_at(body, "code")).value_or(error.code);
    const std::string detail = text_at(body, "detail");
    error.message = detail.empty() ? error.message : detail;
    error.param = text_at(body, "param");
    error.advice = text_at(body, "hint");
    return error;
}

std::chrono::seconds retry_after(const HttpResponse& response, Timestamp now) {
    constexpr std::chrono::seconds kMost{120};
    const std::string_view text = response.headers.get("retry-after");
    int seconds = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (read.ec == std::errc() && read.ptr == text.data() + text.size()) {
        return std::clamp(std::chrono::seconds(seconds), std::chrono::seconds(0), kMost);
    }
    const auto date = parse_http_date(text);
    if (!date) {
        return std::chrono::seconds(0);
    }
    return std::clamp(
        std::chrono::ceil<std::chrono::seconds>(*date - now), std::chrono::seconds(0), kMost
    );
}

std::optional<std::chrono::microseconds> pause_before_retry(
    const HttpRequest& request,
    const Result<HttpResponse>& result,
    Backoff& backoff,
    const Clock& clock
) {
    if (!may_repeat(request)) {
        return std::nullopt;
    }
    if (result &&
        (!is_transient(result->status) || result->headers.get("x-should-retry") == "false")) {
        return std::nullopt;
    }
    // A reply that would be too large stays too large, whatever the code says of quotas.
    if (!result && result.error().code == ErrorCode::kResourceExhausted) {
        return std::nullopt;
    }
    const ErrorCode code = result ? ErrorCode::kUnavailable : result.error().code;
    const auto delay = backoff.next_delay(code, clock.steady_now());
    if (!delay || !result) {
        return delay;
    }
    return std::max<std::chrono::microseconds>(*delay, retry_after(*result, clock.now()));
}

namespace {

struct UrlDeleter {
    void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
using Url = std::unique_ptr<CURLU, UrlDeleter>;

std::string part_of(CURLU* url, CURLUPart part) {
    char* text = nullptr;
    // The port is there also where it is the scheme's own, so that origins can be compared.
    if (curl_url_get(url, part, &text, CURLU_DEFAULT_PORT) != CURLUE_OK) {
        return {};
    }
    std::string copy(text);
    curl_free(text);
    return copy;
}

std::string origin_of(CURLU* url) {
    return fmt::format(
        "{}://{}:{}",
        part_of(url, CURLUPART_SCHEME),
        part_of(url, CURLUPART_HOST),
        part_of(url, CURLUPART_PORT)
    );
}

Headers without_secrets(const Headers& headers) {
    constexpr std::array<std::string_view, 6> kHarmless{
        "accept", "content-type", "range", "if-range", "if-match", "if-none-match"
    };
    Headers kept;
    for (const Header& header : headers) {
        const auto is_same = [&](std::string_view name) {
            return std::ranges::equal(name, header.name, {}, {}, [](unsigned char c) {
                return static_cast<char>(std::tolower(c));
            });
        };
        if (std::ranges::any_of(kHarmless, is_same)) {
            kept.add(header.name, header.value);
        }
    }
    return kept;
}

}  // namespace

Result<std::optional<HttpRequest>> redirected(
    const HttpRequest& request,
    const HttpResponse& response,
    int followed,
    const HttpClientOptions& options
) {
    const int status = response.status;
    const bool keeps_method = status == 307 || status == 308;
    const std::string location(response.headers.get("location"));
    if (options.redirects_max <= 0 || location.empty() ||
        !(keeps_method || (status >= 301 && status <= 303))) {
        return std::nullopt;
    }
    if (followed >= options.redirects_max) {
        return Error::unavailable(
            "cannot reach {}: it redirects more than {} times", shown(request.url), followed
        );
    }
    const Url from(curl_url());
    const Url target(curl_url());
    const bool is_url =
        curl_url_set(from.get(), CURLUPART_URL, request.url.c_str(), 0) == CURLUE_OK &&
        curl_url_set(target.get(), CURLUPART_URL, request.url.c_str(), 0) == CURLUE_OK &&
        curl_url_set(target.get(), CURLUPART_URL, location.c_str(), 0) == CURLUE_OK;
    const std::string scheme = part_of(target.get(), CURLUPART_SCHEME);
    if (!is_url || (scheme != "http" && scheme != "https")) {
        return Error::unavailable("{} redirects to what is no URL of http", shown(request.url));
    }
    HttpRequest next = request;
    next.url = part_of(target.get(), CURLUPART_URL);
    if (!keeps_method && request.method == Method::kPost) {
        next.method = Method::kGet;
        next.body.clear();
        next.upload_file.clear();
    }
    if (origin_of(from.get()) != origin_of(target.get())) {
        next.headers = without_secrets(request.headers);
        next.unix_socket.clear();
    }
    return next;
}

Transfer::Transfer(CURL* easy, HttpRequest request, const HttpClientOptions& options)
    : easy_(easy),
      request_(std::move(request)),
      options_(options),
      upload_(nullptr, &std::fclose) {}

Transfer::~Transfer() {
    curl_slist_free_all(header_list_);
}

Status Transfer::prepare() {
    set(CURLOPT_ERRORBUFFER, &error_text_[0]);
    set(CURLOPT_PRIVATE, this);
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_URL, request_.url.c_str());
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    set_limits(options_);
    set_route(options_);
    TRY_STATUS(set_headers());
    TRY_STATUS(set_body());
    set_callbacks();
    if (set_failed_) {
        return Error::resource_exhausted("cannot set up a request to {}", shown(request_.url));
    }
    return {};
}

void Transfer::set_limits(const HttpClientOptions& options) {
    set(CURLOPT_TIMEOUT_MS, static_cast<long>(request_.total_time_max.count()));
    set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options.connect_time_max.count()));
    set(CURLOPT_LOW_SPEED_LIMIT, 1L);
    set(CURLOPT_LOW_SPEED_TIME, static_cast<long>(request_.idle_time_max.count()));
    // curl would take our key along to wherever it is sent: redirected() follows instead.
    set(CURLOPT_FOLLOWLOCATION, 0L);
    constexpr std::uint64_t kCurlMax = std::numeric_limits<curl_off_t>::max();
    set(CURLOPT_MAXFILESIZE_LARGE,
        static_cast<curl_off_t>(std::min(request_.body_bytes_max, kCurlMax)));
}

void Transfer::set_route(const HttpClientOptions& options) {
    // An empty string, unlike none, also turns the environment's proxy off.
    set(CURLOPT_PROXY, options.proxy.c_str());
    set(CURLOPT_NOPROXY, options.no_proxy.c_str());
    set(CURLOPT_USERAGENT, options.user_agent.c_str());
    if (!options.ca_file.empty()) {
        set(CURLOPT_CAINFO, options.ca_file.c_str());
    }
    if (!request_.unix_socket.empty()) {
        set(CURLOPT_UNIX_SOCKET_PATH, request_.unix_socket.c_str());
    }
}

Status Transfer::set_headers() {
    for (const Header& field : request_.headers) {
        const std::string line =
            field.value.empty() ? field.name + ";" : fmt::format("{}: {}", field.name, field.value);
        if (line.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos) {
            return Error::invalid_argument("header '{}' has a line end in it", field.name);
        }
        curl_slist* longer = curl_slist_append(header_list_, line.c_str());
        if (longer == nullptr) {
            return Error::resource_exhausted("out of memory");
        }
        header_list_ = longer;
    }
    set(CURLOPT_HTTPHEADER, header_list_);
    return {};
}

Status Transfer::set_body() {
    const std::string method(to_string(request_.method));
    if (request_.method == Method::kHead) {
        set(CURLOPT_NOBODY, 1L);
        return {};
    }
    const bool is_post = request_.method == Method::kPost;
    if (is_post) {
        set(CURLOPT_POST, 1L);
    } else if (request_.method != Method::kGet) {
        set(CURLOPT_CUSTOMREQUEST, method.c_str());
    }
    if (!request_.upload_file.empty()) {
        upload_.reset(std::fopen(request_.upload_file.c_str(), "rbe"));
        std::error_code error;
        const std::uintmax_t bytes = std::filesystem::file_size(request_.upload_file, error);
        if (!upload_ || error) {
            return os_error(
                error ? error.value() : errno,
                fmt::format("open '{}' to send it", request_.upload_file.string())
            );
        }
        if (!is_post) {
            set(CURLOPT_UPLOAD, 1L);
        }
        set(is_post ? CURLOPT_POSTFIELDSIZE_LARGE : CURLOPT_INFILESIZE_LARGE,
            static_cast<curl_off_t>(bytes));
        return {};
    }
    if (!request_.body.empty() || is_post) {
        set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
        set(CURLOPT_POSTFIELDS, request_.body.c_str());
        if (request_.headers.find("content-type") == nullptr) {
            // Ours are JSON; curl would say that they are forms.
            curl_slist* longer = curl_slist_append(header_list_, "content-type: application/json");
            header_list_ = longer != nullptr ? longer : header_list_;
            set(CURLOPT_HTTPHEADER, header_list_);
        }
    }
    return {};
}

void Transfer::set_callbacks() {
    set(CURLOPT_WRITEFUNCTION, &Transfer::write_callback);
    set(CURLOPT_WRITEDATA, this);
    set(CURLOPT_HEADERFUNCTION, &Transfer::header_callback);
    set(CURLOPT_HEADERDATA, this);
    set(CURLOPT_READFUNCTION, &Transfer::read_callback);
    set(CURLOPT_READDATA, this);
    set(CURLOPT_SEEKFUNCTION, &Transfer::seek_callback);
    set(CURLOPT_SEEKDATA, this);
}

std::size_t Transfer::write_callback(char* bytes, std::size_t, std::size_t count, void* self) {
    switch (static_cast<Transfer*>(self)->take({bytes, count})) {
        case Taken::kAll:
            return count;
        case Taken::kPause:
            return CURL_WRITEFUNC_PAUSE;
        case Taken::kAbort:
            break;
    }
    return CURL_WRITEFUNC_ERROR;
}

Transfer::Taken Transfer::take(std::string_view bytes) {
    if (bytes.size() > request_.body_bytes_max - body_bytes_) {
        too_large_ = true;
        return Taken::kAbort;
    }
    if (!on_body) {
        response_.body += bytes;
        body_bytes_ += bytes.size();
        return Taken::kAll;
    }
    const Taken taken = on_body(response_, bytes);
    // What was paused comes again.
    body_bytes_ += taken == Taken::kAll ? bytes.size() : 0;
    return taken;
}

std::size_t Transfer::header_callback(char* bytes, std::size_t, std::size_t count, void* self) {
    static_cast<Transfer*>(self)->take_header({bytes, count});
    return count;
}

void Transfer::take_header(std::string_view line) {
    if (line.starts_with("HTTP/")) {
        response_.headers = {};
        long status = 0;
        curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
        response_.status = static_cast<int>(status);
        return;
    }
    if (trimmed(line).empty()) {
        if (on_head && response_.status >= 200 && !std::exchange(head_told_, true)) {
            on_head(response_);
        }
        return;
    }
    const std::size_t colon = line.find(':');
    if (colon != std::string_view::npos && !head_told_) {
        response_.headers.add(
            std::string(line.substr(0, colon)), std::string(trimmed(line.substr(colon + 1)))
        );
    }
}

std::size_t Transfer::read_callback(char* buffer, std::size_t size, std::size_t count, void* self) {
    const auto& upload = static_cast<Transfer*>(self)->upload_;
    if (!upload) {
        return 0;
    }
    const std::size_t bytes = std::fread(buffer, 1, size * count, upload.get());
    return std::ferror(upload.get()) != 0 ? CURL_READFUNC_ABORT : bytes;
}

int Transfer::seek_callback(void* self, curl_off_t offset, int origin) {
    const auto& upload = static_cast<Transfer*>(self)->upload_;
    const bool moved = upload && ::fseeko(upload.get(), offset, origin) == 0;
    return moved ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_CANTSEEK;
}

Result<HttpResponse> Transfer::finish(CURLcode code) {
    if (code != CURLE_OK) {
        return error_of_code(code);
    }
    const char* url = nullptr;
    curl_easy_getinfo(easy_, CURLINFO_EFFECTIVE_URL, &url);
    response_.url = url != nullptr ? url : request_.url;
    return std::move(response_);
}

Error Transfer::error_of_code(CURLcode code) const {
    const std::string url = shown(request_.url);
    const std::string why = error_text_[0] != '\0' ? &error_text_[0] : curl_easy_strerror(code);
    switch (code) {
        case CURLE_OPERATION_TIMEDOUT:
            return Error::deadline_exceeded("no whole reply from {} in time: {}", url, why);
        case CURLE_FILESIZE_EXCEEDED:
        case CURLE_WRITE_ERROR:
            if (code == CURLE_WRITE_ERROR && !too_large_) {
                return Error::cancelled("the reply of {} is not wanted any more", url);
            }
            return Error::resource_exhausted(
                "the reply of {} is over {} bytes", url, request_.body_bytes_max
            );
        case CURLE_URL_MALFORMAT:
        case CURLE_UNSUPPORTED_PROTOCOL:
            return Error::invalid_argument("cannot request '{}': {}", url, why).at("url");
        case CURLE_OUT_OF_MEMORY:
            return Error::resource_exhausted("out of memory while requesting {}", url);
        case CURLE_PEER_FAILED_VERIFICATION:
            return Error::permission_denied("the certificate of {} is not valid: {}", url, why)
                .hint("give the file of its certificate authority");
        case CURLE_READ_ERROR:
        case CURLE_ABORTED_BY_CALLBACK:
            return Error::unavailable("cannot read what is to be sent to {}", url);
        default:
            return Error::unavailable("cannot reach {}: {}", url, why);
    }
}

}  // namespace nexa::net
