// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <ctime>
#include <optional>

#include <fmt/format.h>
#include <time.h>

#include "core/utf8.h"
#include "storage/bucket_client_internal.h"
#include "storage/xml_tree_internal.h"

namespace nexa::storage {
namespace {

struct CodeRow {
    std::string_view name;  ///< as the store writes it
    ErrorCode code;
    std::string_view hint;
};

constexpr std::string_view kCheckKeys = "check the store's access key and its secret";

/// Where a name says more than the status does.
constexpr std::array kCodes{
    CodeRow{"NoSuchKey", ErrorCode::kNotFound, ""},
    CodeRow{"NoSuchUpload", ErrorCode::kNotFound, ""},
    CodeRow{"NoSuchBucket", ErrorCode::kInvalidArgument, "make the bucket first"},
    CodeRow{"InvalidBucketName", ErrorCode::kInvalidArgument, ""},
    CodeRow{"PreconditionFailed", ErrorCode::kConflict, ""},
    // Another write of the same key was under way: it may fail, and then ours is the first.
    CodeRow{"ConditionalRequestConflict", ErrorCode::kUnavailable, ""},
    CodeRow{"OperationAborted", ErrorCode::kUnavailable, ""},
    CodeRow{"RequestTimeout", ErrorCode::kUnavailable, ""},
    CodeRow{"SlowDown", ErrorCode::kUnavailable, "the store asks for fewer requests"},
    CodeRow{"InternalError", ErrorCode::kUnavailable, ""},
    CodeRow{"BadDigest", ErrorCode::kDataLoss, ""},
    CodeRow{"XAmzContentSHA256Mismatch", ErrorCode::kDataLoss, ""},
    CodeRow{"XAmzContentChecksumMismatch", ErrorCode::kDataLoss, ""},
    CodeRow{"EntityTooLarge", ErrorCode::kInvalidArgument, ""},
    CodeRow{"EntityTooSmall", ErrorCode::kInvalidArgument, ""},
    CodeRow{"InvalidPart", ErrorCode::kInvalidArgument, ""},
    CodeRow{"InvalidPartOrder", ErrorCode::kInvalidArgument, ""},
    CodeRow{"SignatureDoesNotMatch", ErrorCode::kPermissionDenied, kCheckKeys},
    CodeRow{"InvalidAccessKeyId", ErrorCode::kPermissionDenied, kCheckKeys},
    CodeRow{
        "AccessDenied",
        ErrorCode::kPermissionDenied,
        "the key must be allowed to get, put, list and delete in this bucket"
    },
    CodeRow{
        "ExpiredToken",
        ErrorCode::kPermissionDenied,
        "the temporary credentials are over; set fresh ones"
    },
    CodeRow{"InvalidToken", ErrorCode::kPermissionDenied, kCheckKeys},
    CodeRow{"RequestTimeTooSkewed", ErrorCode::kPermissionDenied, ""},
    CodeRow{"XMinioStorageFull", ErrorCode::kUnavailable, "the store's disk is full"},
};

ErrorCode code_of_status(int status) {
    switch (status) {
        case 401:
        case 403:
            return ErrorCode::kPermissionDenied;
        case 404:
            return ErrorCode::kNotFound;
        case 409:
        case 412:
            return ErrorCode::kConflict;
        case 408:
        case 429:
            return ErrorCode::kUnavailable;
        default:
            // A redirect names a bucket or endpoint of elsewhere; other 4xx are our request's.
            return status >= 500 ? ErrorCode::kUnavailable : ErrorCode::kInvalidArgument;
    }
}

/// The store's clock beside ours, if they are too far apart for signatures.
std::optional<std::string> clock_difference(const net::HttpResponse& refusal, Timestamp now) {
    constexpr std::chrono::minutes kHarmless{5};
    const auto theirs = parse_http_date(std::string(refusal.headers.get("date")));
    if (!theirs || std::chrono::abs(now - *theirs) < kHarmless) {
        return std::nullopt;
    }
    const auto apart = std::chrono::duration_cast<std::chrono::seconds>(now - *theirs).count();
    return fmt::format(
        "this machine's clock is {} s {} the store's, which is too much for signed requests",
        std::abs(apart),
        apart > 0 ? "ahead of" : "behind"
    );
}

std::string region_hint(const net::HttpResponse& refusal, const XmlElement& body) {
    std::string region(refusal.headers.get("x-amz-bucket-region"));
    if (region.empty()) {
        region = body.text_of("Region");
    }
    return region.empty() ? std::string() : fmt::format("the bucket lies in region {}", region);
}

}  // namespace

Result<Timestamp> parse_http_date(const std::string& text) {
    std::tm parts{};
    const char* const end = ::strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    if (end == nullptr || *end != '\0') {
        return Error::malformed("'{}' is no date of HTTP", quotable(text));
    }
    return Timestamp(std::chrono::seconds(::timegm(&parts)));
}

Error store_error(const net::HttpResponse& refusal, std::string_view what, Timestamp now) {
    // A proxy's page is no XML, and the answer to HEAD has no body at all.
    const XmlElement body = parse_xml(refusal.body).value_or(XmlElement());
    const std::string_view name = body.text_of("Code");
    Error error(
        code_of_status(refusal.status),
        fmt::format("cannot {}: the store answered {}", what, refusal.status)
    );
    if (!name.empty()) {
        error.message += fmt::format(" {}: {}", quotable(name), quotable(body.text_of("Message")));
    }
    const auto row = std::ranges::find(kCodes, name, &CodeRow::name);
    if (row != kCodes.end()) {
        error.code = row->code;
        error.advice = row->hint;
    }
    if (error.code == ErrorCode::kPermissionDenied) {
        if (const auto difference = clock_difference(refusal, now)) {
            error.message += fmt::format("; {}", *difference);
            error.advice = "set this machine's clock, by NTP for example";
        }
    }
    const std::string region = region_hint(refusal, body);
    if (!region.empty() && error.advice.empty()) {
        error.advice = region;
    }
    return error;
}

}  // namespace nexa::storage
