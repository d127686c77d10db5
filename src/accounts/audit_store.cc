// SPDX-License-Identifier: Apache-2.0
#include "accounts/audit_store.h"

#include "accounts/accounts_sql.h"
#include "core/json.h"
#include "core/json_codec.h"

namespace nexa::accounts::audit_store {

namespace {

std::optional<std::string> unless_empty(std::string text) {
    return text.empty() ? std::nullopt : std::optional(std::move(text));
}

}  // namespace

Status add(db::Tx& tx, const Principal& by, AuditNote note) {
    TRY_STATUS(tx.execute(
        sql::kAddAudit,
        {
            {"action", note.action},
            {"user_id", unless_empty(by.user_id)},
            {"key_id", unless_empty(by.key_id)},
            {"project_id", unless_empty(std::move(note.project_id).value_or(by.project_id))},
            {"target", std::move(note.target)},
            {"address", by.address},
            {"details", to_json(note.details)},
        }
    ));
    return {};
}

Result<std::vector<AuditEntry>> list(db::Tx& tx, const AuditFilter& filter) {
    TRY(const auto rows,
        tx.query(
            sql::kListAudit,
            {
                {"before", filter.before},
                {"project_id", filter.project_id},
                {"action", filter.action},
                {"limit", filter.limit},
            }
        ));
    std::vector<AuditEntry> entries;
    entries.reserve(rows.size());
    for (const db::Row& row : rows) {
        using Details = std::map<std::string, std::string>;
        TRY(Details details, from_json<Details>(row.text("details")));
        entries.push_back({
            .sequence = row.int64("sequence"),
            .at = row.timestamp("at"),
            .action = row.text("action"),
            .user_id = row.optional_text("user_id"),
            .key_id = row.optional_text("key_id"),
            .project_id = row.optional_text("project_id"),
            .target = row.text("target"),
            .address = row.text("address"),
            .details = std::move(details),
        });
    }
    return entries;
}

}  // namespace nexa::accounts::audit_store
