// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "core/clock.h"
#include "core/result.h"

namespace nexa {

/// kOff is a threshold, not a level of a line.
enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarning, kError, kOff };

/// "debug", "info", "warning", "error", "off".
std::string_view to_string(LogLevel level);
/// Errors: kInvalidArgument, with the list.
Result<LogLevel> parse_log_level(std::string_view name);

enum class LogFormat : std::uint8_t {
    kJson,  ///< one object a line: ts, level, logger, msg, then context and fields
    kText,  ///< the same for people: "2025-11-20T19:00:00.000Z info db: opened path=/var/nexa"
};

struct LogSettings {
    LogLevel level = LogLevel::kInfo;
    LogFormat format = LogFormat::kJson;
    /// Where lines go, each by one write(2). A blocking descriptor that nobody reads makes those
    /// who log wait; one that does not block loses a line when no room opens within 100 ms. A
    /// program whose stderr may be a pipe ignores SIGPIPE.
    int fd = 2;
    /// If set, gets each line without its newline instead of `fd`. Calls come one at a time, from
    /// the thread that logs, with the log's lock held: it must be quick and must not log.
    std::function<void(std::string_view line)> callback = nullptr;
    /// A longer message or string is cut, with a note of how many bytes went.
    std::size_t value_bytes_max = 16'384;
};

/// What a field can hold. A view: strings must live to the end of the call.
class LogValue {
public:
    using Value = std::variant<std::string_view, std::int64_t, std::uint64_t, double, bool>;

    // NOLINTBEGIN(google-explicit-constructor): fields are written {"count", 3}
    template <std::same_as<bool> T>
    LogValue(T value) : value_(value) {}
    template <std::signed_integral T>
        requires(!std::same_as<T, char>)
    LogValue(T value) : value_(static_cast<std::int64_t>(value)) {}
    template <std::unsigned_integral T>
        requires(!std::same_as<T, bool>)
    LogValue(T value) : value_(static_cast<std::uint64_t>(value)) {}
    template <std::floating_point T>
    LogValue(T value) : value_(static_cast<double>(value)) {}
    template <std::convertible_to<std::string_view> T>
    LogValue(const T& value) : value_(std::string_view(value)) {}
    /// An Id.
    template <class T>
        requires requires(const T& id) {
            { id.text() } -> std::same_as<const std::string&>;
        }
    LogValue(const T& id) : value_(std::string_view(id.text())) {}
    // NOLINTEND(google-explicit-constructor)

    const Value& value() const { return value_; }

private:
    Value value_;
};

struct LogField {
    std::string_view key;
    LogValue value;
};
using LogFields = std::initializer_list<LogField>;

namespace internal {
class LogOutput;
struct LogContext;
}  // namespace internal

/// Writes lines under a name, with the context that `with` added. A small value: copy it. Thread-
/// safe. Lines below the level cost one atomic read. A line whose log is silent, or whose
/// descriptor fails, is lost without an error.
///
///     const Logger log = get_logger("orchestration").with({{"job_id", job.id}});
///     log.info("lease granted", {{"worker_id", worker}, {"fence", fence}});
///
/// One line is one record whatever the bytes: control characters are escaped, what is no UTF-8 is
/// replaced, secrets are gone (core/redact.h). A field named like one before it replaces it; one
/// named ts, level, logger or msg gets a '_' behind its name. Infinities and NaN are strings.
class Logger {
public:
    void debug(std::string_view message, LogFields fields = {}) const {
        log(LogLevel::kDebug, message, fields);
    }
    void info(std::string_view message, LogFields fields = {}) const {
        log(LogLevel::kInfo, message, fields);
    }
    void warning(std::string_view message, LogFields fields = {}) const {
        log(LogLevel::kWarning, message, fields);
    }
    void error(std::string_view message, LogFields fields = {}) const {
        log(LogLevel::kError, message, fields);
    }
    /// `level` is not kOff.
    void log(LogLevel level, std::string_view message, LogFields fields = {}) const {
        if (enabled(level)) {
            write(level, message, fields);
        }
    }
    bool enabled(LogLevel level) const {
        return level >= threshold_->load(std::memory_order_relaxed);
    }

    /// The same logger, with these fields in every line.
    Logger with(LogFields fields) const;

private:
    friend class Log;
    Logger(
        std::shared_ptr<internal::LogOutput> output,
        std::shared_ptr<const internal::LogContext> context
    );
    void write(LogLevel level, std::string_view message, LogFields fields) const;

    std::shared_ptr<internal::LogOutput> output_;
    std::shared_ptr<const internal::LogContext> context_;
    const std::atomic<LogLevel>* threshold_;  ///< of *output_
};

/// Where lines go. Silent until configured. Loggers may outlive it and are then silent.
/// Thread-safe.
class Log {
public:
    Log();
    ~Log();
    Log(const Log&) = delete;
    Log& operator=(const Log&) = delete;

    /// Loggers handed out before follow. `clock` is used until silence(), the next configure() or
    /// the end of this Log.
    void configure(LogSettings settings, const Clock& clock);
    /// Once this returns, neither clock nor callback is used any more.
    void silence();

    Logger get_logger(std::string_view name) const;
    /// How many lines the descriptor did not take whole.
    std::uint64_t lost_lines() const;

private:
    std::shared_ptr<internal::LogOutput> output_;
};

/// The process's own log: the one Log that is not passed in, since stderr is the process's too.
/// Silent until configure_logging, so unit tests are quiet. Never destroyed.
Log& process_log();

inline void configure_logging(LogSettings settings, const Clock& clock) {
    process_log().configure(std::move(settings), clock);
}
inline Logger get_logger(std::string_view name) {
    return process_log().get_logger(name);
}

}  // namespace nexa
