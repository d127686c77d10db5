// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "core/fields.h"

namespace nexa::protocol {

/// Asks where to put a blob, whose digest is in the path.
struct UploadWish {
    static constexpr std::string_view kName = "UploadWish";
    std::int64_t size = 0;

    static constexpr auto fields() {
        return std::tuple{
            field("size", &UploadWish::size, "Of the blob")
                .within(0, INT64_MAX)
                .unit("bytes")
                .required(),
        };
    }
};

struct UploadHeader {
    static constexpr std::string_view kName = "UploadHeader";
    std::string name;
    std::string value;

    static constexpr auto fields() {
        return std::tuple{
            field("name", &UploadHeader::name, "As it is sent").required(),
            field("value", &UploadHeader::value, "As it is sent").required(),
        };
    }
};

/// Where a blob's bytes are to go. A link needs no key of ours, and must not get one.
struct UploadPlan {
    static constexpr std::string_view kName = "UploadPlan";
    std::string state = "here";
    std::string url;
    std::vector<UploadHeader> headers;

    static constexpr auto fields() {
        return std::tuple{
            field(
                "state",
                &UploadPlan::state,
                "stored: it is there already; here: PUT it to the path without /plan; link: PUT "
                "it to url"
            )
                .one_of({"stored", "here", "link"})
                .required(),
            field("url", &UploadPlan::url, "Of a link: the store's, good for an hour"),
            field("headers", &UploadPlan::headers, "Of a link: to be sent with it, no others"),
        };
    }
};

}  // namespace nexa::protocol
