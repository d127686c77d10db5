// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "core/result.h"
#include "orchestration/job_store.h"
#include "protocol/job_types.h"
#include "protocol/submission.h"

namespace nexa::orchestration {

/// The submission that asks for `job` once more: its spec and what it asked of the queue, with
/// `changes` over them. These come in the forms of a submission: fields of the spec plain, or
/// {"payload": {…}, "priority": …}; empty changes nothing. A field replaces what the job had by its
/// name or an alias. Pure. Errors: kMalformed, kInvalidArgument with the field.
Result<protocol::Submission> ask_again(
    const protocol::JobTypeRow& type, const Job& job, std::string_view changes
);

}  // namespace nexa::orchestration
