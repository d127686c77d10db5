// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

#include "core/fields.h"
#include "worker/llm_settings.h"

namespace nexa::worker_app {

/// What an operator can set: as a flag, NEXA_<NAME>, in the file of --config.
struct Settings {
    static constexpr std::string_view kName = "WorkerSettings";
    std::string server = "http://127.0.0.1:8000";
    std::string dir;
    std::string name;
    std::string pool = "default";
    std::string engine;
    std::string key_file;
    int slots = 1;
    int drain_seconds = 60;
    int gpus = -1;
    std::int64_t disk_free_mib = 1024;
    double clock_offset_seconds = 30;
    double health_seconds = 30;
    std::int64_t job_memory_mib = 0;
    std::int64_t job_disk_mib = 0;
    double cancel_grace_seconds = 5;
    std::int64_t inputs_mib = 0;
    std::string log_level = "info";
    std::vector<worker::TeacherSettings> teachers;
    std::string default_teacher;
    std::int64_t answers_mib = 1024;
    std::string secrets_folder;
    std::string proxy;
    std::string no_proxy;
    std::string ca_file;

    // NOLINTNEXTLINE(readability-function-size): a table
    static constexpr auto fields() {
        return std::tuple{
            field("server", &Settings::server, "Where the server is").length(1, 2048),
            field("dir", &Settings::dir, "Folder for keys, inputs and running jobs")
                .required()
                .length(1, 4096),
            field("name", &Settings::name, "For people").length(0, 255),
            field("pool", &Settings::pool, "Jobs of which pool to take").length(1, 64),
            field("engine", &Settings::engine, "The engine; empty: nexa-engine beside this program")
                .length(0, 4096),
            field(
                "key_file",
                &Settings::key_file,
                "File with the API key; empty: NEXA_API_KEY or NEXA_API_KEY_FILE"
            )
                .length(0, 4096),
            field("slots", &Settings::slots, "Jobs at the same time").within(1, 256),
            field(
                "drain_seconds", &Settings::drain_seconds, "For running jobs to end after SIGTERM"
            )
                .within(0, 86'400)
                .unit("s"),
            field(
                "gpus",
                &Settings::gpus,
                "Accelerators there have to be, else the worker gets no jobs; 0: it is not looked "
                "for any; -1: as many as nvidia-smi shows at the start"
            )
                .within(-1, 1024),
            field(
                "disk_free_mib",
                &Settings::disk_free_mib,
                "With less free in `dir` the worker gets no jobs"
            )
                .within(0, 1LL << 40)
                .unit("MiB"),
            field(
                "clock_offset_seconds",
                &Settings::clock_offset_seconds,
                "With a clock further off the server's the worker gets no jobs"
            )
                .within(0.1, 300)
                .unit("s"),
            field("health_seconds", &Settings::health_seconds, "Between two looks at the machine")
                .within(0.1, 3600)
                .unit("s"),
            field("job_memory_mib", &Settings::job_memory_mib, "Memory of each job; 0: no limit")
                .within(0, 1LL << 40)
                .unit("MiB"),
            field("job_disk_mib", &Settings::job_disk_mib, "Disk of each job; 0: no limit")
                .within(0, 1LL << 40)
                .unit("MiB"),
            field(
                "cancel_grace_seconds",
                &Settings::cancel_grace_seconds,
                "For the engine of a cancelled job to end by itself"
            )
                .within(0, 3600)
                .unit("s"),
            field(
                "inputs_mib",
                &Settings::inputs_mib,
                "Inputs of earlier jobs kept on disk; 0: no limit"
            )
                .within(0, 1LL << 40)
                .unit("MiB"),
            field("log_level", &Settings::log_level, "Least level that is logged")
                .one_of({"debug", "info", "warning", "error", "off"}),
            field(
                "teachers",
                &Settings::teachers,
                "OpenAI-compatible endpoints that jobs may ask as teacher or judge"
            )
                .length(0, 100),
            field(
                "default_teacher",
                &Settings::default_teacher,
                "Teacher of models that are named without one; empty: the only one"
            )
                .length(0, 64),
            field(
                "answers_mib",
                &Settings::answers_mib,
                "Answers of teachers kept on disk, so that none is paid twice; 0: none"
            )
                .within(0, 1LL << 30)
                .unit("MiB"),
            field(
                "secrets_folder",
                &Settings::secrets_folder,
                "Folder with a file for each secret, as container platforms mount them"
            )
                .length(0, 4096),
            field(
                "proxy",
                &Settings::proxy,
                "HTTP proxy on the way to teachers; empty: as the environment's https_proxy says"
            )
                .length(0, 2048),
            field("no_proxy", &Settings::no_proxy, "Hosts reached without it, separated by commas")
                .length(0, 4096),
            field(
                "ca_file",
                &Settings::ca_file,
                "Certificates that teachers are checked against; empty: the system's"
            )
                .length(0, 4096),
        };
    }
};

}  // namespace nexa::worker_app
