// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/router.h"

namespace nexa::api {

/// Of a body that is not looked at: many clients send `{}` with every POST.
constexpr std::size_t kIgnoredBodyMax = 1024;
/// Of what a person fills in.
constexpr std::size_t kFormBytesMax = std::size_t{8} << 10;

/// What the rows of one noun have in common.
struct Noun {
    std::string_view tag;
    std::string_view read_scope;   ///< of GET
    std::string_view write_scope;  ///< of everything else
};

/// How a row is found and named.
struct RowName {
    net::Method method = net::Method::kGet;
    std::string path;
    std::string operation_id;
    std::string summary;
};

/// A documented row that asks for a key with the noun's scope.
net::Route row(const Noun& noun, RowName name);

/// The same row at another path, with a name of its own in the document.
net::Route alias(net::Route route, std::string path);

/// A row for an event stream: as server-sent events at its path, over a WebSocket at its path with
/// "/ws" behind it. `events` is what they hold; both take `last_event_id`.
std::vector<net::Route> event_stream_rows(
    net::Route route,
    net::BodyType events,
    net::Handler handler,
    std::vector<net::ParameterInfo> parameters = {}
);

/// A row whose body is a blob of any size, read as it comes, and stored under the hash in the path.
net::Route upload(net::Route route);

/// A handler that is a member function taking the whole request, for rows whose body is no border
/// struct. `endpoints` outlives the server.
template <class Endpoints>
net::Handler bound(
    Endpoints& endpoints, net::Task<net::Response> (Endpoints::*member)(net::Request)
) {
    return [&endpoints, member](net::Request request) {
        return (endpoints.*member)(std::move(request));
    };
}

}  // namespace nexa::api
