// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <iosfwd>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/result.h"

namespace nexa {

/// A value that must not be shown: printing one by fmt or a stream gives "[secret]", and its
/// memory is wiped when it goes. Move-only, so that there is one copy.
class Secret {
public:
    explicit Secret(std::string_view value);
    Secret(Secret&& other) noexcept
        : bytes_(std::move(other.bytes_)), size_(std::exchange(other.size_, 0)) {}
    Secret& operator=(Secret&& other) noexcept;
    ~Secret() { wipe(); }

    /// The value itself, valid as long as this object: for the call that needs it, never for a
    /// message, a log line or an argument of a program.
    std::string_view reveal() const { return {bytes_.get(), size_}; }

    friend std::ostream& operator<<(std::ostream& out, const Secret&);

private:
    void wipe() noexcept;
    std::unique_ptr<char[]> bytes_;
    std::size_t size_ = 0;
};

inline constexpr std::size_t kSecretBytesMax = std::size_t{64} * 1024;

struct SecretSources {
    std::map<std::string, std::string> environment;
    /// Folders with one file per secret, as container platforms mount them; the first that has it
    /// wins. A file is called by the secret's name, or by that in lower case.
    std::vector<std::filesystem::path> folders;
};

/// Finds secrets by name, in this order: environment NAME, the file that environment NAME_FILE
/// names, a file in one of the folders. An empty variable counts as not set.
///
/// Files must not be readable or writable by everyone, are at most kSecretBytesMax long, and lose
/// one line end. What is found is registered with redact.h, so logs do not show it. Each call reads
/// the file anew, so that rotated secrets are seen; it blocks on the disk. Thread-safe.
class SecretManager {
public:
    explicit SecretManager(SecretSources sources);

    /// Errors: kNotFound (the message names the secret and where it was looked for),
    /// kPermissionDenied (everyone may read the file), kInvalidArgument (bad name, file empty or
    /// too large). A source that is there but broken is an error, never skipped.
    Result<Secret> get_secret(std::string_view name) const;

private:
    std::map<std::string, Secret, std::less<>> environment_;
    std::vector<std::filesystem::path> folders_;
};

}  // namespace nexa

template <>
struct fmt::formatter<nexa::Secret> {
    constexpr auto parse(fmt::format_parse_context& context) { return context.begin(); }
    template <class Context>
    auto format(const nexa::Secret&, Context& context) const {
        return fmt::format_to(context.out(), "[secret]");
    }
};
