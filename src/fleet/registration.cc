// SPDX-License-Identifier: Apache-2.0
#include "fleet/registration.h"

#include "core/json.h"
#include "fleet/envelope.h"

namespace nexa::fleet {

Result<protocol::WorkerRegistration> open_registration(
    const protocol::Envelope& envelope, Timestamp now
) {
    TRY(const crypto::DsseEnvelope opened, from_message(envelope));
    TRY(auto registration, from_json<protocol::WorkerRegistration>(opened.payload));
    TRY_STATUS(verify_signed_by(opened, protocol::kRegisterPayloadType, registration.public_key));
    TRY(const Timestamp signed_at, parse_rfc3339(registration.created_at));
    const auto off = signed_at > now ? signed_at - now : now - signed_at;
    if (off > kRegistrationWindow) {
        return Error::unauthenticated(
                   "the registration was signed at {}, and it is {}",
                   registration.created_at,
                   to_rfc3339(now)
        )
            .at("created_at")
            .hint("set the worker's clock");
    }
    return registration;
}

}  // namespace nexa::fleet
