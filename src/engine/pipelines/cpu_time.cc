// SPDX-License-Identifier: Apache-2.0
#include "engine/pipelines/cpu_time.h"

#include <sys/resource.h>

namespace nexa::pipelines {

double cpu_seconds() {
    double seconds = 0;
    for (const int who : {RUSAGE_SELF, RUSAGE_CHILDREN}) {
        struct rusage usage{};
        if (::getrusage(who, &usage) == 0) {
            for (const struct timeval& part : {usage.ru_utime, usage.ru_stime}) {
                seconds +=
                    static_cast<double>(part.tv_sec) + static_cast<double>(part.tv_usec) * 1e-6;
            }
        }
    }
    return seconds;
}

}  // namespace nexa::pipelines
