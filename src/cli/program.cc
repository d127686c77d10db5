// SPDX-License-Identifier: Apache-2.0
#include "cli/program.h"

#include <algorithm>

#include "cli/command_line.h"

namespace nexa::cli {

namespace {

void add_all(CommandLine& line, Session& session) {
    add_job_type_commands(line, session);
    add_workflow_commands(line, session);
    add_schedule_commands(line, session);
    add_job_commands(line, session);
    add_artifact_commands(line, session);
    add_deployment_commands(line, session);
    add_worker_commands(line, session);
    add_account_commands(line, session);
    add_people_commands(line, session);
    add_storage_commands(line, session);
    add_database_commands(line, session);
    add_config_commands(line, session);
    add_machine_commands(line, session);
}

}  // namespace

int run(const std::vector<std::string>& arguments, CliContext& context) {
    Session session(context);
    // Errors in the flags themselves are written as --json asks, too.
    session.set_json(std::ranges::find(arguments, "--json") != arguments.end());
    CommandLine line(session);
    add_all(line, session);
    const Result<int> code = line.run(arguments);
    return code ? *code : session.report(code.error());
}

std::string flag_list(CliContext& context) {
    Session session(context);
    CommandLine line(session);
    add_all(line, session);
    return line.flag_list();
}

}  // namespace nexa::cli
