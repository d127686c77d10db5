// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>

#include "core/result.h"

namespace nexa::training {

/// How one folder takes another's place. kExchange is one system call; file systems without it
/// (NFS) need two renames, and a reader must settle_folder() what a crash between them leaves.
enum class Swap : std::uint8_t { kBest, kTwoRenames };

/// Makes `folder` hold exactly what `fill` writes into the empty folder it is given: after a crash
/// at any moment `folder` holds all of the old content or all of the new. Flushed to disk on
/// return. One writer at a time. Errors: those of `fill`, or kUnavailable; then the old content
/// stands.
Status replace_folder(
    const std::filesystem::path& folder,
    const std::function<Status(const std::filesystem::path&)>& fill,
    Swap swap = Swap::kBest
);

/// Puts back the content that a crash between two renames left aside. Errors: kUnavailable.
Status settle_folder(const std::filesystem::path& folder);

/// Removes the folder so that no reader ever sees a part of it. Errors: kUnavailable.
Status drop_folder(const std::filesystem::path& folder);

/// Removes what crashed replacements and removals have left in `parent`. No writer may be active.
void sweep_leftovers(const std::filesystem::path& parent);

}  // namespace nexa::training
