// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <concepts>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "core/clock.h"
#include "core/mutex.h"
#include "core/random.h"
#include "core/result.h"

namespace nexa {

namespace internal {
/// OK if `text` is one of `prefixes` and 1 to 64 of [A-Za-z0-9_-] behind it.
Status check_id(std::string_view text, std::span<const std::string_view> prefixes);
}  // namespace internal

/// The name of one thing of one kind: a prefix that says the kind, then text without meaning.
/// `job_0199...` cannot be passed where a dataset belongs, in code or in JSON. Empty only when
/// default-constructed. Ordering is that of the text, which for ids of one IdSource is the order in
/// which they were made.
template <class Tag>
class Id {
public:
    static constexpr std::string_view kPrefix = Tag::kPrefix;

    Id() = default;
    /// Takes our own ids and those that others chose ("ds_123"). Errors: kInvalidArgument, naming
    /// the wanted prefix.
    static Result<Id> parse(std::string_view text) {
        const std::string_view prefix = kPrefix;
        if (auto status = internal::check_id(text, std::span(&prefix, 1)); !status) {
            return std::move(status).error();
        }
        return Id(std::string(text));
    }

    const std::string& text() const { return text_; }
    bool empty() const { return text_.empty(); }
    friend auto operator<=>(const Id&, const Id&) = default;

private:
    friend class IdSource;
    explicit Id(std::string text) : text_(std::move(text)) {}
    std::string text_;
};

// NOLINTBEGIN(bugprone-macro-parentheses): a type's name takes none
#define NEXA_ID(Name, prefix)                                 \
    struct Name##Tag {                                        \
        static constexpr std::string_view kPrefix = (prefix); \
    };                                                        \
    using Name = Id<Name##Tag>
NEXA_ID(JobId, "job_");
NEXA_ID(DatasetId, "ds_");
NEXA_ID(CheckpointId, "ckpt_");
NEXA_ID(EvalId, "ev_");
NEXA_ID(DeploymentId, "dp_");
NEXA_ID(WorkerId, "wk_");
NEXA_ID(KeyId, "key_");
NEXA_ID(UserId, "usr_");
NEXA_ID(ProjectId, "prj_");
NEXA_ID(RequestId, "req_");
#undef NEXA_ID
// NOLINTEND(bugprone-macro-parentheses)

/// What a job can make: any one of the four below.
template <class T>
concept ArtifactKind = std::same_as<T, DatasetId> || std::same_as<T, CheckpointId> ||
                       std::same_as<T, EvalId> || std::same_as<T, DeploymentId>;

/// The id of an artifact of whichever kind. Has no prefix of its own: an artifact is a dataset,
/// checkpoint, evaluation or deployment, and its id says which.
class ArtifactId {
public:
    ArtifactId() = default;
    template <ArtifactKind Kind>
    ArtifactId(const Kind& id)  // NOLINT(google-explicit-constructor): each of them is an artifact
        : text_(id.text()) {}
    /// Errors: kInvalidArgument, naming the wanted prefixes.
    static Result<ArtifactId> parse(std::string_view text);

    const std::string& text() const { return text_; }
    bool empty() const { return text_.empty(); }
    /// The id as one of its kind; nothing if it is of another.
    template <ArtifactKind Kind>
    std::optional<Kind> as() const {
        auto id = Kind::parse(text_);
        return id ? std::optional<Kind>(*std::move(id)) : std::nullopt;
    }
    friend auto operator<=>(const ArtifactId&, const ArtifactId&) = default;

private:
    explicit ArtifactId(std::string text) : text_(std::move(text)) {}
    std::string text_;
};

/// Makes new ids: the prefix and 32 lower-case hex digits of a UUID version 7 (RFC 9562), so text
/// order is time order, to the millisecond between processes. Ids of one source rise strictly,
/// also within a millisecond and when the clock goes back. Thread-safe. `clock` and `random`
/// outlive the source.
class IdSource {
public:
    IdSource(const Clock& clock, Random& random) : clock_(clock), random_(random) {}

    template <class T>
    T make() {
        std::string text(T::kPrefix);
        text += next_uuid();
        return T(std::move(text));
    }

private:
    /// The 122 bits of a UUID that are not fixed: 48 of milliseconds, then 12 and 62 that start
    /// random in each millisecond and count up within it.
    struct Counter {
        std::uint64_t milliseconds = 0;
        std::uint64_t high = 0;
        std::uint64_t low = 0;
    };
    std::string next_uuid();
    void restart(std::uint64_t milliseconds) NEXA_REQUIRES(mutex_);
    void count_up() NEXA_REQUIRES(mutex_);

    const Clock& clock_;
    Random& random_;
    Mutex mutex_;
    bool started_ NEXA_GUARDED_BY(mutex_) = false;
    Counter last_ NEXA_GUARDED_BY(mutex_);
};

}  // namespace nexa

template <class Tag>
struct std::hash<nexa::Id<Tag>> {
    std::size_t operator()(const nexa::Id<Tag>& id) const noexcept {
        return std::hash<std::string>()(id.text());
    }
};
template <>
struct std::hash<nexa::ArtifactId> {
    std::size_t operator()(const nexa::ArtifactId& id) const noexcept {
        return std::hash<std::string>()(id.text());
    }
};

template <class Tag>
struct fmt::formatter<nexa::Id<Tag>> : fmt::formatter<std::string_view> {
    template <class Context>
    auto format(const nexa::Id<Tag>& id, Context& context) const {
        return fmt::formatter<std::string_view>::format(id.text(), context);
    }
};
template <>
struct fmt::formatter<nexa::ArtifactId> : fmt::formatter<std::string_view> {
    template <class Context>
    auto format(const nexa::ArtifactId& id, Context& context) const {
        return fmt::formatter<std::string_view>::format(id.text(), context);
    }
};
