// SPDX-License-Identifier: Apache-2.0
#include "storage/storage.h"

#include <array>
#include <filesystem>

#include <fmt/format.h>

#include "core/utf8.h"
#include "crypto/hex.h"
#include "storage/bucket_storage_internal.h"
#include "storage/file_storage_internal.h"

namespace nexa::storage {
namespace {

/// `rest` is what follows "://".
using Opener =
    Result<std::unique_ptr<Storage>> (*)(std::string_view rest, const StorageOptions& options);

struct Scheme {
    std::string_view name;
    Opener open;
};

/// The text with each %XX replaced by its byte.
Result<std::string> percent_decoded(std::string_view text) {
    std::string decoded;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            decoded += text[i];
            continue;
        }
        const auto byte = crypto::from_hex(text.substr(i + 1, 2));
        if (!byte || byte->size() != 1 || *byte == std::string_view("\0", 1)) {
            return Error::invalid_argument("'{}' has a bad percent escape", quotable(text));
        }
        decoded += *byte;
        i += 2;
    }
    return decoded;
}

/// `rest` is what follows "file://": an optional "localhost" and an absolute path.
Result<std::unique_ptr<Storage>> open_file_uri(
    std::string_view rest, const StorageOptions& options
) {
    const std::size_t slash = rest.find('/');
    const std::string_view host = rest.substr(0, slash);
    if (slash == std::string_view::npos || (!host.empty() && host != "localhost")) {
        return Error::invalid_argument(
                   "'file://{}' names no folder of this machine", quotable(rest)
        )
            .hint("write file:///folder, with three slashes");
    }
    TRY(const std::string path, percent_decoded(rest.substr(slash)));
    return FileStorage::open(path, options);
}

constexpr std::array<Scheme, 3> kSchemes{{
    {"file", open_file_uri},
    {"s3", open_amazon_bucket},
    {"gs", open_google_bucket},
}};

}  // namespace

Status Storage::put(std::string_view key, std::string_view bytes, const PutOptions& options) {
    MemorySource source(bytes);
    return put(key, source, options);
}

Result<std::string> Storage::get(std::string_view key, Bytes size_max, const ByteRange& range) {
    std::string bytes;
    const auto limit = static_cast<std::size_t>(size_max.value());
    TRY_STATUS(stream(key, range, [&](std::string_view piece) -> Status {
        if (piece.size() > limit - bytes.size()) {
            return Error::resource_exhausted(
                "object '{}' is larger than the {} bytes asked for", key, limit
            );
        }
        bytes += piece;
        return {};
    }));
    return bytes;
}

Result<ObjectCredentials> find_credentials(const SecretManager& secrets, std::string_view uri) {
    const bool is_google = uri.starts_with("gs://");
    TRY(const Secret id, secrets.get_secret(is_google ? "GCS_HMAC_KEY_ID" : "AWS_ACCESS_KEY_ID"));
    TRY(Secret secret, secrets.get_secret(is_google ? "GCS_HMAC_SECRET" : "AWS_SECRET_ACCESS_KEY"));
    ObjectCredentials found{.key_id = std::string(id.reveal()), .secret = std::move(secret)};
    if (is_google) {
        return found;
    }
    auto token = secrets.get_secret("AWS_SESSION_TOKEN");
    if (token) {
        found.session_token = *std::move(token);
    } else if (token.error().code != ErrorCode::kNotFound) {
        return std::move(token).error();
    }
    return found;
}

Result<std::unique_ptr<Storage>> get_storage(std::string_view uri, const StorageOptions& options) {
    if (uri.empty() || uri.find('\0') != std::string_view::npos) {
        return Error::invalid_argument("the storage location is empty or holds a zero byte");
    }
    const std::size_t colon = uri.find("://");
    if (colon == std::string_view::npos) {
        return FileStorage::open(std::filesystem::path(uri), options);
    }
    const std::string_view name = uri.substr(0, colon);
    for (const Scheme& scheme : kSchemes) {
        if (scheme.name == name) {
            return scheme.open(uri.substr(colon + 3), options);
        }
    }
    std::string known;
    for (const Scheme& scheme : kSchemes) {
        known += fmt::format("{}{}://", known.empty() ? "" : ", ", scheme.name);
    }
    return Error::invalid_argument("no storage backend for '{}://'", quotable(name))
        .hint("this build knows " + known + " and plain paths");
}

}  // namespace nexa::storage
