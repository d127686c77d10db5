// SPDX-License-Identifier: Apache-2.0
#include "protocol/audit_spec.h"

#include "core/json_codec.h"

namespace nexa::protocol {

NEXA_JSON_CODEC(AuditSpec);

}  // namespace nexa::protocol
