// SPDX-License-Identifier: Apache-2.0
#include "engine/training/smoothing.h"

namespace nexa::training {

double LossSmoother::add(double value) {
    state_.weighted_sum = keep_ * state_.weighted_sum + value;
    state_.weight = keep_ * state_.weight + 1.0;
    return state_.weighted_sum / state_.weight;
}

}  // namespace nexa::training
