// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include "engine/nets/decoder.h"

namespace nexa::nets {

/// Which positions of a batch are learned, and what follows them.
struct Targets {
    at::Tensor positions;  ///< [n], int64: indices into the flattened [rows * length]
    at::Tensor ids;        ///< [n], int64: the token after each
    at::Tensor weights;    ///< [n], float32
};

/// Negative log-likelihood of each target in nats, [n], float32, unweighted. The head runs for the
/// positions of `targets` alone. Differentiable.
at::Tensor token_losses(const Decoder& decoder, const TokenBatch& batch, const Targets& targets);

/// Sum over targets of weight times loss: a scalar. Divided by the sum of weights of all
/// micro-batches of a step it gives the same loss and gradients however the step was cut.
at::Tensor summed_loss(const Decoder& decoder, const TokenBatch& batch, const Targets& targets);

}  // namespace nexa::nets
