// SPDX-License-Identifier: Apache-2.0
#include "protocol/job_outputs.h"

#include <algorithm>
#include <array>
#include <utility>

#include "protocol/job_results.h"

namespace nexa::protocol {

namespace {

using Row = std::pair<std::string_view, const TypeInfo& (*)()>;

constexpr std::array<Row, 7> kOutputs{{
    {"generate", &type_info<GenerateResult>},
    {"audit", &type_info<AuditResult>},
    {"distill", &type_info<DistillResult>},
    {"train", &type_info<TrainResult>},
    {"evaluate", &type_info<EvaluateResult>},
    {"deploy", &type_info<DeployResult>},
    {"echo", &type_info<EchoResult>},
}};

}  // namespace

const StructInfo* job_outputs(std::string_view job_type) {
    const auto* const found = std::ranges::find(kOutputs, job_type, &Row::first);
    return found == kOutputs.end() ? nullptr : found->second().structure();
}

}  // namespace nexa::protocol
