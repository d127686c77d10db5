// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "accounts/key_store.h"
#include "core/clock.h"
#include "core/result.h"
#include "db/tx.h"

namespace nexa::accounts {

/// What is to be remembered of a change. Never holds a secret.
struct AuditNote {
    std::string_view action;  ///< "key.created": what, and what happened to it
    std::string target;       ///< the id of what was changed
    std::map<std::string, std::string> details = {};
    /// Where, if not in the principal's project; empty text: in the installation.
    std::optional<std::string> project_id = {};
};

struct AuditEntry {
    std::int64_t sequence = 0;
    Timestamp at;
    std::string action;
    std::optional<std::string> user_id;
    std::optional<std::string> key_id;
    std::optional<std::string> project_id;
    std::string target;
    std::string address;
    std::map<std::string, std::string> details;
};

struct AuditFilter {
    std::optional<std::string> project_id;  ///< none: the whole installation
    std::optional<std::string> action;
    std::int64_t before = std::numeric_limits<std::int64_t>::max();
    int limit = 20;
};

/// Who changed what, for ever: rows are added and never changed.
namespace audit_store {

/// In the transaction of the change itself, so that neither is there without the other. `by` may be
/// empty but for its address: nobody we know, or the installation itself.
Status add(db::Tx& tx, const Principal& by, AuditNote note);
/// Newest first.
Result<std::vector<AuditEntry>> list(db::Tx& tx, const AuditFilter& filter);

}  // namespace audit_store

}  // namespace nexa::accounts
