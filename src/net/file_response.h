// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "net/http_types.h"
#include "net/pools.h"

namespace nexa::net {

struct FileOptions {
    std::string content_type = "application/octet-stream";
    /// A strong tag with its quotes, e.g. the content's SHA-256. Empty: a weak one of size and
    /// time, which cannot resume a download by If-Range.
    std::string etag = {};
    std::string cache_control = {};
    /// Offered as a download under this name; empty: shown in place.
    std::string download_name = {};
};

/// Answers with a file's bytes: 200, 206 for a single Range, 304 for If-None-Match or
/// If-Modified-Since, 416 for a range outside. Several ranges at once get the whole file. Symbolic
/// links are followed: the caller has decided that `path` may be seen.
///
/// Opens and reads on `pool`, a piece at a time; `pool` outlives the answer. Errors: kNotFound
/// (also for what is no regular file), kPermissionDenied, kResourceExhausted (the pool is busy).
Task<Response> file_response(
    WorkPool& pool,
    std::filesystem::path path,
    FileOptions options,
    std::shared_ptr<const RequestHead> head
);

}  // namespace nexa::net
