// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "storage/bucket_storage_internal.h"
#include "storage/xml_tree_internal.h"

// Uploads in parts, which buckets keep until they are completed or given up.

namespace nexa::storage {
namespace {

/// More pages than 10,000 parts, or than anybody's unfinished uploads, can have.
constexpr int kPagesMax = 10'000;

template <class Number>
Result<Number> number_of(std::string_view text) {
    Number value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) {
        return Error::unavailable("the store answered something else than a number");
    }
    return value;
}

std::string completion(std::span<const UploadedPart> parts) {
    std::string body = "<CompleteMultipartUpload>";
    for (const UploadedPart& part : parts) {
        body += fmt::format(
            "<Part><PartNumber>{}</PartNumber><ETag>{}</ETag></Part>",
            part.number,
            xml_escaped(part.tag)
        );
    }
    return body + "</CompleteMultipartUpload>";
}

Status check_order(std::span<const UploadedPart> parts, const std::string& key) {
    int before = 0;
    for (const UploadedPart& part : parts) {
        if (part.number <= before || part.number > kPartsMax) {
            return Error::invalid_argument("the parts of '{}' are not in order", key);
        }
        before = part.number;
    }
    return parts.empty()
               ? Status(Error::invalid_argument("an upload of '{}' without parts cannot end", key))
               : Status();
}

}  // namespace

Result<PartUpload> BucketStorage::begin_upload(std::string_view key) {
    TRY(std::string whole, whole_key(key));
    const StoreRequest request{
        .method = net::Method::kPost,
        .key = std::move(whole),
        .query = {{"uploads", ""}},
        .headers = {{"Content-Type", "application/octet-stream"}},
    };
    // Sent again it begins another one; the first is then found by list_uploads().
    TRY(const auto answer, client_.send(request));
    TRY(const XmlElement root, parse_xml(answer.body));
    PartUpload upload{
        .key = std::string(key),
        .id = std::string(root.text_of("UploadId")),
        .begun_at = client_.options().clock->now(),
    };
    if (upload.id.empty()) {
        return Error::unavailable("the store began an upload without naming it");
    }
    return upload;
}

Result<UploadedPart> BucketStorage::put_part(
    const PartUpload& upload, int number, std::string_view bytes
) {
    if (number < 1 || number > kPartsMax) {
        return Error::invalid_argument("a part's number is 1 to {}, not {}", kPartsMax, number);
    }
    TRY(std::string whole, whole_key(upload.key));
    const StoreRequest request{
        .method = net::Method::kPut,
        .key = std::move(whole),
        .query = {{"partNumber", fmt::to_string(number)}, {"uploadId", upload.id}},
        .headers = {{"Content-Type", "application/octet-stream"}},
        .body = bytes,
    };
    TRY(const auto answer, client_.send(request));
    UploadedPart part{
        .number = number,
        .size = Bytes(static_cast<std::int64_t>(bytes.size())),
        .tag = std::string(answer.headers.get("etag")),
    };
    if (part.tag.empty()) {
        return Error::unavailable("the store took a part without naming it");
    }
    return part;
}

Result<std::vector<UploadedPart>> BucketStorage::list_parts(const PartUpload& upload) {
    TRY(const std::string whole, whole_key(upload.key));
    std::vector<UploadedPart> parts;
    std::string marker;
    for (int page = 0; page < kPagesMax; ++page) {
        StoreRequest request{.key = whole, .query = {{"uploadId", upload.id}}};
        if (!marker.empty()) {
            request.query.emplace_back("part-number-marker", marker);
        }
        TRY(const auto answer, client_.send(request));
        TRY(const XmlElement root, parse_xml(answer.body));
        for (const XmlElement& element : root.children) {
            if (element.name == "Part") {
                TRY(const int number, number_of<int>(element.text_of("PartNumber")));
                TRY(const auto size, number_of<std::int64_t>(element.text_of("Size")));
                parts.push_back(
                    {.number = number,
                     .size = Bytes(size),
                     .tag = std::string(element.text_of("ETag"))}
                );
            }
        }
        marker = root.text_of("NextPartNumberMarker");
        if (root.text_of("IsTruncated") != "true" || marker.empty()) {
            break;
        }
    }
    std::ranges::sort(parts, {}, &UploadedPart::number);
    return parts;
}

Status BucketStorage::complete_upload(
    const PartUpload& upload, std::span<const UploadedPart> parts, const PutOptions& options
) {
    TRY(const std::string whole, whole_key(upload.key));
    TRY_STATUS(check_order(parts, upload.key));
    const std::string body = completion(parts);
    StoreRequest request{
        .method = net::Method::kPost,
        .key = whole,
        .query = {{"uploadId", upload.id}},
        .headers = {{"Content-Type", "application/xml"}},
        .body = body,
    };
    add_condition(request, options);
    bool is_repeated = false;
    const auto answer = client_.send(request, &is_repeated);
    if (!answer) {
        // It may have ended by an attempt whose answer was lost: the tag of such an object tells
        // of how many parts it is.
        const auto head = client_.send({.method = net::Method::kHead, .key = whole});
        const std::string end = fmt::format("-{}\"", parts.size());
        const bool has_ended = is_repeated && answer.error().code == ErrorCode::kNotFound && head &&
                               head->headers.get("etag").ends_with(end);
        return has_ended ? Status() : Status(answer.error());
    }
    // The head of this answer may be sent before the store knows how it ends.
    const auto root = parse_xml(answer->body);
    if (root && root->name == "Error") {
        net::HttpResponse refusal = *answer;
        constexpr int kInternalError = 500;
        refusal.status = kInternalError;
        return store_error(
            refusal, fmt::format("put object '{}'", whole), client_.options().clock->now()
        );
    }
    return {};
}

Status BucketStorage::abort_upload(const PartUpload& upload) {
    TRY(std::string whole, whole_key(upload.key));
    const auto aborted = client_.send(
        {.method = net::Method::kDelete, .key = std::move(whole), .query = {{"uploadId", upload.id}}
        }
    );
    if (!aborted && aborted.error().code != ErrorCode::kNotFound) {
        return aborted.error();
    }
    return {};
}

Result<std::vector<PartUpload>> BucketStorage::list_uploads() {
    std::vector<PartUpload> uploads;
    std::string key_marker;
    std::string id_marker;
    for (int page = 0; page < kPagesMax; ++page) {
        StoreRequest request{.query = {{"uploads", ""}, {"prefix", prefix_}}};
        if (!key_marker.empty()) {
            request.query.emplace_back("key-marker", key_marker);
            request.query.emplace_back("upload-id-marker", id_marker);
        }
        TRY(const auto answer, client_.send(request));
        TRY(const XmlElement root, parse_xml(answer.body));
        for (const XmlElement& element : root.children) {
            const std::string_view key = element.text_of("Key");
            if (element.name == "Upload" && key.starts_with(prefix_)) {
                TRY(const Timestamp begun, parse_rfc3339(element.text_of("Initiated")));
                uploads.push_back(
                    {.key = std::string(key.substr(prefix_.size())),
                     .id = std::string(element.text_of("UploadId")),
                     .begun_at = begun}
                );
            }
        }
        key_marker = root.text_of("NextKeyMarker");
        id_marker = root.text_of("NextUploadIdMarker");
        if (root.text_of("IsTruncated") != "true" || key_marker.empty()) {
            break;
        }
    }
    return uploads;
}

}  // namespace nexa::storage
