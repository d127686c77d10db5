// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>

#include "core/result.h"
#include "engine/runner/generation_set.h"

namespace nexa::runner {

struct ServeOptions {
    std::filesystem::path model_folder;
    std::filesystem::path socket;  ///< of at most 107 bytes; mode 0600; an old one is replaced
    GenerationLimits limits = {};
    int stop_fd = -1;    ///< readable: end. -1: there is none
    int parent_fd = -1;  ///< at its end, or broken: end. What is written to it is read and dropped
    std::size_t clients_max = 16;
    /// A client that does not read has so much written ahead; its answers wait for it then.
    std::size_t unread_bytes_max = std::size_t{1} << 20U;
};

/// Loads the model, then listens and answers (protocol/runner_frames.h) until one of the two
/// descriptors says stop. Blocks; this thread alone touches the model, and reads and writes between
/// its steps. Who can connect is known by then: the socket appears when the model is there.
///
/// A client that breaks the protocol is told why and cut off; what its requests held is freed at
/// once. Errors: those of ServingModel::load(); kInvalidArgument (path too long), kUnavailable,
/// kNotFound or kPermissionDenied (the socket cannot be made); libtorch's as guard() turns them.
Status serve(const ServeOptions& options);

}  // namespace nexa::runner
