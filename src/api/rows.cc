// SPDX-License-Identifier: Apache-2.0
#include "api/rows.h"

#include <algorithm>
#include <cctype>

#include "net/typed_route.h"
#include "net/web_socket.h"

namespace nexa::api {

namespace {
constexpr std::size_t kBlobBytesMax = std::size_t{1} << 40U;
constexpr std::chrono::hours kUploadTimeMax{6};
}  // namespace

net::Route row(const Noun& noun, RowName name) {
    return {
        .method = name.method,
        .path = std::move(name.path),
        .operation_id = std::move(name.operation_id),
        .summary = std::move(name.summary),
        .tag = std::string(noun.tag),
        .scope = std::string(name.method == net::Method::kGet ? noun.read_scope : noun.write_scope),
    };
}

net::Route alias(net::Route route, std::string path) {
    // "get_status_job_id", "get_api_jobs_slash": such a row has no better name.
    route.operation_id = to_string(route.method);
    std::ranges::transform(route.operation_id, route.operation_id.begin(), [](char c) {
        return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    });
    std::string name = path.ends_with('/') ? path + "slash" : path;
    std::erase_if(name, [](char c) { return c == '{' || c == '}'; });
    std::ranges::replace_if(name, [](char c) { return c == '/' || c == '-' || c == '.'; }, '_');
    route.operation_id += name;
    route.summary = "The same call at another path";
    route.path = std::move(path);
    return route;
}

std::vector<net::Route> event_stream_rows(
    net::Route route,
    net::BodyType events,
    net::Handler handler,
    std::vector<net::ParameterInfo> parameters
) {
    route.parameters = std::move(parameters);
    route.parameters.push_back({
        .name = "last_event_id",
        .description = "As the header Last-Event-ID, for who cannot send it: go on behind it",
    });
    route.handler = std::move(handler);
    net::Route socket = route;
    route.response = std::move(events);
    route.response.content_type = "text/event-stream";
    socket.path += "/ws";
    socket.operation_id += "_ws";
    socket.summary += "; over a WebSocket";
    socket.success_status = 101;
    socket.response = net::body_type<net::EventMessage>();
    return {std::move(route), std::move(socket)};
}

net::Route upload(net::Route route) {
    route.body_bytes_max = kBlobBytesMax;
    route.body_mode = net::BodyMode::kStream;
    route.content_types = {};
    route.success_status = 204;
    route.time_max = kUploadTimeMax;
    return route;
}

}  // namespace nexa::api
