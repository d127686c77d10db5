// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "accounts/accounts_sql.h"
#include "accounts/directory.h"
#include "accounts/key_gate.h"
#include "accounts/session_gate.h"
#include "db/migrations.h"
#include "fakes/databases.h"
#include "fakes/manual_clock.h"
#include "fakes/seeded_random.h"
#include "net/task.h"

namespace nexa::accounts {

/// An installation with its first administrator, and the gates that work on it.
class PeopleTest : public fakes::OnBothDatabases {
protected:
    void SetUp() override {
        fakes::OnBothDatabases::SetUp();
        if (IsSkipped()) {
            return;
        }
        store.emplace(GetParam(), clock);
        database = store->open();
        ASSERT_TRUE(db::migrate(*database, {sql::migrations()}));
        writer = std::make_unique<db::Writer>(*database);
        writer->start();
        keys = std::make_unique<KeyGate>(
            KeyGate::Collaborators{*database, *writer, pools.db, ids, clock, random}
        );
        directory = std::make_unique<Directory>(
            Directory::Collaborators{*database, *writer, pools.db, ids, random, *keys}
        );
        sessions = open_sessions(options());
        const std::string key(keys->mint_owner_key("admin").value().key.secret());
        admin = wait(keys->authenticate(key)).value();
    }
    void TearDown() override {
        if (writer) {
            writer->stop();
        }
        hashing.stop();
        pools.db.stop();
        pools.cpu.stop();
        pools.io.stop();
    }

    static SessionOptions options() {
        return {
            .registration = Registration::kOpen,
            .cost = {.cost_log2 = 10, .block_size = 8, .passes = 1},
        };
    }
    std::unique_ptr<SessionGate> open_sessions(SessionOptions with) {
        return std::make_unique<SessionGate>(
            SessionGate::Collaborators{*database, *writer, pools.db, hashing, ids, clock, random},
            with
        );
    }

    template <class T>
    Result<T> wait(net::Task<T> task) {
        return net::blocking::wait(pools.io.executor(), std::move(task));
    }
    /// A new user with a project of the own, signed in.
    SignedIn sign_up(const std::string& name) {
        auto signed_in = wait(sessions->sign_up(
            {.name = name, .email = {}, .password = Secret(kPassword), .address = "::1"}
        ));
        EXPECT_TRUE(signed_in) << signed_in.error().to_string();
        return *std::move(signed_in);
    }
    Result<SignedIn> log_in(const std::string& login, std::string_view password = kPassword) {
        return wait(
            sessions->log_in({.login = login, .password = Secret(password), .address = "::1"})
        );
    }
    Result<Principal> principal(const SignedIn& session) {
        return wait(sessions->authenticate(session.token, std::nullopt));
    }
    std::vector<std::string> actions() {
        std::vector<std::string> found;
        for (const AuditEntry& entry :
             wait(directory->audit_trail({.limit = 100}, admin)).value()) {
            found.insert(found.begin(), entry.action);
        }
        return found;
    }

    static constexpr std::string_view kPassword = "correct horse";

    fakes::ManualClock clock;
    std::optional<fakes::TestDatabase> store;
    fakes::SeededRandom random{3};
    IdSource ids{clock, random};
    net::Pools pools;
    net::WorkPool hashing{{.name = "passwords", .threads = 2, .queue_max = 16}};
    std::unique_ptr<db::Database> database;
    std::unique_ptr<db::Writer> writer;
    std::unique_ptr<KeyGate> keys;
    std::unique_ptr<Directory> directory;
    std::unique_ptr<SessionGate> sessions;
    Principal admin;
};

}  // namespace nexa::accounts
