// SPDX-License-Identifier: Apache-2.0
#include "worker/log_part.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "core/file.h"
#include "core/utf8.h"

namespace nexa::worker {

namespace {

constexpr std::size_t kUtf8BytesMax = 4;

bool may_be_cut(std::string_view rest) {
    constexpr unsigned char kFirstLead = 0xC2;
    constexpr unsigned char kLastLead = 0xF4;
    const auto lead = static_cast<unsigned char>(rest.front());
    return rest.size() < kUtf8BytesMax && lead >= kFirstLead && lead <= kLastLead;
}

}  // namespace

std::string clean_log_text(std::string_view bytes, bool is_last) {
    std::string text;
    text.reserve(bytes.size());
    while (!bytes.empty()) {
        const std::size_t step = utf8_step(bytes);
        if (step == 0 && !is_last && may_be_cut(bytes)) {
            break;
        }
        const bool is_bad = step == 0 || bytes.front() == '\0';
        text += is_bad ? std::string_view("?") : bytes.substr(0, step);
        bytes.remove_prefix(is_bad ? 1 : step);
    }
    return text;
}

Result<std::string> read_log_part(
    const std::filesystem::path& path, std::int64_t offset, std::size_t bytes_max, bool is_last
) {
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!fd) {
        return Error::unavailable(
            "cannot open log {}: {}", path.native(), std::generic_category().message(errno)
        );
    }
    std::string bytes(bytes_max, '\0');
    std::size_t filled = 0;
    while (filled < bytes.size()) {
        const ssize_t got = ::pread(
            fd.get(),
            bytes.data() + filled,
            bytes.size() - filled,
            offset + static_cast<std::int64_t>(filled)
        );
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return Error::unavailable(
                "cannot read log {}: {}", path.native(), std::generic_category().message(errno)
            );
        }
        if (got == 0) {
            break;
        }
        filled += static_cast<std::size_t>(got);
    }
    const bool reached_end = filled < bytes.size();
    bytes.resize(filled);
    return clean_log_text(bytes, is_last && reached_end);
}

}  // namespace nexa::worker
