// SPDX-License-Identifier: Apache-2.0
#include "net/http_error.h"

#include <nlohmann/json.hpp>

namespace nexa::net {

namespace {

using Json = nlohmann::ordered_json;

std::string dump(const Json& json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json or_null(const std::string& text) {
    return text.empty() ? Json(nullptr) : Json(text);
}

/// core/os_error.h says so of a full disk or quota.
bool is_disk_full(const Error& error) {
    return error.code == ErrorCode::kUnavailable &&
           error.message.find("disk full") != std::string::npos;
}

int status_of(const HttpError& error, Dialect dialect) {
    if (error.status != 0) {
        return error.status;
    }
    return is_disk_full(error.error) ? 507 : http_status(error.error.code, dialect);
}

bool may_retry(const HttpError& error, int status) {
    if (status == 429 || status == 503 || status == 408) {
        return true;
    }
    // A status of HTTP's own, like 413, does not get better with time whatever the code says.
    return error.status == 0 && is_retryable(error.error.code);
}

std::string_view openai_type(int status) {
    switch (status) {
        case 429:
            return "rate_limit_error";
        default:
            return status >= 500 ? "server_error" : "invalid_request_error";
    }
}

std::string_view openai_code(const HttpError& error) {
    if (!error.openai_code.empty()) {
        return error.openai_code;
    }
    switch (error.error.code) {
        case ErrorCode::kUnauthenticated:
            return "invalid_api_key";
        case ErrorCode::kResourceExhausted:
            return "rate_limit_exceeded";
        default:
            return to_string(error.error.code);
    }
}

Json problem(const HttpError& error, int status, const RequestHead& head) {
    Json json;
    json["type"] = fmt::format("urn:nexa:error:{}", to_string(error.error.code));
    json["title"] = reason_phrase(status);
    json["status"] = status;
    json["detail"] = error.error.message;
    json["instance"] = head.path;
    json["code"] = to_string(error.error.code);
    json["param"] = or_null(error.error.param);
    json["request_id"] = head.request_id;
    json["hint"] = or_null(error.error.advice);
    json["retryable"] = may_retry(error, status);
    return json;
}

Json openai_envelope(const HttpError& error, int status) {
    Json json;
    // The envelope has no place of its own for what to do.
    const std::string& advice = error.error.advice;
    json["error"]["message"] =
        advice.empty() ? error.error.message : fmt::format("{} ({})", error.error.message, advice);
    json["error"]["type"] = openai_type(status);
    json["error"]["param"] = or_null(error.error.param);
    json["error"]["code"] = openai_code(error);
    return json;
}

Response body_of(const HttpError& error, int status, Dialect dialect, const RequestHead& head) {
    switch (dialect) {
        case Dialect::kApi:
            return Response::text(
                dump(problem(error, status, head)), "application/problem+json", status
            );
        case Dialect::kOpenai:
            return Response::json(dump(openai_envelope(error, status)), status);
        case Dialect::kV2:
            return Response::json(dump(Json{{"error", error.error.to_string()}}), status);
        case Dialect::kPlain:
            break;
    }
    return Response::text(error.error.to_string() + "\n", "text/plain; charset=utf-8", status);
}

}  // namespace

int http_status(ErrorCode code, Dialect dialect) {
    if (code == ErrorCode::kUnauthenticated && dialect == Dialect::kApi) {
        return 403;
    }
    return row_of(code).http_status;
}

Response render(const HttpError& error, Dialect dialect, const RequestHead& head) {
    const int status = status_of(error, dialect);
    Response response = body_of(error, status, dialect, head);
    if (error.retry_after || status == 429 || status == 503) {
        const auto wait = error.retry_after.value_or(std::chrono::seconds(1));
        response.headers.add("retry-after", std::to_string(wait.count()));
    }
    if (status == 401) {
        response.headers.add("www-authenticate", "Bearer");
    }
    response.headers.add("x-should-retry", may_retry(error, status) ? "true" : "false");
    for (const Header& field : error.headers) {
        response.headers.add(field.name, field.value);
    }
    return response;
}

}  // namespace nexa::net
