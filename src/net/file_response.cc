// SPDX-License-Identifier: Apache-2.0
#include "net/file_response.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

#include "core/file.h"
#include "core/os_error.h"
#include "net/http_date_internal.h"

namespace nexa::net {

namespace {

constexpr std::size_t kPieceBytes = 256 * 1024;

struct OpenFile {
    UniqueFd fd;
    std::uint64_t bytes = 0;
    Timestamp modified;
};

Result<OpenFile> open_file(const std::filesystem::path& path) {
    // Without O_NONBLOCK a FIFO would hold the thread until somebody writes into it.
    UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!fd) {
        return os_error(errno, fmt::format("open '{}'", path.filename().string()));
    }
    struct stat about{};
    if (::fstat(fd.get(), &about) != 0) {
        return os_error(errno, fmt::format("look at '{}'", path.filename().string()));
    }
    if (!S_ISREG(about.st_mode)) {
        return Error::not_found("'{}' is no regular file", path.filename().string());
    }
    const auto since_epoch = std::chrono::seconds(about.st_mtim.tv_sec) +
                             std::chrono::nanoseconds(about.st_mtim.tv_nsec);
    return OpenFile{
        .fd = std::move(fd),
        .bytes = static_cast<std::uint64_t>(about.st_size),
        .modified = Timestamp(std::chrono::duration_cast<std::chrono::microseconds>(since_epoch)),
    };
}

struct ByteRange {
    std::uint64_t first = 0;
    std::uint64_t count = 0;
};

std::optional<std::uint64_t> number_of(std::string_view text) {
    std::uint64_t number = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    if (text.empty() || read.ec != std::errc() || read.ptr != text.data() + text.size()) {
        return std::nullopt;
    }
    return number;
}

/// What a Range field asks of a file: nothing if it is to be ignored; a count of zero if it lies
/// outside.
std::optional<ByteRange> parse_range(std::string_view field, std::uint64_t bytes) {
    if (!field.starts_with("bytes=") || field.find(',') != std::string_view::npos) {
        return std::nullopt;
    }
    field.remove_prefix(6);
    const std::size_t dash = field.find('-');
    if (dash == std::string_view::npos) {
        return std::nullopt;
    }
    const std::string_view first_text = field.substr(0, dash);
    const std::string_view last_text = field.substr(dash + 1);
    const std::optional<std::uint64_t> first = number_of(first_text);
    const std::optional<std::uint64_t> last = number_of(last_text);
    if (first_text.empty() && last) {
        const std::uint64_t count = std::min(*last, bytes);
        return ByteRange{.first = bytes - count, .count = count};
    }
    if (!first || (!last && !last_text.empty()) || (last && *last < *first)) {
        return std::nullopt;
    }
    if (*first >= bytes) {
        return ByteRange{};
    }
    const std::uint64_t end = std::min(last.value_or(bytes - 1), bytes - 1);
    return ByteRange{.first = *first, .count = end - *first + 1};
}

std::string_view without_weakness(std::string_view tag) {
    return tag.starts_with("W/") ? tag.substr(2) : tag;
}

/// If-None-Match: "*" or a list, compared weakly.
bool names_tag(std::string_view list, std::string_view tag) {
    while (!list.empty()) {
        std::string_view one = list.substr(0, list.find(','));
        list.remove_prefix(std::min(list.size(), one.size() + 1));
        while (one.starts_with(' ')) {
            one.remove_prefix(1);
        }
        while (one.ends_with(' ')) {
            one.remove_suffix(1);
        }
        if (one == "*" || without_weakness(one) == without_weakness(tag)) {
            return true;
        }
    }
    return false;
}

bool is_unmodified(const RequestHead& head, std::string_view tag, Timestamp modified) {
    if (const std::string* list = head.headers.find("if-none-match")) {
        return names_tag(*list, tag);
    }
    const auto since = parse_http_date(head.headers.get("if-modified-since"));
    return since && std::chrono::floor<std::chrono::seconds>(modified) <= *since;
}

/// If-Range: whether the range is still one of the same bytes.
bool range_holds(const RequestHead& head, std::string_view tag, Timestamp modified) {
    const std::string* condition = head.headers.find("if-range");
    if (condition == nullptr) {
        return true;
    }
    if (condition->starts_with('"') || condition->starts_with("W/")) {
        return *condition == tag && !tag.starts_with("W/");
    }
    return *condition == to_http_date(modified);
}

class FileSource final : public BodySource {
public:
    FileSource(WorkPool& pool, UniqueFd fd, ByteRange range)
        : pool_(pool), fd_(std::move(fd)), range_(range) {}

    std::optional<std::uint64_t> length() const override { return range_.count; }

    Task<std::string> read() override {
        const std::uint64_t left = range_.count - done_;
        if (left == 0) {
            co_return std::string();
        }
        // A full queue is no reason to break off a download that is half done.
        for (int attempt = 0;; ++attempt) {
            Result<std::string> piece =
                co_await read_piece(std::min<std::uint64_t>(left, kPieceBytes));
            const bool is_busy = !piece && piece.error().code == ErrorCode::kResourceExhausted;
            if (!is_busy || attempt == kAttemptsMax) {
                done_ += piece ? piece->size() : 0;
                co_return piece;
            }
            CO_TRY_STATUS(co_await sleep_for(std::chrono::milliseconds(20)));
        }
    }

private:
    static constexpr int kAttemptsMax = 500;

    Task<std::string> read_piece(std::size_t bytes) {
        const auto offset = static_cast<off_t>(range_.first + done_);
        return run_on(pool_, [fd = fd_.get(), bytes, offset]() -> Result<std::string> {
            std::string piece(bytes, '\0');
            const ssize_t count = ::pread(fd, piece.data(), bytes, offset);
            if (count < 0) {
                return os_error(errno, "read a file that is being sent");
            }
            piece.resize(static_cast<std::size_t>(count));
            return piece;
        });
    }

    WorkPool& pool_;
    const UniqueFd fd_;
    const ByteRange range_;
    std::uint64_t done_ = 0;
};

Headers headers_of(const FileOptions& options, const std::string& tag, Timestamp modified) {
    Headers headers{
        {"content-type", options.content_type},
        {"etag", tag},
        {"last-modified", to_http_date(modified)},
        {"accept-ranges", "bytes"},
        {"x-content-type-options", "nosniff"},
    };
    if (!options.cache_control.empty()) {
        headers.add("cache-control", options.cache_control);
    }
    if (!options.download_name.empty()) {
        headers.add(
            "content-disposition",
            fmt::format("attachment; filename*=UTF-8''{}", percent_encode(options.download_name))
        );
    }
    return headers;
}

}  // namespace

Task<Response> file_response(
    // NOLINTNEXTLINE(cppcoreguidelines-avoid-reference-coroutine-parameters): the server's own
    WorkPool& pool,
    std::filesystem::path path,
    FileOptions options,
    std::shared_ptr<const RequestHead> head
) {
    CO_TRY(OpenFile file, co_await run_on(pool, [path] { return open_file(path); }));
    const std::string tag =
        options.etag.empty()
            ? fmt::format("W/\"{:x}-{:x}\"", file.bytes, file.modified.time_since_epoch().count())
            : options.etag;
    Response response;
    response.headers = headers_of(options, tag, file.modified);
    if (is_unmodified(*head, tag, file.modified)) {
        response.status = 304;
        co_return response;
    }
    ByteRange range{.first = 0, .count = file.bytes};
    const std::string* field = head->headers.find("range");
    if (field != nullptr && head->method == Method::kGet &&
        range_holds(*head, tag, file.modified)) {
        const std::optional<ByteRange> asked = parse_range(*field, file.bytes);
        if (asked && asked->count == 0) {
            HttpError error{
                .error = Error::invalid_argument("the range lies outside of {} bytes", file.bytes)
                             .at("range"),
                .status = 416,
            };
            error.headers.add("content-range", fmt::format("bytes */{}", file.bytes));
            co_return Response::failure(std::move(error));
        }
        if (asked) {
            range = *asked;
            response.status = 206;
            response.headers.add(
                "content-range",
                fmt::format(
                    "bytes {}-{}/{}", range.first, range.first + range.count - 1, file.bytes
                )
            );
        }
    }
    response.body = std::make_shared<FileSource>(pool, std::move(file.fd), range);
    co_return response;
}

}  // namespace nexa::net
