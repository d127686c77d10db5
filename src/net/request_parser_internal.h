// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/beast/http/basic_parser.hpp>

#include "net/http_types.h"

namespace nexa::net {

struct ParserLimits {
    std::size_t target_bytes_max = 8 * 1024;
    std::size_t head_bytes_max = 32 * 1024;
    std::size_t headers_max = 100;
};

/// Reads one request: first its head as a whole, then its body in pieces. Does no I/O.
///
/// Stricter than Beast where a proxy in front might read the bytes differently: both Content-Length
/// and Transfer-Encoding, a coding other than chunked, folded lines, no or two Host are refused.
class RequestParser final : private boost::beast::http::basic_parser<true> {
public:
    explicit RequestParser(ParserLimits limits);

    /// The size of the head at the start of `bytes`, or nothing if its end has not come yet.
    /// Errors as HttpError: 400, 414, 431.
    struct Framing {
        std::optional<std::size_t> head_bytes;
        std::optional<HttpError> error;
    };
    static Framing frame(std::string_view bytes, const ParserLimits& limits);

    /// Reads a head that frame() has found whole.
    std::optional<HttpError> parse_head(std::string_view head_bytes);

    /// Takes body bytes off `bytes` and appends them, decoded, to `out`, which may grow to
    /// `out_bytes_max`. Returns how many it took; 0 means that it needs more to go on.
    /// Errors: 400, 413.
    std::size_t parse_body(
        std::string_view bytes,
        std::string& out,
        std::uint64_t body_bytes_max,
        std::optional<HttpError>& error
    );

    bool body_done() const { return is_done(); }
    bool has_body() const;
    std::optional<std::uint64_t> content_length() const { return declared_length_; }
    bool keep_alive() const { return basic_parser::keep_alive(); }
    bool is_http_1_0() const { return version_ == 10; }
    RequestHead& head() { return head_; }

private:
    using View = boost::beast::string_view;
    using Code = boost::beast::error_code;
    using Field = boost::beast::http::field;

    void on_request_impl(
        boost::beast::http::verb, View method, View target, int version, Code& code
    ) override;
    void on_response_impl(int, View, int, Code&) override {}
    void on_field_impl(Field, View name, View value, Code& code) override;
    void on_header_impl(Code&) override {}
    void on_body_init_impl(const boost::optional<std::uint64_t>& length, Code&) override;
    std::size_t on_body_impl(View body, Code& code) override;
    void on_chunk_header_impl(std::uint64_t, View, Code&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t remain, View body, Code& code) override;
    void on_finish_impl(Code&) override {}

    std::optional<HttpError> read_target();
    std::optional<HttpError> check_framing() const;

    ParserLimits limits_;
    RequestHead head_;
    std::string target_;
    int version_ = 11;
    bool in_head_ = true;
    std::optional<HttpError> refusal_;
    std::optional<std::uint64_t> declared_length_;
    std::string* body_ = nullptr;
    std::uint64_t body_bytes_ = 0;
    std::uint64_t body_bytes_max_ = 0;
};

/// A refusal with a status of HTTP's own.
HttpError refusal(int status, Error error);

}  // namespace nexa::net
