// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <tuple>
#include <vector>

#include "core/fields.h"
#include "orchestration/pool_scaler.h"

namespace nexa::nexad {

/// Who may become a user, how users sign in, and how much they may ask.
struct AccountSettings {
    static constexpr std::string_view kName = "AccountSettings";
    std::string registration = "invited";
    double invitation_days = 7;
    double session_idle_hours = 12;
    double session_days = 14;
    int password_cost_log2 = 15;
    double requests_per_second_of_user = 0;
    double requests_per_second_of_address = 0;
    std::vector<std::string> trusted_proxies;

    static constexpr auto fields() {
        return std::tuple{
            field(
                "registration",
                &AccountSettings::registration,
                "Who may become a user: anyone, whom an administrator invites, nobody new"
            )
                .one_of({"open", "invited", "closed"}),
            field(
                "invitation_days",
                &AccountSettings::invitation_days,
                "How long a set-up link is good"
            )
                .within(0.001, 365)
                .unit("days"),
            field(
                "session_idle_hours",
                &AccountSettings::session_idle_hours,
                "How long a session may be unused before it ends"
            )
                .within(0.001, 8760)
                .unit("hours"),
            field("session_days", &AccountSettings::session_days, "When any session ends")
                .within(0.001, 365)
                .unit("days"),
            field(
                "password_cost_log2",
                &AccountSettings::password_cost_log2,
                "Work to check a password: each step doubles time and memory; 15 is 32 MiB"
            )
                .within(10, 20),
            field(
                "requests_per_second_of_user",
                &AccountSettings::requests_per_second_of_user,
                "All of a user's keys and sessions together; 0: no limit"
            )
                .within(0, 1'000'000),
            field(
                "requests_per_second_of_address",
                &AccountSettings::requests_per_second_of_address,
                "From one network address; 0: no limit"
            )
                .within(0, 1'000'000),
            field(
                "trusted_proxies",
                &AccountSettings::trusted_proxies,
                "Addresses of proxies in front of the server, whose X-Forwarded-For is believed"
            ),
        };
    }
};

/// Where jobs, keys and the like lie.
struct DatabaseSettings {
    static constexpr std::string_view kName = "DatabaseSettings";
    std::string url;

    static constexpr auto fields() {
        return std::tuple{
            field(
                "url",
                &DatabaseSettings::url,
                "postgres://USER:PASSWORD@HOST:PORT/DATABASE, which several servers may share; "
                "empty: SQLite in `dir`"
            )
                .length(0, 4096)
                .secret(),
        };
    }
};

/// Where the files of datasets, checkpoints and results lie.
struct StorageSettings {
    static constexpr std::string_view kName = "StorageSettings";
    std::string url;
    std::string endpoint;
    std::string public_endpoint;
    std::string region;
    std::string style = "auto";
    std::string ca_file;
    double keep_unused_hours = 24;

    static constexpr auto fields() {
        return std::tuple{
            field(
                "url",
                &StorageSettings::url,
                "s3://bucket/prefix or "
                "gs://bucket/prefix; empty: in dir. Credentials come from AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY (gs: GCS_HMAC_KEY_ID and GCS_HMAC_SECRET), or from the "
                "files that these names with _FILE name"
            ),
            field(
                "endpoint",
                &StorageSettings::endpoint,
                "The store's own address, as https://nyc3.digitaloceanspaces.com or "
                "http://minio:9000; empty: Amazon's, or Google's"
            ),
            field(
                "public_endpoint",
                &StorageSettings::public_endpoint,
                "Its address for workers and users, if they reach it under another one"
            ),
            field("region", &StorageSettings::region, "The bucket's region; empty: us-east-1"),
            field(
                "style",
                &StorageSettings::style,
                "Where a URL names the bucket: in its path, in its host, or by what fits the "
                "endpoint"
            )
                .one_of({"auto", "path", "host"}),
            field(
                "ca_file",
                &StorageSettings::ca_file,
                "Certificates that the store is checked against; empty: the system's"
            ),
            field(
                "keep_unused_hours",
                &StorageSettings::keep_unused_hours,
                "How long files stay that no artifact names, or none any more; longer than a job "
                "takes from its first upload to its end"
            )
                .within(0, 8760)
                .unit("hours"),
        };
    }
};

/// Payment by Stripe. Off as long as there is no key.
struct StripeSettings {
    static constexpr std::string_view kName = "StripeSettings";
    std::string secret_key;
    std::string webhook_secret;
    std::string api_url = "https://api.stripe.com";
    std::string meter;
    int days_until_due = 30;

    static constexpr auto fields() {
        return std::tuple{
            field(
                "secret_key",
                &StripeSettings::secret_key,
                "A secret or restricted key of the account at Stripe; empty: Stripe is told nothing"
            )
                .length(0, 255)
                .secret(),
            field(
                "webhook_secret",
                &StripeSettings::webhook_secret,
                "What Stripe signs its events with; empty: no event is taken"
            )
                .length(0, 255)
                .secret(),
            field("api_url", &StripeSettings::api_url, "Where Stripe is").length(1, 255),
            field(
                "meter",
                &StripeSettings::meter,
                "Event name of a meter at Stripe that is told each job's cost, in millionths of a "
                "dollar; empty: Stripe is given the invoices of closed months"
            )
                .length(0, 100),
            field(
                "days_until_due",
                &StripeSettings::days_until_due,
                "Until an invoice is due; 0: Stripe charges the customer's card"
            )
                .within(0, 365),
        };
    }
};

/// What an operator can set: as a flag, NEXA_<NAME>, in nexa.yaml.
struct Settings {
    static constexpr std::string_view kName = "NexadSettings";
    std::string dir = "nexa-data";
    DatabaseSettings db;
    StorageSettings storage;
    std::string address = "127.0.0.1";
    int port = 8000;
    double lease_seconds = 60;
    double deploy_seconds = 120;
    std::vector<std::string> regions{"local"};
    std::string rate_card = "platform-1";
    AccountSettings accounts;
    StripeSettings stripe;
    std::vector<orchestration::ScalingPoolSettings> scaling;
    std::string log_level = "info";
    std::string log_format = "json";

    static constexpr auto fields() {
        return std::tuple{
            field("dir", &Settings::dir, "Folder of the database, artifacts and keys")
                .length(1, 4096),
            field("db", &Settings::db, "Database"),
            field("storage", &Settings::storage, "Where the bytes of artifacts lie"),
            field("address", &Settings::address, "Address to listen on").length(1, 255),
            field("port", &Settings::port, "Port to listen on; 0: any free one").within(0, 65535),
            field(
                "lease_seconds",
                &Settings::lease_seconds,
                "How long a worker may be silent before its job is given to another"
            )
                .within(1, 3600)
                .unit("s"),
            field(
                "deploy_seconds",
                &Settings::deploy_seconds,
                "How long a deploy job waits for a gateway that serves its model"
            )
                .within(1, 86400)
                .unit("s"),
            field(
                "regions",
                &Settings::regions,
                "Regions to deploy to, besides those that gateways reported from"
            ),
            field("rate_card", &Settings::rate_card, "Prices of new charges").length(1, 64),
            field("accounts", &Settings::accounts, "Users, sessions and limits"),
            field("stripe", &Settings::stripe, "Payment by Stripe"),
            field(
                "scaling",
                &Settings::scaling,
                "Pools whose workers are started and ended as jobs come and go"
            )
                .length(0, 100),
            field("log_level", &Settings::log_level, "Least level that is logged")
                .one_of({"debug", "info", "warning", "error", "off"}),
            field("log_format", &Settings::log_format, "One JSON object a line, or text for people")
                .one_of({"json", "text"}),
        };
    }
};

}  // namespace nexa::nexad
