// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <any>
#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/result.h"
#include "net/headers.h"
#include "net/task.h"
#include "net/url.h"

namespace nexa::net {

enum class Method : std::uint8_t { kGet, kHead, kPost, kPut, kPatch, kDelete, kOptions };
inline constexpr std::size_t kMethodCount = 7;

std::string_view to_string(Method method);
std::optional<Method> method_from(std::string_view name);

/// "Not Found"; "Unknown" for a status without a registered phrase.
std::string_view reason_phrase(int status);

/// Bytes that come piece by piece, pulled by one reader, on the reader's executor.
class BodySource {
public:
    BodySource() = default;
    virtual ~BodySource() = default;
    BodySource(const BodySource&) = delete;
    BodySource& operator=(const BodySource&) = delete;

    /// The next piece; empty at the end. One call at a time. A cancelled read loses no bytes.
    virtual Task<std::string> read() = 0;
    /// All bytes to come, if known beforehand.
    virtual std::optional<std::uint64_t> length() const { return std::nullopt; }
    /// The reader has gone or is done: nothing more will be read. Never blocks.
    virtual void close() {}
    /// The server is stopping: end soon, if that does no harm. Never blocks.
    virtual void drain() {}
};

/// What an authenticator knows of the caller. net does not look into it.
struct Principal {
    std::string id;  ///< for logs: the key or user; empty for an open route
    std::string tenant_id;
    std::any details;  ///< whatever the authenticator wants the handlers to have
};

/// Everything of a request that is known before its body.
struct RequestHead {
    std::optional<Method> method;  ///< empty for one that we do not know
    std::string method_text;
    std::string path;  ///< as it came, percent escapes and all
    Query query;
    Headers headers;
    std::string peer_address;  ///< without port
    std::string request_id;
};

/// The decoded values of "{name}" in a route's path.
using PathParameters = std::vector<std::pair<std::string, std::string>>;
/// The value of "{name}". It is our bug, and aborts, if the route has none.
const std::string& value_of(const PathParameters& parameters, std::string_view name);

struct Request {
    std::shared_ptr<const RequestHead> head;
    PathParameters parameters;
    Principal principal;
    std::string body;
    /// Instead of `body` for a route with BodyMode::kStream. Ends with the handler.
    std::shared_ptr<BodySource> stream;

    const std::string& parameter(std::string_view name) const { return value_of(parameters, name); }
};

/// A refusal with what HTTP adds to an Error. The row's dialect writes it.
struct HttpError {
    Error error;
    int status = 0;                ///< 0: by the error's code and the dialect
    std::string openai_code = {};  ///< in OpenAI's dialect; empty: by the error's code
    std::optional<std::chrono::seconds> retry_after = {};
    Headers headers = {};
};

struct Response {
    int status = 200;
    Headers headers;
    std::variant<std::string, std::shared_ptr<BodySource>, HttpError> body;

    static Response json(std::string text, int status = 200);
    static Response text(std::string text, std::string content_type, int status = 200);
    static Response empty(int status = 204);
    static Response stream(std::shared_ptr<BodySource> source, std::string content_type);
    static Response failure(HttpError error);
};

}  // namespace nexa::net
