// SPDX-License-Identifier: Apache-2.0
#include "core/ids.h"

#include <algorithm>
#include <array>

#include "core/utf8.h"

namespace nexa {

namespace {

constexpr std::size_t kRestBytesMax = 64;
constexpr std::uint64_t kMillisecondsMask = (std::uint64_t{1} << 48) - 1;
constexpr std::uint64_t kHighMask = (std::uint64_t{1} << 12) - 1;
constexpr std::uint64_t kLowMask = (std::uint64_t{1} << 62) - 1;

constexpr std::array<std::string_view, 4> kArtifactPrefixes{
    DatasetId::kPrefix,
    CheckpointId::kPrefix,
    EvalId::kPrefix,
    DeploymentId::kPrefix,
};

bool may_stand_in_an_id(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
}

std::string wanted(std::span<const std::string_view> prefixes) {
    std::string list;
    for (const std::string_view prefix : prefixes) {
        list += fmt::format("{}'{}'", list.empty() ? "" : " or ", prefix);
    }
    return list;
}

}  // namespace

Status internal::check_id(std::string_view text, std::span<const std::string_view> prefixes) {
    const auto prefix = std::ranges::find_if(prefixes, [text](std::string_view candidate) {
        return text.starts_with(candidate);
    });
    if (prefix == prefixes.end()) {
        return Error::invalid_argument(
            "id '{}' does not start with {}", quotable(text), wanted(prefixes)
        );
    }
    const std::string_view rest = text.substr(prefix->size());
    if (rest.empty() || rest.size() > kRestBytesMax) {
        return Error::invalid_argument(
            "id '{}' has {} characters behind '{}', 1 to {} are allowed",
            quotable(text),
            rest.size(),
            *prefix,
            kRestBytesMax
        );
    }
    if (!std::ranges::all_of(rest, may_stand_in_an_id)) {
        return Error::invalid_argument(
            "id '{}' has a character behind '{}' that is no letter, digit, '_' or '-'",
            quotable(text),
            *prefix
        );
    }
    return {};
}

Result<ArtifactId> ArtifactId::parse(std::string_view text) {
    if (auto status = internal::check_id(text, kArtifactPrefixes); !status) {
        return std::move(status).error();
    }
    return ArtifactId(std::string(text));
}

void IdSource::restart(std::uint64_t milliseconds) {
    last_.milliseconds = milliseconds;
    last_.high = random_.next() & (kHighMask >> 1);  // the top bit stays free for counting up
    last_.low = random_.next() & kLowMask;
}

void IdSource::count_up() {
    // A random step, so that knowing one id does not tell the next.
    last_.low += 1 + (random_.next() >> 32);
    if (last_.low <= kLowMask) {
        return;
    }
    last_.low &= kLowMask;
    if (++last_.high <= kHighMask) {
        return;
    }
    restart(last_.milliseconds + 1);
}

std::string IdSource::next_uuid() {
    const auto since_epoch =
        std::chrono::floor<std::chrono::milliseconds>(clock_.now().time_since_epoch()).count();
    const auto now = std::min(
        static_cast<std::uint64_t>(std::max<std::int64_t>(since_epoch, 0)), kMillisecondsMask
    );
    Counter made;
    {
        const Lock lock(mutex_);
        if (!started_ || now > last_.milliseconds) {
            restart(now);
            started_ = true;
        } else {
            count_up();
        }
        made = last_;
    }
    const std::uint64_t first = (made.milliseconds << 16) | (std::uint64_t{7} << 12) | made.high;
    const std::uint64_t second = (std::uint64_t{2} << 62) | made.low;
    return fmt::format("{:016x}{:016x}", first, second);
}

}  // namespace nexa
