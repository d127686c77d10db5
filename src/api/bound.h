// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>

#include "net/router.h"

namespace nexa::api {

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
