// SPDX-License-Identifier: Apache-2.0
#include "orchestration/job_clone.h"

#include <algorithm>
#include <utility>

#include "core/json.h"
#include "core/value_node.h"

namespace nexa::orchestration {

namespace {

/// True if both are names of one field; of an unknown one, if they are the same.
bool same_field(const StructInfo& spec, std::string_view left, std::string_view right) {
    const FieldInfo* field = spec.find(left);
    return field != nullptr ? field == spec.find(right) : left == right;
}

void lay_over(const StructInfo& spec, ValueNode changes, ValueNode& payload) {
    for (std::size_t change = 0; change < changes.keys.size(); ++change) {
        for (std::size_t i = payload.keys.size(); i-- > 0;) {
            if (same_field(spec, changes.keys[change], payload.keys[i])) {
                payload.keys.erase(payload.keys.begin() + static_cast<std::ptrdiff_t>(i));
                payload.items.erase(payload.items.begin() + static_cast<std::ptrdiff_t>(i));
            }
        }
    }
    std::ranges::move(changes.keys, std::back_inserter(payload.keys));
    std::ranges::move(changes.items, std::back_inserter(payload.items));
}

protocol::SubmissionOptions options_of(const Job& job) {
    return {
        .name = job.name,
        .pool = job.pool,
        .priority = job.priority,
        .max_attempts = job.max_failures,
        .gpus = job.gpus,
        .memory_bytes = job.memory_bytes,
    };
}

Status check_object(const ValueNode& node, std::string_view where) {
    if (node.kind != ValueNode::Kind::kObject) {
        return Error::invalid_argument("expected an object").at(std::string(where));
    }
    return {};
}

}  // namespace

Result<protocol::Submission> ask_again(
    const protocol::JobTypeRow& type, const Job& job, std::string_view changes
) {
    protocol::Submission again{.payload = job.payload, .options = options_of(job)};
    if (changes.empty()) {
        return again;
    }
    TRY(ValueNode root, parse_json(changes));
    TRY_STATUS(check_object(root, ""));
    ValueNode fields;
    const auto payload = std::ranges::find(root.keys, "payload");
    if (payload == root.keys.end()) {
        fields = std::move(root);
    } else {
        again.wrapped = true;
        const auto at = payload - root.keys.begin();
        fields = std::move(root.items[static_cast<std::size_t>(at)]);
        root.keys.erase(payload);
        root.items.erase(root.items.begin() + at);
        const auto faults = decode(
            root, type_info<protocol::SubmissionOptions>(), &again.options, UnknownKeys::kRefuse
        );
        if (!faults.empty()) {
            return faults.front().error;
        }
    }
    TRY_STATUS(check_object(fields, again.wrapped ? "payload" : ""));
    TRY(ValueNode merged, parse_json(job.payload.text));
    lay_over(*type.spec().structure(), std::move(fields), merged);
    again.payload = JsonText{to_json(merged)};
    return again;
}

}  // namespace nexa::orchestration
