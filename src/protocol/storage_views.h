// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>
#include <tuple>

#include "core/fields.h"

namespace nexa::protocol {

/// The bytes that a server keeps, of all projects together; each file counts once.
struct StorageView {
    static constexpr std::string_view kName = "StorageView";
    std::int64_t blobs = 0;
    std::int64_t bytes = 0;
    std::int64_t unused_blobs = 0;
    std::int64_t unused_bytes = 0;
    std::int64_t collectable_blobs = 0;
    std::int64_t collectable_bytes = 0;

    static constexpr auto fields() {
        return std::tuple{
            field("blobs", &StorageView::blobs, "Files").required(),
            field("bytes", &StorageView::bytes, "Their size").unit("bytes").required(),
            field("unused_blobs", &StorageView::unused_blobs, "Files that no artifact names")
                .required(),
            field("unused_bytes", &StorageView::unused_bytes, "Their size")
                .unit("bytes")
                .required(),
            field(
                "collectable_blobs",
                &StorageView::collectable_blobs,
                "Those of them that have been so for storage.keep_unused_hours, and go next"
            )
                .required(),
            field("collectable_bytes", &StorageView::collectable_bytes, "Their size")
                .unit("bytes")
                .required(),
        };
    }
};

struct CollectedView {
    static constexpr std::string_view kName = "CollectedView";
    std::int64_t blobs = 0;
    std::int64_t bytes = 0;

    static constexpr auto fields() {
        return std::tuple{
            field("blobs", &CollectedView::blobs, "Files that were removed").required(),
            field("bytes", &CollectedView::bytes, "Their size").unit("bytes").required(),
        };
    }
};

}  // namespace nexa::protocol
