// SPDX-License-Identifier: Apache-2.0
#include "protocol/account_views.h"

#include "core/json_codec.h"

namespace nexa::protocol {

NEXA_JSON_CODEC(UserView);
NEXA_JSON_CODEC(UserList);
NEXA_JSON_CODEC(UserCreate);
NEXA_JSON_CODEC(UserChange);
NEXA_JSON_CODEC(UserInvited);
NEXA_JSON_CODEC(ProjectCreate);
NEXA_JSON_CODEC(ProjectView);
NEXA_JSON_CODEC(ProjectList);
NEXA_JSON_CODEC(MemberCreate);
NEXA_JSON_CODEC(MemberChange);
NEXA_JSON_CODEC(MemberView);
NEXA_JSON_CODEC(MemberList);
NEXA_JSON_CODEC(AuditEntryView);
NEXA_JSON_CODEC(AuditPage);

}  // namespace nexa::protocol
