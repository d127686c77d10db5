// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "accounts/audit_store.h"
#include "accounts/key_gate.h"
#include "accounts/people_store.h"
#include "core/ids.h"
#include "core/random.h"
#include "db/database.h"
#include "db/writer.h"
#include "net/pools.h"
#include "net/task.h"

namespace nexa::accounts {

struct DirectoryOptions {
    bool may_invite = true;
    std::chrono::microseconds invitation_lifetime = std::chrono::days{7};
};

struct UserWish {
    std::string name;
    std::optional<std::string> email;
    bool is_admin = false;
    std::optional<std::string> project_id;  ///< to be a member of from the start
    Role role = Role::kDeveloper;
};

/// A user who may come in, once, with the token: the only moment its text exists here.
struct Invitation {
    UserRecord user;
    std::string token;
    Timestamp expires_at;
};

/// Users, projects and their members, as those see and change them who may. Every change is one
/// transaction with its entry in the audit trail, and works for keys from then on. Thread-safe; all
/// collaborators outlive it.
///
/// That the caller holds the scope of a call was asked before. A project that the caller cannot
/// reach is answered like one that does not exist (kNotFound): keys reach their own, sessions the
/// chosen one, administrators of the installation all.
class Directory {
public:
    struct Collaborators {
        db::Database& database;
        db::Writer& writer;
        net::WorkPool& pool;  ///< for blocking reads
        IdSource& ids;
        Random& random;
        KeyGate& keys;
    };
    explicit Directory(Collaborators with, DirectoryOptions options = {})
        : with_(with), options_(options) {}

    /// The caller becomes its owner. Errors: kConflict, kInvalidArgument.
    net::Task<ProjectRecord> create_project(std::string name, Principal principal);
    /// A session's: those it is a member of; a key's: its own; an administrator's: all.
    net::Task<std::vector<ProjectRecord>> projects(Principal principal);

    net::Task<std::vector<MemberRecord>> members(std::string project_id, Principal principal);
    /// `user`: id, name or e-mail address. Errors: kNotFound, kConflict, kPermissionDenied.
    net::Task<MemberRecord> add_member(
        std::string project_id, std::string user, Role role, Principal principal
    );
    /// Errors: kNotFound, kPermissionDenied, kConflict (the last owner).
    net::Task<MemberRecord> change_member(
        std::string project_id, std::string user_id, Role role, Principal principal
    );
    /// The member's keys of this project are refused from then on. Errors: as change_member().
    net::Task<void> remove_member(std::string project_id, std::string user_id, Principal principal);

    net::Task<std::vector<UserRecord>> users(std::string after, int limit);
    /// Errors: kConflict, kInvalidArgument, kNotFound (project), kPermissionDenied (closed).
    net::Task<Invitation> invite(UserWish wish, Principal principal);
    /// A new token in place of the old one: also for who forgot a password. Errors: kNotFound,
    /// kConflict (disabled).
    net::Task<Invitation> invite_again(std::string user_id, Principal principal);
    /// `active` or `disabled`. A disabled user's keys and sessions are refused. Errors: kNotFound,
    /// kConflict.
    net::Task<UserRecord> set_status(std::string user_id, std::string status, Principal principal);

    /// An administrator's: the whole installation's, unless the filter names a project; others':
    /// their project's.
    net::Task<std::vector<AuditEntry>> audit_trail(AuditFilter filter, Principal principal);

private:
    template <class F>
    auto read(F f);
    std::string make_token();

    Collaborators with_;
    DirectoryOptions options_;
};

}  // namespace nexa::accounts
