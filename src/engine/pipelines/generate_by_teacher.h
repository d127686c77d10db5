// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/result.h"
#include "engine/pipelines/dataset_writer.h"
#include "engine/pipelines/pipeline.h"
#include "protocol/generate_spec.h"

namespace nexa::pipelines {

/// What came of asking a teacher for rows.
struct TeacherRows {
    std::int64_t rows = 0;
    std::int64_t failed = 0;
    double cost_usd = 0;
};

/// Lets the spec's teacher write question and answer rows about the spec's subject, until there are
/// as many as asked for, the cost cap is reached, or it has nothing new to say. Rows that failed
/// stand in failed_rows.json beside the splits, as null with a reason. Which split a row is in
/// follows from its question alone.
///
/// Requests depend on the spec, the seed and earlier answers only, and the worker keeps answers: a
/// job that runs again asks again and pays nothing. Errors: kInvalidArgument (no teacher that can
/// be asked, no usable row), kUnavailable, kCancelled, and the teacher's own.
Result<TeacherRows> write_teacher_rows(
    Job& job, const protocol::GenerateSpec& spec, std::uint64_t seed, DatasetWriter& writer
);

}  // namespace nexa::pipelines
