// SPDX-License-Identifier: Apache-2.0
#include "storage/sigv4.h"

#include <algorithm>
#include <cctype>
#include <map>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "core/sha256.h"
#include "core/trim.h"
#include "crypto/hex.h"
#include "crypto/hmac.h"

namespace nexa::storage {
namespace {

/// The words in which the two dialects differ.
struct Words {
    std::string_view algorithm;
    std::string_view key_prefix;
    std::string_view terminator;
    std::string_view header_prefix;
    std::string_view query_prefix;
};

const Words& words_of(SigningDialect dialect) {
    static constexpr Words kAmazon{"AWS4-HMAC-SHA256", "AWS4", "aws4_request", "x-amz-", "X-Amz-"};
    static constexpr Words kGoogle{
        "GOOG4-HMAC-SHA256", "GOOG4", "goog4_request", "x-goog-", "X-Goog-"
    };
    return dialect == SigningDialect::kAmazon ? kAmazon : kGoogle;
}

std::string escaped(std::string_view text, std::string_view also_plain) {
    constexpr std::string_view kPlain =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    std::string out;
    out.reserve(text.size());
    for (const char c : text) {
        if (kPlain.find(c) != std::string_view::npos ||
            also_plain.find(c) != std::string_view::npos) {
            out += c;
        } else {
            out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
        }
    }
    return out;
}

std::string lower(std::string_view text) {
    std::string out(text);
    std::ranges::transform(out, out.begin(), [](unsigned char c) {
        return c < 0x80 ? static_cast<char>(std::tolower(c)) : static_cast<char>(c);
    });
    return out;
}

/// Runs of spaces count as one.
std::string squeezed(std::string_view value) {
    std::string out;
    for (const char c : trimmed(value)) {
        if (c != ' ' || !out.ends_with(' ')) {
            out += c;
        }
    }
    return out;
}

/// Names in lower case, sorted, with Host among them; values of one name joined by commas.
std::map<std::string, std::string> canonical_headers(const SignableRequest& request) {
    std::map<std::string, std::string> joined{{"host", request.host}};
    for (const auto& [name, value] : request.headers) {
        const auto [place, is_first] = joined.try_emplace(lower(name), squeezed(value));
        if (!is_first) {
            place->second += "," + squeezed(value);
        }
    }
    return joined;
}

std::string signed_names(const SignableRequest& request) {
    std::string names;
    for (const auto& [name, value] : canonical_headers(request)) {
        names += (names.empty() ? "" : ";") + name;
    }
    return names;
}

std::string hex_sha256(std::string_view bytes) {
    return nexa::sha256(bytes).hex();
}

std::string basic_date(Timestamp now) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(now);
    return fmt::format("{:%Y%m%dT%H%M%SZ}", fmt::gmtime(seconds.time_since_epoch().count()));
}

std::string scope_text(const SigningScope& scope, std::string_view date) {
    return fmt::format(
        "{}/{}/{}/{}",
        date.substr(0, 8),
        scope.region,
        scope.service,
        words_of(scope.dialect).terminator
    );
}

}  // namespace

std::string escaped_path(std::string_view path) {
    return escaped(path, "/");
}

std::string canonical_query(const NameValues& query) {
    NameValues parts;
    for (const auto& [name, value] : query) {
        parts.emplace_back(escaped(name, ""), escaped(value, ""));
    }
    std::ranges::sort(parts);
    std::string text;
    for (const auto& [name, value] : parts) {
        text += fmt::format("{}{}={}", text.empty() ? "" : "&", name, value);
    }
    return text;
}

std::string canonical_request(const SignableRequest& request) {
    std::string headers;
    for (const auto& [name, value] : canonical_headers(request)) {
        headers += fmt::format("{}:{}\n", name, value);
    }
    return fmt::format(
        "{}\n{}\n{}\n{}\n{}\n{}",
        request.method,
        escaped_path(request.path),
        canonical_query(request.query),
        headers,
        signed_names(request),
        request.payload_hash
    );
}

std::string signature_of(
    const SignableRequest& request,
    const SigningScope& scope,
    const ObjectCredentials& credentials,
    Timestamp now
) {
    const Words& words = words_of(scope.dialect);
    const std::string date = basic_date(now);
    const std::string to_sign = fmt::format(
        "{}\n{}\n{}\n{}",
        words.algorithm,
        date,
        scope_text(scope, date),
        hex_sha256(canonical_request(request))
    );
    // Held in a Secret so that it is wiped: it opens as much as the secret itself does.
    const Secret first(fmt::format("{}{}", words.key_prefix, credentials.secret.reveal()));
    Secret key(crypto::hmac_sha256(first.reveal(), std::string_view(date).substr(0, 8)));
    for (const std::string_view part :
         {std::string_view(scope.region), std::string_view(scope.service), words.terminator}) {
        key = Secret(crypto::hmac_sha256(key.reveal(), part));
    }
    return crypto::to_hex(crypto::hmac_sha256(key.reveal(), to_sign));
}

void sign(
    SignableRequest& request,
    const SigningScope& scope,
    const ObjectCredentials& credentials,
    Timestamp now
) {
    const Words& words = words_of(scope.dialect);
    const std::string date = basic_date(now);
    const std::string prefix(words.header_prefix);
    request.headers.emplace_back(prefix + "date", date);
    request.headers.emplace_back(prefix + "content-sha256", request.payload_hash);
    if (!credentials.session_token.reveal().empty()) {
        request.headers.emplace_back(
            prefix + "security-token", std::string(credentials.session_token.reveal())
        );
    }
    std::string authorization = fmt::format(
        "{} Credential={}/{},SignedHeaders={},Signature={}",
        words.algorithm,
        credentials.key_id,
        scope_text(scope, date),
        signed_names(request),
        signature_of(request, scope, credentials, now)
    );
    request.headers.emplace_back("Authorization", std::move(authorization));
}

std::string presigned_query(
    SignableRequest request,
    const SigningScope& scope,
    const ObjectCredentials& credentials,
    Timestamp now,
    std::chrono::seconds expires
) {
    const Words& words = words_of(scope.dialect);
    const std::string date = basic_date(now);
    const std::string prefix(words.query_prefix);
    request.query.emplace_back(prefix + "Algorithm", words.algorithm);
    request.query.emplace_back(
        prefix + "Credential", fmt::format("{}/{}", credentials.key_id, scope_text(scope, date))
    );
    request.query.emplace_back(prefix + "Date", date);
    request.query.emplace_back(prefix + "Expires", fmt::to_string(expires.count()));
    request.query.emplace_back(prefix + "SignedHeaders", signed_names(request));
    if (!credentials.session_token.reveal().empty()) {
        request.query.emplace_back(
            prefix + "Security-Token", std::string(credentials.session_token.reveal())
        );
    }
    request.payload_hash = kUnsignedPayload;
    return fmt::format(
        "{}&{}Signature={}",
        canonical_query(request.query),
        prefix,
        signature_of(request, scope, credentials, now)
    );
}

}  // namespace nexa::storage
