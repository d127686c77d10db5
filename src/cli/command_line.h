// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cli/session.h"
#include "core/result.h"

namespace CLI {
class App;
}

namespace nexa::cli {

/// What a command does once its flags are read: the exit code, or an Error that has one.
using Command = std::function<Result<int>()>;

/// The tree of commands with what each does. Made anew for every run.
class CommandLine {
public:
    explicit CommandLine(Session& session);
    ~CommandLine();
    CommandLine(const CommandLine&) = delete;
    CommandLine& operator=(const CommandLine&) = delete;

    CLI::App& root() { return *root_; }
    void on(const CLI::App* command, Command run) { commands_[command] = std::move(run); }

    /// Reads the arguments (without the program's name) and runs the command they name.
    /// Errors: kInvalidArgument, with the near name, for what is no command or flag.
    Result<int> run(const std::vector<std::string>& arguments);
    /// Every command with its flags, a line each: frozen by a test.
    std::string flag_list() const;

private:
    Result<int> parse_and_run(std::vector<std::string> arguments);
    Error usage_error(const std::string& message);

    Session& session_;
    std::unique_ptr<CLI::App> root_;
    std::map<const CLI::App*, Command> commands_;
};

/// Each adds its commands.
void add_job_type_commands(CommandLine& line, Session& session);
void add_workflow_commands(CommandLine& line, Session& session);
void add_schedule_commands(CommandLine& line, Session& session);
void add_job_commands(CommandLine& line, Session& session);
void add_artifact_commands(CommandLine& line, Session& session);
void add_deployment_commands(CommandLine& line, Session& session);
void add_storage_commands(CommandLine& line, Session& session);
void add_worker_commands(CommandLine& line, Session& session);
void add_account_commands(CommandLine& line, Session& session);
void add_billing_commands(CommandLine& line, Session& session);
void add_people_commands(CommandLine& line, Session& session);
void add_database_commands(CommandLine& line, Session& session);
void add_config_commands(CommandLine& line, Session& session);
void add_machine_commands(CommandLine& line, Session& session);

}  // namespace nexa::cli
