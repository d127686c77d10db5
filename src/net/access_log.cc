// SPDX-License-Identifier: Apache-2.0
#include "net/access_log.h"

namespace nexa::net {

void log_request(const Logger& log, const RequestRecord& record) {
    const auto duration = std::chrono::duration_cast<std::chrono::microseconds>(record.duration);
    log.log(
        record.status >= 500 ? LogLevel::kWarning : LogLevel::kInfo,
        "request",
        {
            {"method", record.method},
            {"path", record.path},
            {"operation", record.operation_id},
            {"status", record.status},
            {"duration_us", duration.count()},
            {"bytes_in", record.bytes_in},
            {"bytes_out", record.bytes_out},
            {"request_id", record.request_id},
            {"principal", record.principal_id},
            {"peer", record.peer_address},
            {"error", record.error},
        }
    );
}

}  // namespace nexa::net
