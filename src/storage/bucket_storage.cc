// SPDX-License-Identifier: Apache-2.0
#include "storage/bucket_storage_internal.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

#include "core/check.h"
#include "core/sha256.h"
#include "crypto/base64.h"
#include "crypto/hex.h"
#include "net/url.h"
#include "storage/xml_tree_internal.h"

namespace nexa::storage {
namespace {

constexpr int kNotImplemented = 501;
/// A list answers a thousand keys at a time; no bucket has more pages than this.
constexpr int kPagesMax = 1'000'000'000;

std::string checksum_of(const Sha256Digest& digest) {
    return crypto::to_base64(
        {reinterpret_cast<const char*>(digest.bytes.data()), digest.bytes.size()}
    );
}

std::int64_t integer_of(std::string_view text) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size() ? value : -1;
}

/// A key of a list, as it is: "url" says that '+' is a space and %XX a byte.
Result<std::string> listed_key(std::string_view text, bool is_escaped) {
    if (!is_escaped) {
        return std::string(text);
    }
    std::string key;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%') {
            TRY(const std::string byte, crypto::from_hex(text.substr(i + 1, 2)));
            key += byte;
            i += 2;
        } else {
            key += text[i] == '+' ? ' ' : text[i];
        }
    }
    return key;
}

/// Reads to the end or until `size` bytes are there.
Result<std::string> read_up_to(ByteSource& source, std::size_t size) {
    constexpr std::size_t kStep = std::size_t{1} << 20U;
    std::string bytes;
    std::size_t filled = 0;
    while (filled < size) {
        bytes.resize(std::min(size, filled + kStep));
        TRY(const std::size_t got, source.read(std::span(bytes).subspan(filled)));
        if (got == 0) {
            break;
        }
        filled += got;
    }
    bytes.resize(filled);
    return bytes;
}

}  // namespace

BucketStorage::BucketStorage(BucketPlace place, std::string prefix, BucketOptions options)
    : client_(std::move(place), std::move(options)),
      prefix_(std::move(prefix)),
      takes_checksums_(is_amazon()) {}

Result<std::string> BucketStorage::whole_key(std::string_view key) const {
    TRY_STATUS(check_key(key));
    std::string whole = prefix_ + std::string(key);
    if (whole.size() > kKeyBytesMax) {
        return Error::invalid_argument(
            "with its prefix the key has {} bytes, more than the {} allowed",
            whole.size(),
            kKeyBytesMax
        );
    }
    return whole;
}

void BucketStorage::add_condition(StoreRequest& request, const PutOptions& options) const {
    if (!options.only_if_absent) {
        return;
    }
    if (is_amazon()) {
        request.headers.emplace_back("If-None-Match", "*");
    } else {
        request.headers.emplace_back("x-goog-if-generation-match", "0");
    }
}

Status BucketStorage::put(std::string_view key, ByteSource& source, const PutOptions& options) {
    TRY(const std::string whole, whole_key(key));
    const auto part_size = static_cast<std::size_t>(client_.options().part_size.value());
    TRY(std::string first, read_up_to(source, part_size));
    if (first.size() < part_size) {
        return put_whole(whole, first, options);
    }
    return put_in_parts(key, std::move(first), source, options);
}

Status BucketStorage::put_whole(
    const std::string& key, std::string_view bytes, const PutOptions& options
) {
    const Sha256Digest digest = nexa::sha256(bytes);
    while (true) {
        const bool with_checksum = takes_checksums_;
        StoreRequest request{.method = net::Method::kPut, .key = key, .body = bytes};
        request.headers.emplace_back("Content-Type", "application/octet-stream");
        if (with_checksum) {
            request.headers.emplace_back("x-amz-checksum-sha256", checksum_of(digest));
        }
        add_condition(request, options);
        bool is_repeated = false;
        const auto stored = client_.send(request, &is_repeated);
        if (stored) {
            return {};
        }
        if (with_checksum && stored.error().message.find(fmt::format("answered {}", kNotImplemented)
                             ) != std::string::npos) {
            // Some stores know no checksums; the signature covers the body's hash all the same.
            takes_checksums_ = false;
            continue;
        }
        if (is_repeated && stored.error().code == ErrorCode::kConflict && is_there(key, digest)) {
            return {};
        }
        return stored.error();
    }
}

bool BucketStorage::is_there(const std::string& key, const Sha256Digest& digest) {
    const auto head = client_.send(
        {.method = net::Method::kHead, .key = key, .headers = {{"x-amz-checksum-mode", "ENABLED"}}}
    );
    return head && head->headers.get("x-amz-checksum-sha256") == checksum_of(digest);
}

Status BucketStorage::put_in_parts(
    std::string_view key, std::string first, ByteSource& source, const PutOptions& options
) {
    TRY(const PartUpload upload, begin_upload(key));
    const auto send_all = [&]() -> Status {
        std::vector<UploadedPart> parts;
        std::size_t part_size = first.size();
        std::string bytes = std::move(first);
        while (!bytes.empty()) {
            const int number = static_cast<int>(parts.size()) + 1;
            if (number > kPartsMax) {
                return Error::invalid_argument(
                    "'{}' is larger than {} parts can hold", key, kPartsMax
                );
            }
            TRY(UploadedPart part, put_part(upload, number, bytes));
            parts.push_back(std::move(part));
            // Ten steps of a thousand parts, each larger: 16 MiB to begin with hold 1.9 TiB.
            constexpr int kStep = 1'000;
            part_size += number % kStep == 0 && number >= 2 * kStep ? part_size / 2 : 0;
            TRY(bytes, read_up_to(source, part_size));
        }
        return complete_upload(upload, parts, options);
    };
    Status sent = send_all();
    if (!sent) {
        // What cannot be given up now is found by list_uploads().
        static_cast<void>(abort_upload(upload));
    }
    return sent;
}

Status BucketStorage::stream(std::string_view key, const ByteRange& range, const ByteSink& sink) {
    TRY(const std::string whole, whole_key(key));
    return client_.download(whole, range, sink);
}

Result<ObjectInfo> BucketStorage::stat(std::string_view key) {
    TRY(const std::string whole, whole_key(key));
    const auto head = client_.send({.method = net::Method::kHead, .key = whole});
    if (!head && head.error().code == ErrorCode::kNotFound) {
        return Error::not_found("no object '{}'", key);
    }
    TRY_STATUS(head);
    const std::int64_t size = integer_of(head->headers.get("content-length"));
    if (size < 0) {
        return Error::unavailable("the store does not say how large object '{}' is", key);
    }
    TRY(const Timestamp modified, parse_http_date(std::string(head->headers.get("last-modified"))));
    return ObjectInfo{.key = std::string(key), .size = Bytes(size), .modified_at = modified};
}

Status BucketStorage::list(
    std::string_view prefix, const std::function<bool(const ObjectInfo&)>& visit
) {
    // Stores refuse what no key of ours begins with, such as "../".
    const std::size_t slash = prefix.rfind('/');
    if (slash != std::string_view::npos && !check_key(prefix.substr(0, slash))) {
        return {};
    }
    StoreRequest request;
    std::string token;
    for (int page = 0; page < kPagesMax; ++page) {
        request.query = {
            {"list-type", "2"}, {"encoding-type", "url"}, {"prefix", prefix_ + std::string(prefix)}
        };
        if (!token.empty()) {
            request.query.emplace_back("continuation-token", token);
        }
        TRY(const auto answer, client_.send(request));
        TRY(const XmlElement root, parse_xml(answer.body));
        const bool is_escaped = root.text_of("EncodingType") == "url";
        for (const XmlElement& element : root.children) {
            if (element.name != "Contents") {
                continue;
            }
            TRY(std::string key, listed_key(element.text_of("Key"), is_escaped));
            if (!key.starts_with(prefix_)) {
                return Error::unavailable("the store lists '{}', which was not asked for", key);
            }
            key.erase(0, prefix_.size());
            const std::int64_t size = integer_of(element.text_of("Size"));
            // Others may keep in the bucket what we could never name, such as "folder/".
            if (!check_key(key) || size < 0) {
                continue;
            }
            TRY(const Timestamp modified, parse_rfc3339(element.text_of("LastModified")));
            if (!visit({.key = std::move(key), .size = Bytes(size), .modified_at = modified})) {
                return {};
            }
        }
        token = root.text_of("NextContinuationToken");
        if (root.text_of("IsTruncated") != "true" || token.empty()) {
            return {};
        }
    }
    return Error::resource_exhausted("the store's list does not end");
}

Status BucketStorage::remove(std::string_view key) {
    TRY(const std::string whole, whole_key(key));
    const auto removed = client_.send({.method = net::Method::kDelete, .key = whole});
    if (!removed && removed.error().code != ErrorCode::kNotFound) {
        return removed.error();
    }
    return {};
}

Result<PresignedRequest> BucketStorage::presign(const GetLink& link) {
    TRY(std::string whole, whole_key(link.key));
    StoreRequest request{.key = std::move(whole)};
    if (!link.content_disposition.empty()) {
        request.query.emplace_back("response-content-disposition", link.content_disposition);
    }
    return client_.presign(std::move(request), link.expires);
}

Result<PresignedRequest> BucketStorage::presign(const PutLink& link) {
    TRY(std::string whole, whole_key(link.key));
    StoreRequest request{.method = net::Method::kPut, .key = std::move(whole)};
    if (link.content) {
        TRY(const bool checks, checks_content());
        if (!checks) {
            return Error::invalid_argument(
                "this store does not check what is put by a link, so none can be given for certain "
                "bytes alone"
            );
        }
        request.headers.emplace_back("x-amz-checksum-sha256", checksum_of(*link.content));
    }
    return client_.presign(std::move(request), link.expires);
}

Result<bool> BucketStorage::checks_content() {
    if (!is_amazon()) {
        return false;
    }
    Checking known = checking_;
    if (known == Checking::kUnknown) {
        TRY(const bool checks, ask_whether_it_checks());
        known = checks ? Checking::kYes : Checking::kNo;
        checking_ = known;
    }
    return known == Checking::kYes;
}

Result<bool> BucketStorage::ask_whether_it_checks() {
    const std::string key =
        fmt::format("{}.nexa-probe/{:016x}", prefix_, client_.options().random->next());
    StoreRequest request{.method = net::Method::kPut, .key = key, .body = "other"};
    request.headers.emplace_back("x-amz-checksum-sha256", checksum_of(nexa::sha256("one")));
    TRY(const auto wrong, client_.send_presigned(request));
    if (wrong.is_success()) {
        TRY_STATUS(client_.send({.method = net::Method::kDelete, .key = key}));
        return false;
    }
    // A store that refuses such links altogether checks nothing either.
    request.body = "one";
    TRY(const auto right, client_.send_presigned(request));
    if (!right.is_success()) {
        return false;
    }
    TRY_STATUS(client_.send({.method = net::Method::kDelete, .key = key}));
    return true;
}

std::string BucketStorage::uri() const {
    std::string uri = fmt::format("{}://{}", is_amazon() ? "s3" : "gs", client_.place().name);
    if (!prefix_.empty()) {
        uri += "/" + prefix_.substr(0, prefix_.size() - 1);
    }
    return uri;
}

namespace {

/// 3 to 63 lower-case letters, digits, hyphens and dots, beginning and ending with a letter or
/// digit; Google allows underscores too.
bool is_bucket_name(std::string_view name, bool with_underscores) {
    const auto is_plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
    return name.size() >= 3 && name.size() <= 63 && is_plain(name.front()) &&
           is_plain(name.back()) && name.find("..") == std::string_view::npos &&
           std::ranges::all_of(name, [&](char c) {
               return is_plain(c) || c == '-' || c == '.' || (with_underscores && c == '_');
           });
}

Result<std::unique_ptr<Storage>> open_bucket(
    std::string_view rest, BucketOptions options, SigningScope scope, std::string_view own_endpoint
) {
    const bool is_google = scope.dialect == SigningDialect::kGoogle;
    const std::size_t slash = std::min(rest.find('/'), rest.size());
    BucketPlace place{.name = std::string(rest.substr(0, slash)), .scope = std::move(scope)};
    if (!is_bucket_name(place.name, is_google)) {
        return Error::invalid_argument("no bucket can be called '{}'", place.name);
    }
    std::string_view prefix = rest.substr(std::min(slash + 1, rest.size()));
    while (prefix.ends_with('/')) {
        prefix.remove_suffix(1);
    }
    if (!prefix.empty()) {
        TRY_STATUS(check_key(prefix));
    }
    if (!options.credentials || options.clock == nullptr) {
        return Error::invalid_argument("a bucket needs credentials");
    }
    if (options.part_size < kPartBytesMin) {
        return Error::invalid_argument("parts of a bucket's objects have 5 MiB or more");
    }
    TRY_STATUS(options.credentials());
    const bool is_own = options.endpoint.empty();
    TRY(place.endpoint, Endpoint::parse(is_own ? own_endpoint : options.endpoint));
    place.public_endpoint = place.endpoint;
    if (!options.public_endpoint.empty()) {
        TRY(place.public_endpoint, Endpoint::parse(options.public_endpoint));
    }
    // A certificate for *.host does not cover a name with dots before it.
    const bool fits_host = is_own && !is_google && place.name.find('.') == std::string::npos;
    place.is_in_host =
        options.style == BucketStyle::kHost || (options.style == BucketStyle::kAuto && fits_host);
    return std::make_unique<BucketStorage>(
        std::move(place),
        prefix.empty() ? std::string() : std::string(prefix) + "/",
        std::move(options)
    );
}

}  // namespace

Result<std::unique_ptr<Storage>> open_amazon_bucket(
    std::string_view rest, const StorageOptions& options
) {
    const std::string& wish = options.bucket.region;
    const std::string region = wish.empty() ? "us-east-1" : wish;
    return open_bucket(
        rest,
        options.bucket,
        {.dialect = SigningDialect::kAmazon, .region = region, .service = "s3"},
        fmt::format("https://s3.{}.amazonaws.com", region)
    );
}

Result<std::unique_ptr<Storage>> open_google_bucket(
    std::string_view rest, const StorageOptions& options
) {
    const std::string& wish = options.bucket.region;
    return open_bucket(
        rest,
        options.bucket,
        {.dialect = SigningDialect::kGoogle,
         .region = wish.empty() ? "auto" : wish,
         .service = "storage"},
        "https://storage.googleapis.com"
    );
}

}  // namespace nexa::storage
