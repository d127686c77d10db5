// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "core/result.h"

namespace nexa {

/// The Error of a failed system call: `what` was being done when it set errno to `error_number`.
///
///     return os_error(errno, fmt::format("open '{}'", path));   // "cannot open 'x': no such …"
///
/// A full disk or quota is kUnavailable with "disk full" in the message; running out of processes,
/// descriptors or memory is kResourceExhausted; what no caller can have caused is kInternal.
Error os_error(int error_number, std::string_view what);

/// The code alone, for callers with a better sentence.
ErrorCode error_code_of_errno(int error_number);

/// True for ENOSPC and EDQUOT.
bool is_disk_full(int error_number);

}  // namespace nexa
