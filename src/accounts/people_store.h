// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "accounts/key_store.h"
#include "accounts/roles.h"
#include "core/clock.h"
#include "core/result.h"
#include "core/sha256.h"
#include "db/tx.h"

namespace nexa::accounts {

struct UserRecord {
    std::string user_id;
    std::string name;
    std::optional<std::string> email;
    std::string status;  ///< invited, active or disabled
    bool is_admin = false;
    Timestamp created_at;
};

struct ProjectRecord {
    std::string project_id;
    std::string name;
    Timestamp created_at;
    std::optional<Role> role;  ///< of who asked
};

struct MemberRecord {
    std::string user_id;
    std::string name;
    std::optional<std::string> email;
    std::string status;
    Role role = Role::kViewer;
};

struct NewUser {
    std::string user_id;
    std::string name;
    std::optional<std::string> email;
    bool is_admin = false;
    bool is_invited = false;
};

/// Of ASCII letters; how names and addresses are stored and looked up.
std::string lower_case(std::string text);
/// Lower case, and one that can be neither an id nor an e-mail address. Errors: kInvalidArgument.
Result<std::string> checked_name(std::string name);
/// Lower case. Errors: kInvalidArgument.
Result<std::string> checked_email(std::string email);

/// Users, projects and members as rows. Every call is inside a transaction; the changing ones in
/// the writer's. None of them writes the audit trail or asks who may.
namespace people_store {

/// Errors: kConflict (name or address taken).
Result<UserRecord> add_user(db::Tx& tx, const NewUser& user);
Result<std::optional<UserRecord>> get_user(db::Tx& tx, const std::string& user_id);
/// By id, name or e-mail address. Errors: kNotFound.
Result<UserRecord> find_user(db::Tx& tx, const std::string& login);
Result<std::vector<UserRecord>> list_users(db::Tx& tx, const std::string& after, int limit);
/// To `active` or `disabled`. Errors: kNotFound, kConflict (invited, or the last administrator).
Status set_status(db::Tx& tx, const std::string& user_id, const std::string& status);

/// With its first owner. Errors: kConflict (name taken).
Result<ProjectRecord> add_project(
    db::Tx& tx, std::string project_id, std::string name, const std::string& owner_id
);
Result<bool> has_project(db::Tx& tx, const std::string& project_id);
/// Those that the user is a member of, or of them only `project_id`.
Result<std::vector<ProjectRecord>> projects_of(
    db::Tx& tx, const std::string& user_id, const std::optional<std::string>& project_id
);
Result<std::vector<ProjectRecord>> all_projects(db::Tx& tx, const std::string& user_id);

/// Who changes a member, and may appoint owners only if owner or `by_admin`.
struct Appointment {
    std::string project_id;
    std::string user_id;
    std::string actor_id;
    bool by_admin = false;
};
Result<std::vector<MemberRecord>> members_of(db::Tx& tx, const std::string& project_id);
/// Errors: kConflict (a member already), kPermissionDenied.
Result<MemberRecord> admit(db::Tx& tx, const Appointment& what, Role role);
/// Errors: kNotFound, kPermissionDenied, kConflict (the last owner).
Result<MemberRecord> change_role(db::Tx& tx, const Appointment& what, Role role);
/// Errors: as change_role().
Status remove(db::Tx& tx, const Appointment& what);

/// In place of all that the user has: only the newest can be taken. Returns its end.
Result<Timestamp> add_invitation(
    db::Tx& tx,
    const std::string& user_id,
    const Sha256Digest& sha256,
    std::chrono::microseconds lifetime
);
/// Uses the invitation up; nothing if it is unknown, used or over.
Result<std::optional<std::string>> take_invitation(db::Tx& tx, const Sha256Digest& sha256);

}  // namespace people_store

}  // namespace nexa::accounts
