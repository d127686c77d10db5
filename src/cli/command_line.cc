// SPDX-License-Identifier: Apache-2.0
#include "cli/command_line.h"

#include <algorithm>
#include <optional>
#include <ostream>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <CLI/CLI.hpp>

#include "core/near_name.h"
#include "core/utf8.h"

namespace nexa::cli {

namespace {

std::vector<const CLI::App*> commands_below(const CLI::App& app, bool with_hidden) {
    std::vector<const CLI::App*> below;
    for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; })) {
        if (with_hidden || !sub->get_group().empty()) {
            below.push_back(sub);
        }
    }
    return below;
}

const CLI::App* child_named(const CLI::App& app, std::string_view name) {
    const auto below = commands_below(app, true);
    const auto found =
        std::ranges::find(below, name, [](const CLI::App* sub) { return sub->get_name(); });
    return found == below.end() ? nullptr : *found;
}

Error no_such_command(const CLI::App& at, std::string_view name) {
    const auto below = commands_below(at, false);
    std::vector<std::string> names;
    std::ranges::transform(below, std::back_inserter(names), [](const CLI::App* sub) {
        return sub->get_name();
    });
    const std::vector<std::string_view> views(names.begin(), names.end());
    const auto near = nearest(name, views);
    return Error::invalid_argument("there is no command '{}'", quotable(name))
        .hint(
            near ? fmt::format("did you mean '{}'?", *near)
                 : fmt::format("the commands are {}", fmt::join(names, ", "))
        );
}

/// The first word that should be a command and is none.
std::optional<Error> unknown_command(
    const CLI::App& root, const std::vector<std::string>& arguments
) {
    const CLI::App* at = &root;
    for (const std::string& word : arguments) {
        if (word.starts_with('-') || commands_below(*at, true).empty()) {
            continue;
        }
        const CLI::App* next = child_named(*at, word);
        if (next == nullptr) {
            return no_such_command(*at, word);
        }
        at = next;
    }
    return std::nullopt;
}

const CLI::App& deepest(const CLI::App& root) {
    const CLI::App* at = &root;
    while (!at->get_subcommands().empty()) {
        at = at->get_subcommands().front();
    }
    return *at;
}

/// Of the flags that the chosen command does not know, the first, with the near one.
std::optional<Error> unknown_flag(const CLI::App& root) {
    const auto left = root.remaining(true);
    const auto found =
        std::ranges::find_if(left, [](const std::string& word) { return word.starts_with('-'); });
    if (found == left.end()) {
        return std::nullopt;
    }
    const std::string name = found->substr(0, found->find('='));
    std::vector<std::string> known;
    for (const CLI::Option* option : deepest(root).get_options()) {
        for (const std::string& flag : option->get_lnames()) {
            known.push_back("--" + flag);
        }
    }
    const std::vector<std::string_view> views(known.begin(), known.end());
    const auto near = nearest(name, views);
    return Error::invalid_argument("there is no flag '{}'", quotable(name))
        .hint(near ? fmt::format("did you mean '{}'?", *near) : "see the command's --help");
}

std::string full_name(const CLI::App& app) {
    return app.get_parent() == nullptr ? app.get_name()
                                       : full_name(*app.get_parent()) + " " + app.get_name();
}

void list_flags(const CLI::App& app, std::string& list) {
    list += full_name(app);
    for (const CLI::Option* option : app.get_options()) {
        list += option->nonpositional() ? " " + option->get_name(false, true)
                                        : fmt::format(" <{}>", option->get_name());
    }
    list += '\n';
    for (const CLI::App* sub : commands_below(app, true)) {
        list_flags(*sub, list);
    }
}

}  // namespace

CommandLine::CommandLine(Session& session)
    : session_(session),
      root_(std::make_unique<CLI::App>(
          "Nexa Forge: make data, train, evaluate and serve models", "nexa"
      )) {
    root_->require_subcommand(0, 1);
    root_->fallthrough();
    root_->set_help_flag("-h,--help", "Say what there is");
    root_->add_flag("--json")->description("Print the API's JSON, and errors as JSON on stderr");
    root_->footer(
        "Environment: NEXA_API_URL (http://localhost:8000/api), NEXA_API_KEY, NO_COLOR.\n"
        "Exit codes: nexa help exit-codes"
    );
}

CommandLine::~CommandLine() = default;

std::string CommandLine::flag_list() const {
    std::string list;
    list_flags(*root_, list);
    return list;
}

Error CommandLine::usage_error(const std::string& message) {
    return Error::invalid_argument("{}", message)
        .hint(fmt::format("see '{} --help'", full_name(deepest(*root_))));
}

Result<int> CommandLine::parse_and_run(std::vector<std::string> arguments) {
    std::ranges::reverse(arguments);  // CLI11 takes them from the back
    try {
        root_->parse(std::move(arguments));
    } catch (const CLI::CallForHelp&) {
        session_.print(root_->help());
        return 0;
    } catch (const CLI::ExtrasError& error) {
        if (auto unknown = unknown_flag(*root_)) {
            return std::move(*unknown);
        }
        return usage_error(error.what());
    } catch (const CLI::Error& error) {
        return usage_error(error.what());
    }
    const CLI::App& chosen = deepest(*root_);
    const auto found = commands_.find(&chosen);
    if (found == commands_.end()) {  // a group alone: show what it holds
        session_.print(root_->help());
        return 0;
    }
    return found->second();
}

Result<int> CommandLine::run(const std::vector<std::string>& arguments) {
    if (auto unknown = unknown_command(*root_, arguments)) {
        return std::move(*unknown);
    }
    return parse_and_run(arguments);
}

}  // namespace nexa::cli
