// SPDX-License-Identifier: Apache-2.0
#include "core/log.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <optional>
#include <vector>

#include <poll.h>
#include <unistd.h>

#include "core/check.h"
#include "core/json_string.h"
#include "core/mutex.h"
#include "core/redact.h"

namespace nexa {

namespace {

constexpr std::array<std::string_view, 5> kLevelNames{"debug", "info", "warning", "error", "off"};
constexpr std::array<std::string_view, 4> kReservedKeys{"ts", "level", "logger", "msg"};
constexpr int kRoomWaitMs = 100;

/// How one line is written: the parts of LogSettings that need no lock.
struct Shape {
    LogFormat format = LogFormat::kJson;
    std::size_t value_bytes_max = 0;
};

/// Without secrets, and not longer than it may be. Redacts first, so that the cut cannot leave
/// half a secret.
std::string clean(std::string_view text, std::size_t bytes_max) {
    std::string result = redact(text);
    if (result.size() > bytes_max) {
        std::size_t kept = bytes_max;
        while (kept > 0 && bytes_max - kept < 3 &&
               (static_cast<unsigned char>(result[kept]) & 0xc0) == 0x80) {
            --kept;  // not inside a UTF-8 sequence
        }
        const std::size_t cut = result.size() - kept;
        result.resize(kept);
        result += fmt::format("...[{} bytes cut]", cut);
    }
    return result;
}

bool is_plain(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) {
        return c > ' ' && c <= '~' && c != '"' && c != '=' && c != '\\';
    });
}

void append_string(std::string& line, std::string_view text, const Shape& shape) {
    const std::string cleaned = clean(text, shape.value_bytes_max);
    if (shape.format == LogFormat::kText && is_plain(cleaned)) {
        line += cleaned;
    } else {
        append_json_string(line, cleaned);
    }
}

void append_value(std::string& line, const LogValue::Value& value, const Shape& shape) {
    const auto append = [&](const auto& held) {
        using Held = std::decay_t<decltype(held)>;
        if constexpr (std::is_same_v<Held, std::string_view>) {
            append_string(line, held, shape);
        } else if constexpr (std::is_same_v<Held, double>) {
            // JSON has no infinities and no NaN: they become strings.
            const std::string_view quote =
                std::isfinite(held) || shape.format == LogFormat::kText ? "" : "\"";
            fmt::format_to(std::back_inserter(line), "{}{}{}", quote, held, quote);
        } else {
            fmt::format_to(std::back_inserter(line), "{}", held);
        }
    };
    std::visit(append, value);
}

void append_field(
    std::string& line, std::string_view key, const LogValue::Value& value, const Shape& shape
) {
    std::string name(key);
    if (std::ranges::find(kReservedKeys, key) != kReservedKeys.end()) {
        name += '_';
    }
    line += shape.format == LogFormat::kJson ? ',' : ' ';
    append_string(line, name, shape);
    line += shape.format == LogFormat::kJson ? ':' : '=';
    append_value(line, value, shape);
}

/// A field that outlives the call.
struct KeptField {
    std::string key;
    std::variant<std::string, std::int64_t, std::uint64_t, double, bool> value;

    LogValue::Value view() const {
        return std::visit([](const auto& held) { return LogValue(held).value(); }, value);
    }
};

KeptField keep(const LogField& field) {
    KeptField kept{.key = std::string(field.key), .value = false};
    const auto take = [&kept](const auto& held) {
        if constexpr (std::is_same_v<std::decay_t<decltype(held)>, std::string_view>) {
            kept.value = std::string(held);
        } else {
            kept.value = held;
        }
    };
    std::visit(take, field.value.value());
    return kept;
}

}  // namespace

namespace internal {

struct LogContext {
    std::string name;
    std::vector<KeptField> fields;  ///< no two of one key
};

class LogOutput {
public:
    std::atomic<LogLevel> threshold{LogLevel::kOff};

    void configure(LogSettings settings, const Clock& clock) {
        NEXA_CHECK(settings.callback || settings.fd >= 0);
        const Lock lock(mutex_);
        threshold = settings.level;
        settings_ = std::move(settings);
        clock_ = &clock;
    }

    void silence() {
        const Lock lock(mutex_);
        threshold = LogLevel::kOff;
        settings_ = {};
        clock_ = nullptr;
    }

    std::optional<Shape> shape() {
        const Lock lock(mutex_);
        if (clock_ == nullptr) {
            return std::nullopt;
        }
        return Shape{.format = settings_.format, .value_bytes_max = settings_.value_bytes_max};
    }

    /// Puts the time in front and writes. The time is read under the lock, so that lines stand in
    /// the order of their times.
    void emit(std::string_view rest, LogFormat format) {
        const Lock lock(mutex_);
        if (clock_ == nullptr) {
            return;
        }
        std::string line = torn_ ? "\n" : "";
        line += format == LogFormat::kJson ? "{\"ts\":\"" : "";
        line += to_rfc3339(clock_->now());
        line += rest;
        if (settings_.callback) {
            settings_.callback(line);
            return;
        }
        line += '\n';
        write_line(line);
    }

    std::uint64_t lost_lines() const { return lost_lines_; }

private:
    /// One write(2) in all but bad weather. If only a part went out, the next line starts with a
    /// newline, so that just this one is broken.
    void write_line(std::string_view line) NEXA_REQUIRES(mutex_) {
        std::size_t written = 0;
        bool waited = false;
        while (written < line.size()) {
            const ssize_t count =
                ::write(settings_.fd, line.data() + written, line.size() - written);
            if (count > 0) {
                written += static_cast<std::size_t>(count);
                waited = false;
            } else if (count < 0 && errno == EINTR) {
                continue;
            } else if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) && !waited) {
                pollfd room{.fd = settings_.fd, .events = POLLOUT, .revents = 0};
                ::poll(&room, 1, kRoomWaitMs);
                waited = true;
            } else {
                lost_lines_.fetch_add(1);
                torn_ = written > 0 || torn_;
                return;
            }
        }
        torn_ = false;
    }

    Mutex mutex_;
    LogSettings settings_ NEXA_GUARDED_BY(mutex_);
    const Clock* clock_ NEXA_GUARDED_BY(mutex_) = nullptr;  ///< null: silent
    bool torn_ NEXA_GUARDED_BY(mutex_) = false;
    std::atomic<std::uint64_t> lost_lines_{0};
};

}  // namespace internal

std::string_view to_string(LogLevel level) {
    return kLevelNames[static_cast<std::size_t>(level)];
}

Result<LogLevel> parse_log_level(std::string_view name) {
    const auto* const found = std::ranges::find(kLevelNames, name);
    if (found == kLevelNames.end()) {
        return Error::invalid_argument("there is no such log level")
            .hint("use debug, info, warning, error or off");
    }
    return static_cast<LogLevel>(found - kLevelNames.begin());
}

Logger::Logger(
    std::shared_ptr<internal::LogOutput> output, std::shared_ptr<const internal::LogContext> context
)
    : output_(std::move(output)), context_(std::move(context)), threshold_(&output_->threshold) {}

Logger Logger::with(LogFields fields) const {
    auto context = std::make_shared<internal::LogContext>(*context_);
    for (const LogField& field : fields) {
        std::erase_if(context->fields, [&field](const KeptField& kept) {
            return kept.key == field.key;
        });
        context->fields.push_back(keep(field));
    }
    return {output_, std::move(context)};
}

void Logger::write(LogLevel level, std::string_view message, LogFields fields) const {
    NEXA_CHECK(level != LogLevel::kOff);
    const auto shape = output_->shape();
    if (!shape) {
        return;
    }
    std::string rest;
    if (shape->format == LogFormat::kJson) {
        rest += fmt::format("\",\"level\":\"{}\",\"logger\":", to_string(level));
        append_string(rest, context_->name, *shape);
        rest += ",\"msg\":";
        append_string(rest, message, *shape);
    } else {
        rest += fmt::format(" {} ", to_string(level));
        append_string(rest, context_->name, *shape);
        rest += ": ";
        append_escaped(rest, clean(message, shape->value_bytes_max), "\\");
    }

    const auto named_in = [](const LogField* begin, const LogField* end, std::string_view key) {
        return std::any_of(begin, end, [key](const LogField& field) { return field.key == key; });
    };
    for (const KeptField& kept : context_->fields) {
        if (!named_in(fields.begin(), fields.end(), kept.key)) {
            append_field(rest, kept.key, kept.view(), *shape);
        }
    }
    for (const LogField& field : fields) {
        if (!named_in(&field + 1, fields.end(), field.key)) {
            append_field(rest, field.key, field.value.value(), *shape);
        }
    }
    rest += shape->format == LogFormat::kJson ? "}" : "";
    output_->emit(rest, shape->format);
}

Log::Log() : output_(std::make_shared<internal::LogOutput>()) {}

Log::~Log() {
    output_->silence();
}

void Log::configure(LogSettings settings, const Clock& clock) {
    output_->configure(std::move(settings), clock);
}

void Log::silence() {
    output_->silence();
}

Logger Log::get_logger(std::string_view name) const {
    auto context = std::make_shared<internal::LogContext>();
    context->name = name;
    return {output_, std::move(context)};
}

std::uint64_t Log::lost_lines() const {
    return output_->lost_lines();
}

Log& process_log() {
    static auto* log = new Log;
    return *log;
}

}  // namespace nexa
