// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "net/http_types.h"

namespace nexa {
struct TypeInfo;
}

namespace nexa::net {

/// Who may call a route. A closed list.
enum class Auth : std::uint8_t {
    kPublic,  ///< anyone: the authenticator is not asked
    kKey,     ///< a user's credentials
    kWorker,  ///< a worker's
};

/// How a route's errors are written.
enum class Dialect : std::uint8_t {
    kApi,     ///< RFC 9457 application/problem+json; unauthenticated is 403
    kOpenai,  ///< {"error":{"message","type","param","code"}}
    kV2,      ///< {"error":"…"}
    kPlain,   ///< text/plain
};

enum class BodyMode : std::uint8_t {
    kWhole,   ///< read before the handler runs, into Request::body
    kStream,  ///< pulled by the handler from Request::stream
};

/// What a body is, for the document. Empty name: no body. typed() fills it for border structs.
struct BodyType {
    std::string name = {};
    /// A border struct, or a vector of one.
    const TypeInfo* type = nullptr;
    /// For anything else: the schema as JSON text; empty: any JSON.
    std::function<std::string()> schema = {};
    std::string content_type = "application/json";
};

/// A query or header parameter, for the document.
struct ParameterInfo {
    std::string name;
    std::string description;
    std::string schema = R"({"type":"string"})";  ///< JSON text
    bool required = false;
    bool in_header = false;
};

/// Answers one request. Runs on the connection's executor: it must not block. An Error becomes a
/// reply in the route's dialect. Parameters by value; a handler that is a coroutine with state is a
/// class's member function bound to its object, never a capturing lambda.
using Handler = std::function<Task<Response>(Request)>;

/// One row of the route table: all that the server, the authenticator and the document need.
struct Route {
    Method method = Method::kGet;
    /// "/api/jobs/{job_id}"; a last "{name...}" takes the rest of the path. A trailing slash is
    /// another path: an alias is a row of its own.
    std::string path;
    std::string operation_id = {};  ///< "jobs_get"
    std::string summary = {};
    std::string tag = {};
    Auth auth = Auth::kKey;
    std::string scope = {};          ///< handed to the authenticator
    std::size_t body_bytes_max = 0;  ///< 0: takes no body
    BodyMode body_mode = BodyMode::kWhole;
    /// Media types taken; empty: any. "application/json" takes "application/…+json" too.
    std::vector<std::string> content_types = {"application/json"};
    Dialect dialect = Dialect::kApi;
    BodyType request = {};
    BodyType response = {};
    std::vector<ParameterInfo> parameters = {};
    int success_status = 200;
    Handler handler = {};
    bool documented = true;
    /// How long the handler may take; zero: as the server's options say.
    std::chrono::milliseconds time_max{0};
    /// Cancel the handler when the client hangs up: for answers that are dear to make.
    bool cancel_when_client_goes = false;
};

/// Finds the row for a request. Literal segments win over "{name}", "{name}" over "{name...}".
///
/// Immutable once built, so thread-safe. Two rows for one method and path, a path that is no
/// template, or a row without handler abort at start.
class Router {
public:
    explicit Router(std::vector<Route> routes);
    ~Router();
    Router(Router&&) noexcept;
    Router& operator=(Router&&) = delete;

    enum class Outcome : std::uint8_t { kFound, kNotFound, kMethodNotAllowed, kMalformed };

    struct Match {
        Outcome outcome = Outcome::kNotFound;
        const Route* route = nullptr;  ///< kFound only
        PathParameters parameters = {};
        std::vector<Method> allowed = {};  ///< of the path, for Allow
        Dialect dialect = Dialect::kApi;   ///< of the row, or of the nearest rows
    };

    /// `path` as it came. HEAD finds a GET row where there is no HEAD row.
    Match match(std::optional<Method> method, std::string_view path) const;

    std::span<const Route> routes() const { return routes_; }

private:
    struct Node;
    struct Search;
    void insert(const Route& route);

    std::vector<Route> routes_;
    std::unique_ptr<Node> root_;
};

}  // namespace nexa::net
