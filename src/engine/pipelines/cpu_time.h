// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace nexa::pipelines {

/// Processor seconds that this process and the children it waited for have used so far.
double cpu_seconds();

}  // namespace nexa::pipelines
