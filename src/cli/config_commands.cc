// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "cli/command_line.h"
#include "cli/server_program.h"
#include "core/json_writer.h"

namespace nexa::cli {

namespace {

struct ConfigWish {
    ServerSettings settings;
    bool show_origin = false;
};

struct Setting {
    std::string name;
    std::string value;
    std::string origin;
};

/// The lines "name TAB value TAB origin" of `nexad --print-config`.
std::vector<Setting> read_settings(std::string_view text) {
    std::vector<Setting> settings;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        const std::string_view line = text.substr(at, end - at);
        const std::size_t first = line.find('\t');
        const std::size_t last = line.rfind('\t');
        if (first != last) {
            settings.push_back({
                .name = std::string(line.substr(0, first)),
                .value = std::string(line.substr(first + 1, last - first - 1)),
                .origin = std::string(line.substr(last + 1)),
            });
        }
        at = end + 1;
    }
    return settings;
}

std::string as_json(const std::vector<Setting>& settings) {
    JsonWriter writer;
    writer.begin_array();
    for (const Setting& setting : settings) {
        writer.begin_object();
        writer.key("name");
        writer.string(setting.name);
        writer.key("value");
        writer.string(setting.value);
        writer.key("origin");
        writer.string(setting.origin);
        writer.end_object();
    }
    writer.end_array();
    return writer.take();
}

Result<int> list(Session& session, const ConfigWish& wish) {
    // The server program itself says what it would run with: one reader of the layers, not two.
    TRY(const std::string said,
        ask_server_program(session.context(), {"--print-config"}, wish.settings));
    const std::vector<Setting> settings = read_settings(said);
    if (session.json()) {
        session.print_json(as_json(settings));
        return 0;
    }
    Table table(
        wish.show_origin ? std::vector<std::string>{"SETTING", "VALUE", "ORIGIN"}
                         : std::vector<std::string>{"SETTING", "VALUE"}
    );
    for (const Setting& setting : settings) {
        wish.show_origin ? table.add({setting.name, setting.value, setting.origin})
                         : table.add({setting.name, setting.value});
    }
    session.print_table(table, "no settings");
    return 0;
}

}  // namespace

void add_config_commands(CommandLine& line, Session& session) {
    CLI::App* group = line.root().add_subcommand("config", "Look at the server's settings");
    group->group("Run and repair");
    auto wish = std::make_shared<ConfigWish>();
    CLI::App* ls = group->add_subcommand("list", "List what a server started here would run with");
    add_server_settings(*ls, wish->settings);
    ls->add_flag("--show-origin", wish->show_origin, "Say where each value comes from");
    line.on(ls, [&session, wish] { return list(session, *wish); });
}

}  // namespace nexa::cli
