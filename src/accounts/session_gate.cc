// SPDX-License-Identifier: Apache-2.0
#include "accounts/session_gate.h"

#include <utility>

#include <fmt/format.h>

#include "accounts/accounts_sql.h"
#include "accounts/audit_store.h"
#include "accounts/scopes.h"
#include "core/sha256.h"
#include "crypto/base64.h"
#include "crypto/hex.h"
#include "crypto/hmac.h"
#include "net/commit.h"

namespace nexa::accounts {

namespace {

constexpr std::size_t kTokenBytes = 32;
constexpr std::size_t kTokenCharacters = 43;
constexpr std::size_t kPasswordBytesMin = 10;
constexpr std::size_t kPasswordBytesMax = 512;

struct SessionTag {
    static constexpr std::string_view kPrefix = "ses_";
};
using SessionId = Id<SessionTag>;

/// One answer, so that a guess learns nothing.
Error wrong_password() {
    return Error::unauthenticated("the user or the password is wrong");
}

Error bad_session() {
    return Error::unauthenticated("the session is over").hint("log in again");
}

Error bad_invitation() {
    return Error::unauthenticated("the set-up link is not valid any more")
        .hint("ask an administrator for a new one");
}

Status check_password_text(const Secret& password, std::string_view name) {
    const std::size_t size = password.reveal().size();
    if (size < kPasswordBytesMin || size > kPasswordBytesMax) {
        return Error::invalid_argument(
                   "must have {} to {} bytes", kPasswordBytesMin, kPasswordBytesMax
        )
            .at(name);
    }
    return {};
}

Status check_session(const Principal& principal) {
    if (!principal.is_session) {
        return Error::permission_denied("an API key has no session").hint("log in first");
    }
    return {};
}

Status note(
    db::Tx& tx, std::string_view action, const std::string& user_id, const std::string& address
) {
    const Principal by{.user_id = user_id, .address = address};
    return audit_store::add(tx, by, {.action = action, .target = user_id});
}

/// Names are unique in an installation: another's project may have the user's.
Status add_own_project(
    db::Tx& tx, const std::string& project_id, const std::string& name, const std::string& user_id
) {
    TRY(auto made, tx.query_one(sql::kAddProject, {{"project_id", project_id}, {"name", name}}));
    if (!made) {
        const std::string longer =
            fmt::format("{}-{}", name, project_id.substr(project_id.size() - 8));
        TRY(made, tx.query_one(sql::kAddProject, {{"project_id", project_id}, {"name", longer}}));
    }
    if (!made) {
        return Error::conflict("the name '{}' is taken", name).at("name");
    }
    TRY_STATUS(tx.execute(
        sql::kAddMember, {{"project_id", project_id}, {"user_id", user_id}, {"role", "owner"}}
    ));
    return {};
}

Result<UserRecord> known_user(db::Tx& tx, const std::string& user_id) {
    TRY(auto user, people_store::get_user(tx, user_id));
    if (!user) {
        return bad_session();
    }
    return *std::move(user);
}

/// What a session may do in a project; of an administrator also outside.
Status choose_project(
    db::Tx& tx, Principal& principal, const std::optional<std::string>& project_id
) {
    TRY(const auto projects, people_store::projects_of(tx, principal.user_id, project_id));
    if (!projects.empty()) {
        principal.project_id = projects.front().project_id;
        principal.role = projects.front().role;
    } else if (project_id) {
        TRY(const bool exists, people_store::has_project(tx, *project_id));
        if (!exists || !principal.is_admin) {
            return Error::not_found("there is no project {}", *project_id).at("project_id");
        }
        principal.project_id = *project_id;
    }
    principal.scopes = scopes_of_user(principal.role, principal.is_admin);
    return {};
}

}  // namespace

std::string csrf_token(std::string_view session_token) {
    return crypto::to_hex(crypto::hmac_sha256(session_token, "nexa csrf 1"));
}

SessionGate::SessionGate(Collaborators with, SessionOptions options)
    : with_(with),
      options_(options),
      unmatched_(crypto::unmatched_password(options_.cost, with.random)),
      limiter_(with.clock) {}

RateVerdict SessionGate::admit(const std::string& address, const std::string& login) {
    const RateVerdict from_there = limiter_.take("a " + address, options_.tries_per_address);
    if (!from_there.allowed || login.empty()) {
        return from_there;
    }
    // Whoever guesses from one place does not keep the user out who comes from another.
    const std::string user = lower_case(login);
    const RateVerdict from_there_as_user =
        limiter_.take(fmt::format("ua {} {}", address, user), options_.tries_per_user_and_address);
    return from_there_as_user.allowed ? limiter_.take("u " + user, options_.tries_per_user)
                                      : from_there_as_user;
}

SessionGate::NewSession SessionGate::new_session() {
    std::string bytes(kTokenBytes, '\0');
    with_.random.fill(std::as_writable_bytes(std::span(bytes)));
    NewSession session{
        .session_id = with_.ids.make<SessionId>().text(),
        .token = crypto::to_base64(bytes, crypto::Base64Form::kUrl),
        .sha256 = {},
    };
    session.sha256 = nexa::sha256(session.token);
    return session;
}

net::Task<std::optional<SessionGate::Known>> SessionGate::find_password(std::string login) {
    auto look_up = [&database = with_.database, login = std::move(login)] {
        return database.read([&](db::Tx& tx) -> Result<std::optional<Known>> {
            TRY(const auto row, tx.query_one(sql::kFindPassword, {{"login", login}}));
            if (!row) {
                return std::nullopt;
            }
            return std::optional(
                Known{.user_id = row->text("user_id"), .encoded = row->text("encoded")}
            );
        });
    };
    co_return co_await net::run_on(with_.pool, std::move(look_up));
}

net::Task<std::string> SessionGate::hashed(Secret password) {
    auto hash = [this, password = std::move(password)] {
        return crypto::blocking::hash_password(password.reveal(), options_.cost, with_.random);
    };
    co_return co_await net::run_on(with_.hashing, std::move(hash));
}

net::Task<std::optional<std::string>> SessionGate::checked(
    Secret password, std::optional<Known> known
) {
    auto check = [this, password = std::move(password), known = std::move(known)](
                 ) -> Result<std::optional<std::string>> {
        const std::string& encoded = known ? known->encoded : unmatched_;
        TRY(const auto verdict,
            crypto::blocking::check_password(password.reveal(), encoded, options_.cost));
        if (!known || !verdict.matches) {
            return std::nullopt;
        }
        if (!verdict.outdated) {
            return std::optional(encoded);
        }
        TRY(auto again,
            crypto::blocking::hash_password(password.reveal(), options_.cost, with_.random));
        return std::optional(std::move(again));
    };
    co_return co_await net::run_on(with_.hashing, std::move(check));
}

net::Task<void> SessionGate::note_refusal(std::string address, std::optional<Known> known) {
    // What was typed as the user may be a password: only a known user's id is kept.
    auto apply = [address = std::move(address), known = std::move(known)](db::Tx& tx) -> Status {
        const Principal nobody{.address = address};
        return audit_store::add(
            tx, nobody, {.action = "session.refused", .target = known ? known->user_id : "unknown"}
        );
    };
    co_return co_await net::commit(with_.writer, std::move(apply));
}

Status SessionGate::begin(
    db::Tx& tx,
    const NewSession& session,
    const Known& who,
    std::chrono::microseconds lifetime,
    const std::string& address
) {
    TRY(const auto begun,
        tx.execute(
            sql::kAddSession,
            {
                {"session_id", session.session_id},
                {"user_id", who.user_id},
                {"sha256", session.sha256},
                {"encoded", who.encoded},
                {"lifetime_us", lifetime},
            }
        ));
    if (begun == 0) {
        return wrong_password();
    }
    const Principal by{.user_id = who.user_id, .key_id = session.session_id, .address = address};
    return audit_store::add(tx, by, {.action = "session.started", .target = session.session_id});
}

net::Task<SignedIn> SessionGate::log_in(Credentials with) {
    CO_TRY(auto known, co_await find_password(lower_case(with.login)));
    CO_TRY(auto encoded, co_await checked(std::move(with.password), known));
    if (!known || !encoded) {
        CO_TRY_STATUS(co_await note_refusal(with.address, std::move(known)));
        co_return wrong_password();
    }
    const NewSession session = new_session();
    auto apply = [session,
                  known = *known,
                  encoded = *std::move(encoded),
                  options = options_,
                  address = with.address](db::Tx& tx) -> Result<UserRecord> {
        if (encoded != known.encoded) {
            TRY_STATUS(tx.execute(
                sql::kReplacePassword,
                {{"user_id", known.user_id}, {"encoded", encoded}, {"old_encoded", known.encoded}}
            ));
        }
        TRY_STATUS(tx.execute(sql::kForgetSessions, {{"idle_us", options.idle_max}}));
        const Known now{.user_id = known.user_id, .encoded = encoded};
        TRY_STATUS(begin(tx, session, now, options.lifetime, address));
        return known_user(tx, known.user_id);
    };
    CO_TRY(auto user, co_await net::commit(with_.writer, std::move(apply)));
    limiter_.give_back("a " + with.address, options_.tries_per_address);
    const std::string login = lower_case(with.login);
    limiter_.give_back(
        fmt::format("ua {} {}", with.address, login), options_.tries_per_user_and_address
    );
    limiter_.give_back("u " + login, options_.tries_per_user);
    co_return SignedIn{.token = session.token, .user = std::move(user)};
}

net::Task<SignedIn> SessionGate::sign_up(SignUp wish) {
    if (options_.registration != Registration::kOpen) {
        co_return Error::permission_denied("this installation is not open for registration")
            .hint("ask an administrator for an invitation");
    }
    CO_TRY_STATUS(check_password_text(wish.password, "password"));
    NewUser user{.user_id = with_.ids.make<UserId>().text()};
    CO_TRY(user.name, checked_name(std::move(wish.name)));
    if (wish.email) {
        CO_TRY(user.email, checked_email(*std::move(wish.email)));
    }
    CO_TRY(std::string encoded, co_await hashed(std::move(wish.password)));
    const NewSession session = new_session();
    auto apply = [session,
                  user,
                  project_id = with_.ids.make<ProjectId>().text(),
                  encoded = std::move(encoded),
                  options = options_,
                  address = std::move(wish.address)](db::Tx& tx) -> Result<UserRecord> {
        TRY(UserRecord added, people_store::add_user(tx, user));
        TRY_STATUS(tx.execute(sql::kSetPassword, {{"user_id", user.user_id}, {"encoded", encoded}})
        );
        TRY_STATUS(add_own_project(tx, project_id, user.name, user.user_id));
        TRY_STATUS(note(tx, "user.registered", user.user_id, address));
        const Known now{.user_id = user.user_id, .encoded = encoded};
        TRY_STATUS(begin(tx, session, now, options.lifetime, address));
        return added;
    };
    CO_TRY(auto added, co_await net::commit(with_.writer, std::move(apply)));
    co_return SignedIn{.token = session.token, .user = std::move(added)};
}

net::Task<SignedIn> SessionGate::set_up(SetUp with) {
    CO_TRY_STATUS(check_password_text(with.password, "password"));
    CO_TRY(std::string encoded, co_await hashed(std::move(with.password)));
    const NewSession session = new_session();
    auto apply = [session,
                  invitation = nexa::sha256(with.token),
                  encoded = std::move(encoded),
                  options = options_,
                  address = std::move(with.address)](db::Tx& tx) -> Result<UserRecord> {
        TRY(const auto user_id, people_store::take_invitation(tx, invitation));
        if (!user_id) {
            return bad_invitation();
        }
        TRY(const auto activated, tx.execute(sql::kActivateUser, {{"user_id", *user_id}}));
        if (activated == 0) {
            return bad_invitation();
        }
        TRY_STATUS(tx.execute(sql::kSetPassword, {{"user_id", *user_id}, {"encoded", encoded}}));
        TRY_STATUS(tx.execute(sql::kEndSessions, {{"user_id", *user_id}, {"kept_id", ""}}));
        TRY_STATUS(note(tx, "user.set_up", *user_id, address));
        const Known now{.user_id = *user_id, .encoded = encoded};
        TRY_STATUS(begin(tx, session, now, options.lifetime, address));
        return known_user(tx, *user_id);
    };
    CO_TRY(auto user, co_await net::commit(with_.writer, std::move(apply)));
    co_return SignedIn{.token = session.token, .user = std::move(user)};
}

Result<std::optional<SessionGate::FoundSession>> SessionGate::find(
    db::Tx& tx,
    const Sha256Digest& sha256,
    std::chrono::microseconds idle_max,
    const std::optional<std::string>& project_id
) {
    TRY(const auto row,
        tx.query_one(sql::kFindSession, {{"sha256", sha256}, {"idle_us", idle_max}}));
    if (!row) {
        return std::nullopt;
    }
    FoundSession found{
        .principal =
            {
                .user_id = row->text("user_id"),
                .key_id = row->text("id"),
                .is_admin = row->boolean("is_admin"),
                .is_session = true,
            },
        .last_seen_at = row->timestamp("last_seen_at"),
    };
    TRY_STATUS(choose_project(tx, found.principal, project_id));
    return std::optional(std::move(found));
}

net::Task<Principal> SessionGate::authenticate(
    std::string token, std::optional<std::string> project_id
) {
    if (token.size() != kTokenCharacters) {
        co_return bad_session();
    }
    auto look_up = [this, sha256 = nexa::sha256(token), project_id = std::move(project_id)] {
        return with_.database.read([&](db::Tx& tx) {
            return find(tx, sha256, options_.idle_max, project_id);
        });
    };
    CO_TRY(auto found, co_await net::run_on(with_.pool, std::move(look_up)));
    if (!found) {
        co_return bad_session();
    }
    note_use(*found);
    co_return std::move(found->principal);
}

void SessionGate::note_use(const FoundSession& found) {
    if (with_.clock.now() - found.last_seen_at < options_.touch_every) {
        return;
    }
    // Nobody waits for it: a failed write ends an idle session a minute early.
    const Status handed_over = with_.writer.submit(
        [session_id = found.principal.key_id](db::Tx& tx) -> Status {
            TRY_STATUS(tx.execute(sql::kTouchSession, {{"session_id", session_id}}));
            return {};
        },
        [](const Status&) {}
    );
    static_cast<void>(handed_over);
}

net::Task<void> SessionGate::log_out(Principal principal) {
    CO_TRY_STATUS(check_session(principal));
    auto apply = [by = std::move(principal)](db::Tx& tx) -> Status {
        TRY_STATUS(
            tx.execute(sql::kEndSession, {{"session_id", by.key_id}, {"user_id", by.user_id}})
        );
        return audit_store::add(tx, by, {.action = "session.ended", .target = by.key_id});
    };
    co_return co_await net::commit(with_.writer, std::move(apply));
}

net::Task<void> SessionGate::log_out_everywhere(Principal principal) {
    CO_TRY_STATUS(check_session(principal));
    auto apply = [by = std::move(principal)](db::Tx& tx) -> Status {
        TRY_STATUS(tx.execute(sql::kEndSessions, {{"user_id", by.user_id}, {"kept_id", ""}}));
        return audit_store::add(tx, by, {.action = "session.all_ended", .target = by.user_id});
    };
    co_return co_await net::commit(with_.writer, std::move(apply));
}

net::Task<void> SessionGate::change_password(
    Secret old_password, Secret new_password, Principal principal
) {
    CO_TRY_STATUS(check_session(principal));
    CO_TRY_STATUS(check_password_text(new_password, "new_password"));
    CO_TRY(auto known, co_await find_password(principal.user_id));
    CO_TRY(const auto right, co_await checked(std::move(old_password), known));
    if (!known || !right) {
        CO_TRY_STATUS(co_await note_refusal(principal.address, std::move(known)));
        co_return wrong_password();
    }
    CO_TRY(std::string encoded, co_await hashed(std::move(new_password)));
    auto apply = [known = *std::move(known),
                  encoded = std::move(encoded),
                  by = std::move(principal)](db::Tx& tx) -> Status {
        TRY(const auto changed,
            tx.execute(
                sql::kReplacePassword,
                {{"user_id", by.user_id}, {"encoded", encoded}, {"old_encoded", known.encoded}}
            ));
        if (changed == 0) {
            return Error::conflict("the password was changed meanwhile");
        }
        TRY_STATUS(tx.execute(sql::kEndSessions, {{"user_id", by.user_id}, {"kept_id", by.key_id}})
        );
        return audit_store::add(tx, by, {.action = "password.changed", .target = by.user_id});
    };
    co_return co_await net::commit(with_.writer, std::move(apply));
}

net::Task<UserRecord> SessionGate::user(std::string user_id) {
    auto look_up = [&database = with_.database, user_id = std::move(user_id)] {
        return database.read([&](db::Tx& tx) { return known_user(tx, user_id); });
    };
    co_return co_await net::run_on(with_.pool, std::move(look_up));
}

}  // namespace nexa::accounts
