// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>

#include "net/router.h"

namespace nexa::net {

struct OpenApiInfo {
    std::string title;
    std::string version;
    std::string description = {};
};

/// The OpenAPI 3.1 document of a route table, as indented JSON: the same rows give the same bytes.
/// Rows that are not `documented` are left out. It is our bug, and aborts, if a documented row
/// has no operation_id or shares it, or if a schema is no JSON.
std::string openapi_document(const OpenApiInfo& info, std::span<const Route> routes);

}  // namespace nexa::net
