// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>

#include "net/request_parser_internal.h"

namespace nexa::net {

namespace {

namespace http = boost::beast::http;

std::string_view as_std(boost::beast::string_view view) {
    return {view.data(), view.size()};
}

/// True if a line of the head begins with white space: the folding that RFC 9112 lets us refuse.
bool has_folded_line(std::string_view head) {
    for (std::size_t at = head.find("\r\n"); at != std::string_view::npos;
         at = head.find("\r\n", at + 2)) {
        if (at + 2 < head.size() && (head[at + 2] == ' ' || head[at + 2] == '\t')) {
            return true;
        }
    }
    return false;
}

bool is_printable(std::string_view text) {
    return std::ranges::all_of(text, [](char c) {
        return static_cast<unsigned char>(c) > 0x20 && c != 0x7f;
    });
}

}  // namespace

HttpError refusal(int status, Error error) {
    return {.error = std::move(error), .status = status};
}

RequestParser::RequestParser(ParserLimits limits) : limits_(limits) {
    header_limit(std::numeric_limits<std::uint32_t>::max());  // frame() has counted already
    body_limit(boost::none);
}

RequestParser::Framing RequestParser::frame(std::string_view bytes, const ParserLimits& limits) {
    const std::size_t line_end = bytes.find("\r\n");
    const std::size_t line = std::min(line_end, bytes.size());
    // A method, two spaces and the version fit into 32 bytes beside the target.
    if (line > limits.target_bytes_max + 32) {
        return {
            .head_bytes = {},
            .error = refusal(
                414, Error::malformed("the request line is over {} bytes", limits.target_bytes_max)
            )
        };
    }
    const std::size_t end = bytes.find("\r\n\r\n");
    const std::size_t head = end == std::string_view::npos ? bytes.size() : end + 4;
    if (head > limits.head_bytes_max) {
        return {
            .head_bytes = {},
            .error = refusal(
                431, Error::malformed("the header fields are over {} bytes", limits.head_bytes_max)
            )
        };
    }
    if (end == std::string_view::npos) {
        return {};
    }
    if (has_folded_line(bytes.substr(0, end))) {
        return {
            .head_bytes = {},
            .error = refusal(400, Error::malformed("a header field is folded over lines"))
        };
    }
    return {.head_bytes = head, .error = {}};
}

std::optional<HttpError> RequestParser::parse_head(std::string_view head_bytes) {
    Code code;
    put(asio::buffer(head_bytes.data(), head_bytes.size()), code);
    in_head_ = false;
    if (refusal_) {
        return refusal_;
    }
    if (code == http::error::bad_version) {
        return refusal(505, Error::malformed("only HTTP/1.1 and HTTP/1.0 are spoken here"));
    }
    if (code || !is_header_done()) {
        return refusal(
            400,
            Error::malformed("the request cannot be parsed: {}", code ? code.message() : "short")
        );
    }
    eager(true);
    if (auto error = check_framing()) {
        return error;
    }
    return read_target();
}

std::optional<HttpError> RequestParser::check_framing() const {
    const Headers& headers = head_.headers;
    const std::size_t codings = headers.count("transfer-encoding");
    if (codings > 0 && (headers.count("content-length") > 0 || is_http_1_0())) {
        return refusal(400, Error::malformed("the length of the body is ambiguous"));
    }
    if (codings > 1 ||
        (codings == 1 && !equals_ignoring_case(headers.get("transfer-encoding"), "chunked"))) {
        return refusal(400, Error::malformed("the only transfer coding taken is chunked"));
    }
    const std::size_t lengths = headers.count("content-length");
    if (lengths > 1 || (lengths == 1 && !declared_length_)) {
        return refusal(400, Error::malformed("the length of the body is not one number"));
    }
    if (headers.count("host") > 1 || (headers.count("host") == 0 && !is_http_1_0())) {
        return refusal(400, Error::malformed("a request has exactly one Host field"));
    }
    return std::nullopt;
}

std::optional<HttpError> RequestParser::read_target() {
    if (target_.size() > limits_.target_bytes_max) {
        return refusal(
            414, Error::malformed("the target is over {} bytes", limits_.target_bytes_max)
        );
    }
    if (!is_printable(target_)) {
        return refusal(400, Error::malformed("the target has a control character or a space"));
    }
    std::string_view target = target_;
    for (const std::string_view scheme : {"http://", "https://"}) {
        if (target.size() >= scheme.size() &&
            equals_ignoring_case(target.substr(0, scheme.size()), scheme)) {
            const std::size_t path = target.find('/', scheme.size());
            target = path == std::string_view::npos ? "/" : target.substr(path);
        }
    }
    const bool is_asterisk = target == "*" && head_.method == Method::kOptions;
    if (!target.starts_with('/') && !is_asterisk) {
        return refusal(400, Error::malformed("the target is no path"));
    }
    target = target.substr(0, target.find('#'));
    const std::size_t question = target.find('?');
    head_.path = target.substr(0, question);
    if (question != std::string_view::npos) {
        Result<Query> query = parse_query(target.substr(question + 1));
        if (!query) {
            return refusal(400, query.error());
        }
        head_.query = std::move(*query);
    }
    return std::nullopt;
}

bool RequestParser::has_body() const {
    return chunked() || declared_length_.value_or(0) > 0;
}

std::size_t RequestParser::parse_body(
    std::string_view bytes,
    std::string& out,
    std::uint64_t body_bytes_max,
    std::optional<HttpError>& error
) {
    body_ = &out;
    body_bytes_max_ = body_bytes_max;
    Code code;
    const std::size_t taken = put(asio::buffer(bytes.data(), bytes.size()), code);
    body_ = nullptr;
    if (code == http::error::body_limit) {
        error = refusal(413, Error::invalid_argument("the body is over {} bytes", body_bytes_max));
    } else if (code && code != http::error::need_more) {
        error = refusal(400, Error::malformed("the body cannot be parsed: {}", code.message()));
    }
    return taken;
}

void RequestParser::on_request_impl(http::verb, View method, View target, int version, Code& code) {
    version_ = version;
    if (version != 10 && version != 11) {
        code = http::error::bad_version;
        return;
    }
    head_.method_text = as_std(method);
    head_.method = method_from(head_.method_text);
    target_ = as_std(target);
}

void RequestParser::on_field_impl(Field, View name, View value, Code& code) {
    // Trailers are read for framing and dropped: nobody may change a header after the checks.
    if (!in_head_) {
        return;
    }
    if (head_.headers.size() == limits_.headers_max) {
        refusal_ = refusal(
            431, Error::malformed("there are more than {} header fields", limits_.headers_max)
        );
        code = http::error::header_limit;
        return;
    }
    head_.headers.add(std::string(as_std(name)), std::string(as_std(value)));
    if (equals_ignoring_case(as_std(name), "content-length")) {
        std::uint64_t length = 0;
        const std::string_view text = as_std(value);
        const auto read = std::from_chars(text.data(), text.data() + text.size(), length);
        if (read.ec == std::errc() && read.ptr == text.data() + text.size()) {
            declared_length_ = length;
        }
    }
}

void RequestParser::on_body_init_impl(const boost::optional<std::uint64_t>&, Code&) {}

std::size_t RequestParser::on_body_impl(View body, Code& code) {
    if (body.size() > body_bytes_max_ - body_bytes_) {
        code = http::error::body_limit;
        return 0;
    }
    body_bytes_ += body.size();
    body_->append(body.data(), body.size());
    return body.size();
}

std::size_t RequestParser::on_chunk_body_impl(std::uint64_t, View body, Code& code) {
    return on_body_impl(body, code);
}

}  // namespace nexa::net
