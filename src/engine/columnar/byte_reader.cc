// SPDX-License-Identifier: Apache-2.0
#include "engine/columnar/byte_reader_internal.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>

#include "core/os_error.h"
#include "engine/columnar/source_internal.h"

namespace nexa::columnar::internal {

namespace {

constexpr std::size_t kBufferBytes = std::size_t{1} << 18U;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

}  // namespace

ByteReader::ByteReader(UniqueFd fd, std::string name, std::int64_t size)
    : fd_(std::move(fd)), name_(std::move(name)), size_(size), buffer_(kBufferBytes, '\0') {}

Result<ByteReader> ByteReader::open(const std::filesystem::path& path) {
    UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    struct stat status{};
    if (!fd || ::fstat(fd.get(), &status) != 0) {
        return os_error(errno, fmt::format("open {}", path.string()));
    }
    if (!S_ISREG(status.st_mode)) {
        return Error::invalid_argument("{} is no regular file", path.string());
    }
    return ByteReader(std::move(fd), path.string(), status.st_size);
}

Result<std::string_view> ByteReader::peek() {
    while (begin_ == end_) {
        const ::ssize_t got = ::read(fd_.get(), buffer_.data(), buffer_.size());
        if (got < 0 && errno != EINTR) {
            return os_error(errno, fmt::format("read {}", name_));
        }
        if (got == 0) {
            return std::string_view();
        }
        if (got > 0) {
            begin_ = 0;
            end_ = static_cast<std::size_t>(got);
            const std::string_view fresh(buffer_.data(), end_);
            if (std::exchange(at_start_, false) && fresh.starts_with(kByteOrderMark)) {
                consume(kByteOrderMark.size());
            }
        }
    }
    return std::string_view(buffer_).substr(begin_, end_ - begin_);
}

void ByteReader::consume(std::size_t bytes) {
    begin_ += bytes;
    consumed_ += static_cast<std::int64_t>(bytes);
}

Result<bool> LineReader::next() {
    line_.clear();
    too_long_ = false;
    for (bool any = false;; any = true) {
        TRY(const std::string_view bytes, bytes_.peek());
        if (bytes.empty()) {
            number_ += any ? 1 : 0;
            return any;
        }
        const std::size_t end = std::min(bytes.find('\n'), bytes.size());
        too_long_ = too_long_ || line_.size() + end > kRowBytesMax;
        if (too_long_) {
            line_.clear();
        } else {
            line_.append(bytes.substr(0, end));
        }
        const bool ended = end < bytes.size();
        bytes_.consume(end + (ended ? 1 : 0));
        if (ended) {
            break;
        }
    }
    if (line_.ends_with('\r')) {
        line_.pop_back();
    }
    ++number_;
    return true;
}

}  // namespace nexa::columnar::internal
