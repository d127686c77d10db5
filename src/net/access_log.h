// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/log.h"
#include "net/http_server.h"

namespace nexa::net {

/// Writes one line for a request: info, warning from status 500 on. Fit for
/// HttpServerHooks::on_request_done. The query is not in it, since it may hold secrets.
void log_request(const Logger& log, const RequestRecord& record);

}  // namespace nexa::net
