// SPDX-License-Identifier: Apache-2.0
#include "engine/training/adamw.h"

#include <cmath>
#include <utility>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/full.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros_like.h>

namespace nexa::training {
namespace {

/// What a parameter outside the loss's graph leaves undefined is zero.
at::Tensor gradient_of(const at::Tensor& value) {
    return value.grad().defined() ? value.grad() : at::zeros_like(value);
}

}  // namespace

AdamW::AdamW(nets::Parameters parameters, const AdamWOptions& options)
    : parameters_(std::move(parameters)), options_(options) {
    const at::NoGradGuard no_grad;
    decayed_.weight_decay = options.weight_decay;
    for (const nets::Parameter& parameter : parameters_) {
        Group& group = parameter.decays ? decayed_ : plain_;
        group.values.push_back(parameter.value);
        group.first.push_back(at::zeros_like(parameter.value));
        group.second.push_back(at::zeros_like(parameter.value));
        moments_.push_back({.name = "first." + parameter.name, .value = group.first.back()});
        moments_.push_back({.name = "second." + parameter.name, .value = group.second.back()});
    }
}

nets::Parameters AdamW::moments() const {
    return moments_;
}

void AdamW::clear_gradients() {
    for (const nets::Parameter& parameter : parameters_) {
        parameter.value.mutable_grad().reset();
    }
}

double AdamW::clip_gradients(double clip) {
    const at::NoGradGuard no_grad;
    std::vector<at::Tensor> gradients;
    for (const nets::Parameter& parameter : parameters_) {
        if (parameter.value.grad().defined()) {
            gradients.push_back(parameter.value.grad());
        }
    }
    if (gradients.empty()) {
        return 0.0;
    }
    const auto norm = at::stack(at::_foreach_norm(gradients)).norm().item<double>();
    if (std::isfinite(norm) && clip > 0.0 && norm > clip) {
        at::_foreach_mul_(gradients, clip / norm);
    }
    return norm;
}

void AdamW::step(double learning_rate) {
    const at::NoGradGuard no_grad;
    ++steps_;
    step_group(decayed_, learning_rate);
    step_group(plain_, learning_rate);
}

void AdamW::step_group(Group& group, double learning_rate) const {
    if (group.values.empty()) {
        return;
    }
    std::vector<at::Tensor> gradients;
    gradients.reserve(group.values.size());
    for (const at::Tensor& value : group.values) {
        gradients.push_back(gradient_of(value));
    }
    const at::Tensor count = at::full({}, static_cast<double>(steps_), group.values[0].options());
    const std::vector<at::Tensor> counts(group.values.size(), count.detach());
    at::_fused_adamw_(
        group.values,
        gradients,
        group.first,
        group.second,
        {},
        counts,
        learning_rate,
        options_.beta1,
        options_.beta2,
        group.weight_decay,
        options_.epsilon,
        /*amsgrad=*/false,
        /*maximize=*/false
    );
}

}  // namespace nexa::training
