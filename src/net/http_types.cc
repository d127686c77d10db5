// SPDX-License-Identifier: Apache-2.0
#include "net/http_types.h"

#include <algorithm>

#include "core/check.h"

namespace nexa::net {

namespace {

constexpr std::array<std::string_view, kMethodCount> kMethodNames{
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"
};

struct Phrase {
    int status;
    std::string_view text;
};

constexpr std::array kPhrases{
    Phrase{101, "Switching Protocols"},
    Phrase{100, "Continue"},
    Phrase{200, "OK"},
    Phrase{201, "Created"},
    Phrase{202, "Accepted"},
    Phrase{204, "No Content"},
    Phrase{206, "Partial Content"},
    Phrase{301, "Moved Permanently"},
    Phrase{302, "Found"},
    Phrase{303, "See Other"},
    Phrase{304, "Not Modified"},
    Phrase{307, "Temporary Redirect"},
    Phrase{308, "Permanent Redirect"},
    Phrase{400, "Bad Request"},
    Phrase{401, "Unauthorized"},
    Phrase{402, "Payment Required"},
    Phrase{403, "Forbidden"},
    Phrase{404, "Not Found"},
    Phrase{405, "Method Not Allowed"},
    Phrase{406, "Not Acceptable"},
    Phrase{408, "Request Timeout"},
    Phrase{409, "Conflict"},
    Phrase{410, "Gone"},
    Phrase{411, "Length Required"},
    Phrase{412, "Precondition Failed"},
    Phrase{413, "Content Too Large"},
    Phrase{414, "URI Too Long"},
    Phrase{415, "Unsupported Media Type"},
    Phrase{416, "Range Not Satisfiable"},
    Phrase{417, "Expectation Failed"},
    Phrase{422, "Unprocessable Content"},
    Phrase{426, "Upgrade Required"},
    Phrase{428, "Precondition Required"},
    Phrase{429, "Too Many Requests"},
    Phrase{431, "Request Header Fields Too Large"},
    Phrase{499, "Client Closed Request"},
    Phrase{500, "Internal Server Error"},
    Phrase{501, "Not Implemented"},
    Phrase{502, "Bad Gateway"},
    Phrase{503, "Service Unavailable"},
    Phrase{504, "Gateway Timeout"},
    Phrase{505, "HTTP Version Not Supported"},
    Phrase{507, "Insufficient Storage"},
};

}  // namespace

std::string_view to_string(Method method) {
    return kMethodNames[static_cast<std::size_t>(method)];
}

std::optional<Method> method_from(std::string_view name) {
    const auto found = std::ranges::find(kMethodNames, name);
    if (found == kMethodNames.end()) {
        return std::nullopt;
    }
    return static_cast<Method>(found - kMethodNames.begin());
}

std::string_view reason_phrase(int status) {
    const auto found = std::ranges::find(kPhrases, status, &Phrase::status);
    return found != kPhrases.end() ? found->text : "Unknown";
}

const std::string& value_of(const PathParameters& parameters, std::string_view name) {
    const auto found = std::ranges::find(parameters, name, [](const auto& pair) {
        return std::string_view(pair.first);
    });
    NEXA_CHECK(found != parameters.end());
    return found->second;
}

Response Response::json(std::string text, int status) {
    return Response::text(std::move(text), "application/json", status);
}

Response Response::text(std::string text, std::string content_type, int status) {
    return {
        .status = status,
        .headers = {{"content-type", std::move(content_type)}},
        .body = std::move(text),
    };
}

Response Response::empty(int status) {
    return {.status = status, .headers = {}, .body = std::string()};
}

Response Response::stream(std::shared_ptr<BodySource> source, std::string content_type) {
    return {
        .status = 200,
        .headers = {{"content-type", std::move(content_type)}},
        .body = std::move(source),
    };
}

Response Response::failure(HttpError error) {
    return {.status = error.status, .headers = {}, .body = std::move(error)};
}

}  // namespace nexa::net
