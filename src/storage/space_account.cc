// SPDX-License-Identifier: Apache-2.0
#include "storage/space_account_internal.h"

#include "core/file.h"

namespace nexa::storage {

Status SpaceAccount::check_quota(std::int64_t used, Bytes size) const {
    // Written so that no sum can overflow.
    if (!quota_ || size.value() <= quota_->value() - used) {
        return {};
    }
    return Error::resource_exhausted(
               "storage quota exceeded: {} of {} bytes are used, {} more are needed",
               used,
               quota_->value(),
               size.value()
    )
        .hint("delete what is no longer needed or raise the quota");
}

Status SpaceAccount::take(Bytes size) {
    std::int64_t used = used_;
    do {
        TRY_STATUS(check_quota(used, size));
    } while (!used_.compare_exchange_weak(used, used + size.value()));
    const Status fits = check_disk(size);
    if (!fits) {
        give_back(size);
    }
    return fits;
}

Status SpaceAccount::check(Bytes size) const {
    TRY_STATUS(check_quota(used_, size));
    return check_disk(size);
}

Status SpaceAccount::check_disk(Bytes size) const {
    TRY(const std::uint64_t available, available_bytes(root_));
    const auto needed =
        static_cast<std::uint64_t>(size.value()) + static_cast<std::uint64_t>(reserve_.value());
    if (available < needed) {
        return Error::unavailable(
                   "disk full: {} bytes are free under '{}', {} are needed and {} stay in reserve",
                   available,
                   root_.native(),
                   size.value(),
                   reserve_.value()
        )
            .hint("free space, then try again");
    }
    return {};
}

}  // namespace nexa::storage
