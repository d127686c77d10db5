// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/json_text.h"
#include "core/result.h"
#include "core/type_info.h"
#include "core/value_node.h"

namespace nexa::protocol {

/// A reference in a spec to something stored: which input folder it becomes, and what was written
/// there.
struct InputReference {
    std::string input;  ///< "dataset", "model", "teacher", "validation"
    std::string field;  ///< the spec's field, for error messages
    std::string text;   ///< as submitted: an id, internal://…, a path, a preset's name
};

/// One job type: the row that the API, the CLI, the SDKs and the conformance tests go by. The
/// engine has a second table, of runners; a test says that the two name the same types.
struct JobTypeRow {
    std::string_view name;
    std::string_view summary;
    bool hidden;  ///< not in the documentation: for tests
    /// The spec's field list, as data: the CLI's flags come from it.
    const TypeInfo& (*spec)();
    /// JSON Schema of the spec.
    std::string (*schema)();
    /// Checks a submitted payload and gives its canonical form: declared fields in order, aliases
    /// resolved, defaults filled in. Errors: kMalformed, kInvalidArgument with the field.
    Result<JsonText> (*canonical)(std::string_view payload);
    /// The same of a payload that is parsed already. What stands in a line of its source is refused
    /// with "`source`:3: epochs".
    Result<JsonText> (*canonical_node)(const ValueNode& payload, std::string_view source);
    /// What a canonical payload refers to, in the order of its fields.
    std::vector<InputReference> (*references)(const JsonText& payload);
    /// A payload that is accepted, for documentation and tests.
    std::string_view example;
};

/// All of them, in the order of the product's path.
std::span<const JobTypeRow> job_types();

/// Errors: kNotFound with the near name and the list of types.
Result<const JobTypeRow*> find_job_type(std::string_view name);

/// The id of the artifact that a job makes: the kind's prefix and the job's own number, so that a
/// second attempt makes the same artifact. kind: dataset, distill, checkpoint, eval or deployment.
/// artifact_id_of("job_0199…", "checkpoint") is "ckpt_0199…".
std::string artifact_id_of(std::string_view job_id, std::string_view kind);

/// The folder of artifacts/ for a kind: "datasets", "distill", "checkpoints", "evals",
/// "deployments"; empty for no kind.
std::string_view artifact_folder(std::string_view kind);

}  // namespace nexa::protocol
