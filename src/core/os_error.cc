// SPDX-License-Identifier: Apache-2.0
#include "core/os_error.h"

#include <cerrno>
#include <cstring>

namespace nexa {

bool is_disk_full(int error_number) {
    return error_number == ENOSPC || error_number == EDQUOT;
}

ErrorCode error_code_of_errno(int error_number) {
    switch (error_number) {
        case ENOENT:
        case ENOTDIR:
            return ErrorCode::kNotFound;
        case EACCES:
        case EPERM:
        case EROFS:
            return ErrorCode::kPermissionDenied;
        case EEXIST:
        case ENOTEMPTY:
            return ErrorCode::kConflict;
        case EINVAL:
        case EISDIR:
        case ELOOP:
        case ENAMETOOLONG:
        case ENOEXEC:
        case E2BIG:
        case ENXIO:
            return ErrorCode::kInvalidArgument;
        case EMFILE:
        case ENFILE:
        case ENOMEM:
        case EAGAIN:
        case EFBIG:
            return ErrorCode::kResourceExhausted;
        case ENOSPC:
        case EDQUOT:
        case EIO:
        case EBUSY:
        case ETXTBSY:
        case ENOSYS:
        case ECONNREFUSED:
        case ECONNRESET:
        case EPIPE:
            return ErrorCode::kUnavailable;
        case ETIMEDOUT:
            return ErrorCode::kDeadlineExceeded;
        default:
            return ErrorCode::kInternal;
    }
}

Error os_error(int error_number, std::string_view what) {
    if (is_disk_full(error_number)) {
        return Error::unavailable("disk full: cannot {}", what).hint("free space, then try again");
    }
    // strerrordesc_np is the thread-safe one, and needs no buffer.
    const char* description = strerrordesc_np(error_number);
    return {
        error_code_of_errno(error_number),
        fmt::format("cannot {}: {}", what, description == nullptr ? "unknown error" : description)
    };
}

}  // namespace nexa
