// SPDX-License-Identifier: Apache-2.0
#include "protocol/session_views.h"

#include "core/json_codec.h"

namespace nexa::protocol {

NEXA_JSON_CODEC(LogIn);
NEXA_JSON_CODEC(SignUp);
NEXA_JSON_CODEC(SetUp);
NEXA_JSON_CODEC(PasswordChange);
NEXA_JSON_CODEC(SessionView);

}  // namespace nexa::protocol
