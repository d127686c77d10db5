// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace nexa::training {

/// What a checkpoint holds of a LossSmoother.
struct SmootherState {
    double weighted_sum = 0.0;
    double weight = 0.0;
    bool operator==(const SmootherState&) const = default;
};

/// Exponential moving average without the pull towards its start: after values x1 … xn it is
/// sum(w_i x_i) / sum(w_i) with w_i = keep^(n - i).
class LossSmoother {
public:
    /// `keep` in [0, 1): the share of the old average that a new value leaves; 0 smooths nothing.
    explicit LossSmoother(double keep, SmootherState state = {}) : keep_(keep), state_(state) {}

    /// Takes a value and returns the average with it.
    double add(double value);
    const SmootherState& state() const { return state_; }

private:
    double keep_;
    SmootherState state_;
};

}  // namespace nexa::training
