// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "accounts/people_store.h"
#include "accounts/rate_limiter.h"
#include "core/clock.h"
#include "core/ids.h"
#include "core/random.h"
#include "core/secrets.h"
#include "crypto/password.h"
#include "db/database.h"
#include "db/writer.h"
#include "net/pools.h"
#include "net/task.h"

namespace nexa::accounts {

/// Who may become a user.
enum class Registration : std::uint8_t {
    kOpen,     ///< anyone
    kInvited,  ///< whom an administrator invited
    kClosed,   ///< nobody new
};

struct SessionOptions {
    Registration registration = Registration::kInvited;
    crypto::PasswordCost cost = {};
    std::chrono::microseconds idle_max = std::chrono::hours{12};  ///< an unused session ends
    std::chrono::microseconds lifetime = std::chrono::days{14};   ///< any session ends
    std::chrono::microseconds touch_every = std::chrono::minutes{1};
    /// Attempts to sign in. A success gives back what it took.
    Rate tries_per_user_and_address{.per_second = 1.0 / 30, .burst = 10};
    Rate tries_per_user{.per_second = 1.0 / 3, .burst = 100};
    Rate tries_per_address{.per_second = 0.5, .burst = 30};
};

/// A session that just began: the only moment its token exists outside its owner's hands.
struct SignedIn {
    std::string token;
    UserRecord user;
};

/// What a client shows with every change that it asks for by cookie: it can be known only by who
/// has been given the session's token or an answer of ours.
std::string csrf_token(std::string_view session_token);

/// Signs users in and out with passwords, and turns a session's token into who is behind it. Of a
/// token only the SHA-256 is stored. Every change is one transaction with its entry in the audit
/// trail. Thread-safe; all collaborators outlive it.
///
/// A password is hashed on `hashing`, whose threads bound how much memory that takes at once and
/// whose queue how much waits (kResourceExhausted).
class SessionGate {
public:
    struct Collaborators {
        db::Database& database;
        db::Writer& writer;
        net::WorkPool& pool;     ///< for blocking reads
        net::WorkPool& hashing;  ///< for passwords
        IdSource& ids;
        const Clock& clock;
        Random& random;
    };
    explicit SessionGate(Collaborators with, SessionOptions options = {});

    /// To be asked before each attempt below, with the login it is for or "". The attempt counts.
    RateVerdict admit(const std::string& address, const std::string& login);

    struct Credentials {
        std::string login;  ///< name or e-mail address
        Secret password;
        std::string address;
    };
    /// Errors: kUnauthenticated, with the same message and after the same work for an unknown user,
    /// one who is disabled, and a wrong password.
    net::Task<SignedIn> log_in(Credentials with);

    struct SignUp {
        std::string name;
        std::optional<std::string> email;
        Secret password;
        std::string address;
    };
    /// A new user with a project of the own name. Errors: kPermissionDenied (registration is not
    /// open), kConflict (name or address taken), kInvalidArgument.
    net::Task<SignedIn> sign_up(SignUp wish);

    struct SetUp {
        std::string token;  ///< an invitation's
        Secret password;
        std::string address;
    };
    /// Sets the invited user's password; ends all other sessions of that user. Errors:
    /// kUnauthenticated (unknown, used or expired token), kInvalidArgument.
    net::Task<SignedIn> set_up(SetUp with);

    /// In the project `project_id`, or in the user's oldest. Errors: kUnauthenticated, kNotFound (a
    /// project that this user cannot reach).
    net::Task<Principal> authenticate(std::string token, std::optional<std::string> project_id);

    /// Errors of these three: kPermissionDenied for a principal that is no session.
    net::Task<void> log_out(Principal principal);
    net::Task<void> log_out_everywhere(Principal principal);
    /// Ends all other sessions of the user. Errors: kUnauthenticated (the old one is wrong),
    /// kInvalidArgument, kConflict (changed meanwhile).
    net::Task<void> change_password(Secret old_password, Secret new_password, Principal principal);

    net::Task<UserRecord> user(std::string user_id);

private:
    struct NewSession {
        std::string session_id;
        std::string token;
        Sha256Digest sha256;
    };
    struct Known {
        std::string user_id;
        std::string encoded;
    };
    struct FoundSession {
        Principal principal;
        Timestamp last_seen_at;
    };
    NewSession new_session();
    net::Task<std::optional<Known>> find_password(std::string login);
    net::Task<std::string> hashed(Secret password);
    /// The encoded hash to store from now on if the password is right.
    net::Task<std::optional<std::string>> checked(Secret password, std::optional<Known> known);
    net::Task<void> note_refusal(std::string address, std::optional<Known> known);
    static Status begin(
        db::Tx& tx,
        const NewSession& session,
        const Known& who,
        std::chrono::microseconds lifetime,
        const std::string& address
    );
    static Result<std::optional<FoundSession>> find(
        db::Tx& tx,
        const Sha256Digest& sha256,
        std::chrono::microseconds idle_max,
        const std::optional<std::string>& project_id
    );
    void note_use(const FoundSession& found);

    Collaborators with_;
    SessionOptions options_;
    std::string unmatched_;
    RateLimiter limiter_;
};

}  // namespace nexa::accounts
