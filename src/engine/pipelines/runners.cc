// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "engine/pipelines/audit.h"
#include "engine/pipelines/deploy.h"
#include "engine/pipelines/distill.h"
#include "engine/pipelines/echo.h"
#include "engine/pipelines/evaluate.h"
#include "engine/pipelines/generate.h"
#include "engine/pipelines/pipeline.h"
#include "engine/pipelines/train.h"

namespace nexa::pipelines {

std::span<const RunnerRow> runners() {
    static constexpr std::array kRunners{
        RunnerRow{"generate", &run_generate},
        RunnerRow{"audit", &run_audit},
        RunnerRow{"train", &run_train},
        RunnerRow{"distill", &run_distill},
        RunnerRow{"evaluate", &run_evaluate},
        RunnerRow{"deploy", &run_deploy},
        RunnerRow{"echo", &run_echo},
    };
    return kRunners;
}

}  // namespace nexa::pipelines
