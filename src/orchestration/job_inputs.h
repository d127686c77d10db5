// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/json_text.h"
#include "core/result.h"
#include "db/tx.h"
#include "protocol/lease_messages.h"

namespace nexa::orchestration {

/// Whether what was found has to be there still when the transaction commits.
enum class Holding : std::uint8_t {
    kUntilCommit,  ///< nobody deletes it before: for a job that is being stored. Writes only.
    kNot,
};

/// Finds what a canonical payload refers to: artifact ids and internal:// URIs become inputs with
/// the hashes of their files; so does the name of a checkpoint where a model is asked for (the
/// newest of that name). A preset to train, and a teacher that is none of these, become none.
/// An evaluation without a dataset gets the one that its model was trained on.
/// Errors: kNotFound (no such artifact of this project), kInvalidArgument (neither an artifact nor
/// such a name, with those that are known, or an artifact of the wrong kind), each with the field.
Result<std::vector<protocol::JobInput>> find_inputs(
    db::Tx& tx,
    const std::string& tenant_id,
    std::string_view job_type,
    const JsonText& payload,
    Holding holding = Holding::kUntilCommit
);

}  // namespace nexa::orchestration
