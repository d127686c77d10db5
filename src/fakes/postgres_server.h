// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/check.h"
#include "core/child_process.h"
#include "core/file.h"
#include "db/postgres.h"
#include "db/writer.h"

namespace nexa::fakes {

/// A real PostgreSQL of this test program: in a folder of its own, on a Unix socket, gone with the
/// object and with the program, however that ends. Nothing is synced to the disk. PostgreSQL does
/// not run as root; there it becomes the user postgres, or nobody.
class PostgresServer {
public:
    /// Blocks for about two seconds. Errors: kNotFound (no PostgreSQL on this machine),
    /// kUnavailable (it did not start; what it said goes to stderr).
    static Result<std::unique_ptr<PostgresServer>> start() {
        auto folder = TemporaryDirectory::create("/tmp", "nexa-pg-");
        if (!folder) {
            return std::move(folder).error();
        }
        auto server = std::unique_ptr<PostgresServer>(new PostgresServer(*std::move(folder)));
        Status status = server->make();
        if (status) {
            status = server->run();
        }
        if (!status) {
            return std::move(status).error();
        }
        return server;
    }
    /// The one of this program, started at the first call.
    static Result<std::unique_ptr<PostgresServer>>& shared() {
        static Result<std::unique_ptr<PostgresServer>> server = start();
        return server;
    }
    ~PostgresServer() { stop(SIGQUIT); }
    PostgresServer(const PostgresServer&) = delete;
    PostgresServer& operator=(const PostgresServer&) = delete;

    /// Of the whole database.
    std::string url(std::string_view options = "") const {
        return fmt::format("postgres://nexa@/postgres?host={}{}", folder_.path().native(), options);
    }
    /// An empty schema of its own, which is as good as a database and made much faster.
    std::string make_schema() {
        const std::string name = fmt::format("t{}", ++schemas_);
        change("CREATE SCHEMA " + name);
        return url(fmt::format("&options=-csearch_path%3D{},public", name));
    }
    /// Of the whole server.
    std::filesystem::path files() const { return data(); }
    /// A statement that nobody is to see.
    void change(const std::string& text) {
        const auto database = db::open_postgres({.url = url()});
        NEXA_CHECK(database.has_value());
        db::Writer writer(**database);
        const Status changed = writer.run([&](db::Tx& tx) -> Status {
            const auto done = tx.query({.name = "test", .sqlite = "", .postgres = text});
            return done ? Status() : Status(done.error());
        });
        if (!changed) {
            std::fputs(changed.error().to_string().c_str(), stderr);
        }
        NEXA_CHECK(changed.has_value());
    }

    /// SIGKILL: the end of all its processes, as when the power goes. SIGQUIT and SIGINT: as it
    /// understands them. Afterwards run() starts it again.
    void stop(int signal) {
        if (process_) {
            if (signal == SIGKILL) {
                process_->end_tree();
            } else {
                static_cast<void>(::kill(process_->pid(), signal));
                static_cast<void>(process_->wait(deadline()));
            }
            process_.reset();
        }
    }
    /// `more`: settings, NAME=VALUE.
    Status run(std::vector<std::string> more = {}) {
        std::vector<std::string> argv{
            program("postgres"), "-D", data(), "-k", folder_.path(), "-h", ""
        };
        more.insert(
            more.end(),
            {"fsync=off",
             "full_page_writes=off",
             "shared_buffers=16MB",
             "max_connections=60",
             "deadlock_timeout=50ms",
             "autovacuum=off"}
        );
        for (const std::string& setting : more) {
            argv.insert(argv.end(), {"-c", setting});
        }
        const auto until = deadline();
        while (true) {
            auto started = launch(argv);
            if (!started) {
                return std::move(started).error();
            }
            process_.emplace(*std::move(started));
            // After SIGKILL the old server's children may still be there for a moment.
            if (wait_until_it_answers(until)) {
                return {};
            }
            if (std::chrono::steady_clock::now() >= until) {
                return failed("postgres");
            }
        }
    }

private:
    explicit PostgresServer(TemporaryDirectory folder) : folder_(std::move(folder)) {}

    static std::chrono::steady_clock::time_point deadline() {
        return std::chrono::steady_clock::now() + std::chrono::seconds{60};
    }
    std::string data() const { return folder_.path() / "data"; }
    std::filesystem::path log() const { return folder_.path() / "log"; }

    /// Debian keeps several versions side by side; the newest is taken.
    static std::string program(std::string_view name) {
        std::filesystem::path newest;
        std::error_code ignored;
        for (const auto& entry :
             std::filesystem::directory_iterator("/usr/lib/postgresql", ignored)) {
            newest = std::max(newest, entry.path());
        }
        return newest / "bin" / name;
    }

    struct Account {
        uid_t uid = 0;
        gid_t gid = 0;
    };
    /// Whom the server runs as, if not as us.
    static std::optional<Account> account() {
        if (::geteuid() != 0) {
            return std::nullopt;
        }
        for (const char* name : {"postgres", "nobody"}) {
            // NOLINTNEXTLINE(concurrency-mt-unsafe): the first thing that a test program does
            if (const passwd* entry = ::getpwnam(name)) {
                return Account{.uid = entry->pw_uid, .gid = entry->pw_gid};
            }
        }
        return std::nullopt;
    }
    /// In the child. A changed user forgets with whom to die.
    static int become(const void* account) noexcept {
        const auto* user = static_cast<const Account*>(account);
        const bool done = ::setgid(user->gid) == 0 && ::setuid(user->uid) == 0 &&
                          ::prctl(PR_SET_PDEATHSIG, SIGQUIT) == 0;
        return done ? 0 : errno;
    }

    Result<ChildProcess> launch(std::vector<std::string> argv) const {
        const auto user = account();
        ChildSpec spec{
            .argv = std::move(argv),
            .environment = {{"LC_ALL", "C.UTF-8"}, {"PATH", "/usr/bin:/bin"}},
            .working_directory = folder_.path(),
            .standard_output = StdioFile{.path = log(), .append = true},
            .standard_error = StdioFile{.path = log(), .append = true},
        };
        if (user) {
            spec.before_exec.push_back({.name = "setuid", .run = &become, .context = &*user});
        }
        return ChildProcess::start(spec);
    }

    Status make() {
        if (const auto user = account();
            user && ::chown(folder_.path().c_str(), user->uid, user->gid) != 0) {
            return Error::unavailable("cannot give the folder to the server's user");
        }
        auto made = launch(
            {program("initdb"),
             "-D",
             data(),
             "-U",
             "nexa",
             "--auth=trust",
             "--encoding=UTF8",
             "--no-sync",
             "--no-instructions"}
        );
        if (!made) {
            return std::move(made).error();
        }
        const auto ended = made->wait(deadline());
        return ended && ended->success() ? Status() : Status(failed("initdb"));
    }

    /// False if it has ended.
    bool wait_until_it_answers(std::chrono::steady_clock::time_point until) {
        while (std::chrono::steady_clock::now() < until) {
            if (db::open_postgres({.url = url()})) {
                return true;
            }
            if (process_->wait(std::chrono::steady_clock::now() + std::chrono::milliseconds{20})) {
                break;
            }
        }
        return false;
    }
    Error failed(std::string_view what) const {
        std::fputs(read_file(log(), 1 << 20).value_or("").c_str(), stderr);
        return Error::unavailable("{} did not do its work", what);
    }

    TemporaryDirectory folder_;
    std::optional<ChildProcess> process_;
    std::atomic<int> schemas_ = 0;
};

}  // namespace nexa::fakes
