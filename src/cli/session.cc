// SPDX-License-Identifier: Apache-2.0
#include "cli/session.h"

#include <ostream>

#include "core/json_writer.h"

namespace nexa::cli {

namespace {

/// The message may be of several lines (a child's last words): line ends stay, escapes do not.
std::string safe_lines(std::string_view text) {
    std::string safe;
    for (std::size_t at = 0; at <= text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        safe += (at == 0 ? "" : "\n") + one_line(text.substr(at, end - at));
        at = end + 1;
    }
    return safe;
}

std::string error_json(const Error& error, const std::string& request_id) {
    JsonWriter writer;
    writer.begin_object();
    writer.key("error");
    writer.begin_object();
    const auto text = [&](std::string_view key, std::string_view value) {
        if (!value.empty()) {
            writer.key(key);
            writer.string(value);
        }
    };
    text("code", to_string(error.code));
    text("message", error.message);
    text("param", error.param);
    text("hint", error.advice);
    text("request_id", request_id);
    writer.key("exit_code");
    writer.whole(row_of(error.code).exit_code);
    writer.end_object();
    writer.end_object();
    return writer.take();
}

}  // namespace

Result<ApiClient*> Session::api() {
    if (!api_) {
        TRY(ApiClient client, ApiClient::open(context_));
        api_.emplace(std::move(client));
    }
    return &*api_;
}

void Session::print_json(std::string_view body) {
    context_.out << body << (body.ends_with('\n') ? "" : "\n") << std::flush;
}

void Session::print_table(const Table& table, std::string_view nothing) {
    if (table.empty()) {
        if (context_.out_is_terminal) {
            note(nothing);
        }
        return;
    }
    const bool color = context_.may_color(context_.out_is_terminal);
    context_.out << (context_.out_is_terminal ? table.for_terminal(context_.columns, color)
                                              : table.for_pipe())
                 << std::flush;
}

void Session::print(std::string_view line) {
    context_.out << line << '\n' << std::flush;
}

void Session::note(std::string_view line) {
    context_.err << line << '\n' << std::flush;
}

int Session::report(const Error& error) {
    const std::string request_id = api_ ? api_->request_id() : std::string();
    if (json_) {
        note(error_json(error, request_id));
        return row_of(error.code).exit_code;
    }
    const bool color = context_.may_color(context_.err_is_terminal);
    std::string text = color ? "\x1b[31merror:\x1b[0m " : "error: ";
    if (!error.param.empty()) {
        text += one_line(error.param) + ": ";
    }
    text += safe_lines(error.message);
    if (!error.advice.empty()) {
        text += "\n  hint: " + one_line(error.advice);
    }
    if (!request_id.empty()) {
        text += "\n  request id: " + one_line(request_id);
    }
    note(text);
    return row_of(error.code).exit_code;
}

}  // namespace nexa::cli
