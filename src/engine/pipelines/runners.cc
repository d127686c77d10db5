// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "engine/pipelines/echo.h"
#include "engine/pipelines/evaluate.h"
#include "engine/pipelines/generate.h"
#include "engine/pipelines/pipeline.h"
#include "engine/pipelines/train.h"

namespace nexa::pipelines {

std::span<const RunnerRow> runners() {
    static constexpr std::array kRunners{
        RunnerRow{"generate", &run_generate},
        RunnerRow{"train", &run_train},
        RunnerRow{"evaluate", &run_evaluate},
        RunnerRow{"echo", &run_echo},
    };
    return kRunners;
}

}  // namespace nexa::pipelines
