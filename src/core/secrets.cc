// SPDX-License-Identifier: Apache-2.0
#include "core/secrets.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <ostream>

#include "core/file.h"
#include "core/os_error.h"
#include "core/redact.h"

namespace nexa {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kNameBytesMax = 200;

/// A Secret is never printed, but whoever it was revealed to may put it into a message.
Secret known_to_log(Secret secret) {
    // Refused if it is too short to be looked for, which nothing can be done about.
    static_cast<void>(register_secret(secret.reveal()));
    return secret;
}

Status check_name(std::string_view name) {
    constexpr std::string_view kAllowed =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
    if (name.empty() || name.size() > kNameBytesMax || name.starts_with('.') ||
        name.find_first_not_of(kAllowed) != std::string_view::npos) {
        return Error::invalid_argument(
            "'{}' cannot name a secret: letters, digits, '_', '-' and '.' only",
            name.substr(0, kNameBytesMax)
        );
    }
    return {};
}

std::string in_lower_case(std::string_view name) {
    std::string lower(name);
    std::ranges::transform(lower, lower.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return lower;
}

/// Reads through the descriptor whose mode was checked: the file cannot be swapped in between.
Result<Secret> read_secret_file(std::string_view name, const fs::path& path) {
    const std::string what = fmt::format("read secret '{}' from '{}'", name, path.string());
    const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    struct stat status{};
    if (!fd || fstat(fd.get(), &status) != 0) {
        return os_error(errno, what);
    }
    if (!S_ISREG(status.st_mode)) {
        return Error::invalid_argument("cannot {}: it is not a regular file", what);
    }
    if ((status.st_mode & (S_IROTH | S_IWOTH)) != 0) {
        return Error::permission_denied("cannot {}: everyone may read or write that file", what)
            .hint(fmt::format("chmod 600 {}", path.string()));
    }
    const auto buffer = std::make_unique<std::array<char, kSecretBytesMax + 2>>();
    std::size_t size = 0;
    ssize_t got = 1;
    while (got > 0 && size < buffer->size()) {
        got = ::read(fd.get(), buffer->data() + size, buffer->size() - size);
        if (got < 0 && errno != EINTR) {
            return os_error(errno, what);
        }
        size += static_cast<std::size_t>(std::max<ssize_t>(got, 0));
        got = got < 0 ? 1 : got;
    }
    std::string_view text(buffer->data(), size);
    if (text.ends_with('\n')) {
        text.remove_suffix(text.ends_with("\r\n") ? 2 : 1);
    }
    std::optional<Secret> secret;
    if (!text.empty() && text.size() <= kSecretBytesMax) {
        secret.emplace(text);
    }
    const bool is_empty = text.empty();
    explicit_bzero(buffer->data(), buffer->size());
    if (!secret) {
        return is_empty ? Error::invalid_argument("cannot {}: the file is empty", what)
                        : Error::invalid_argument(
                              "cannot {}: it is larger than {} bytes", what, kSecretBytesMax
                          );
    }
    return known_to_log(std::move(*secret));
}

}  // namespace

Secret::Secret(std::string_view value)
    : bytes_(std::make_unique<char[]>(value.size())), size_(value.size()) {
    std::ranges::copy(value, bytes_.get());
}

Secret& Secret::operator=(Secret&& other) noexcept {
    if (this != &other) {
        wipe();
        bytes_ = std::move(other.bytes_);
        size_ = std::exchange(other.size_, 0);
    }
    return *this;
}

void Secret::wipe() noexcept {
    if (bytes_ != nullptr) {
        explicit_bzero(bytes_.get(), size_);
    }
}

std::ostream& operator<<(std::ostream& out, const Secret& /*secret*/) {
    return out << "[secret]";
}

SecretManager::SecretManager(SecretSources sources) : folders_(std::move(sources.folders)) {
    for (auto& [name, value] : sources.environment) {
        if (!value.empty()) {
            environment_.emplace(name, Secret(value));
            explicit_bzero(value.data(), value.size());
        }
    }
}

Result<Secret> SecretManager::get_secret(std::string_view name) const {
    TRY_STATUS(check_name(name));
    if (const auto found = environment_.find(name); found != environment_.end()) {
        return known_to_log(Secret(found->second.reveal()));
    }
    const std::string file_variable = fmt::format("{}_FILE", name);
    if (const auto found = environment_.find(file_variable); found != environment_.end()) {
        auto secret = read_secret_file(name, fs::path(found->second.reveal()));
        return secret ? std::move(secret) : std::move(secret).error().at(file_variable);
    }
    std::string looked = fmt::format("environment {} and {}", name, file_variable);
    for (const fs::path& folder : folders_) {
        for (const std::string& file : {std::string(name), in_lower_case(name)}) {
            auto secret = read_secret_file(name, folder / file);
            if (secret || secret.error().code != ErrorCode::kNotFound) {
                return secret;
            }
        }
        looked += fmt::format(", folder {}", folder.string());
    }
    return Error::not_found("no secret '{}' in {}", name, looked);
}

}  // namespace nexa
