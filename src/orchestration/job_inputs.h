// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/json_text.h"
#include "core/result.h"
#include "db/tx.h"
#include "protocol/lease_messages.h"

namespace nexa::orchestration {

/// Finds what a canonical payload refers to: artifact ids and internal:// URIs become inputs with
/// the hashes of their files. Names (a preset to train, provider/name of a teacher) become none.
/// An evaluation without a dataset gets the one that its model was trained on.
/// Errors: kNotFound (no such artifact of this project), kInvalidArgument (neither an artifact nor
/// such a name, or an artifact of the wrong kind), each with the field.
Result<std::vector<protocol::JobInput>> find_inputs(
    db::Tx& tx, const std::string& tenant_id, std::string_view job_type, const JsonText& payload
);

}  // namespace nexa::orchestration
