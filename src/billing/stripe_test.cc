// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <memory>
#include <optional>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "billing/billing_sql.h"
#include "billing/invoices.h"
#include "billing/ledger.h"
#include "billing/stripe_client.h"
#include "billing/stripe_events.h"
#include "billing/stripe_sync.h"
#include "billing/usage_store.h"
#include "crypto/hex.h"
#include "crypto/hmac.h"
#include "db/migrations.h"
#include "db/writer.h"
#include "fakes/databases.h"
#include "fakes/manual_clock.h"
#include "fakes/seeded_random.h"

namespace nexa::billing {
namespace {

constexpr std::string_view kSecret = "whsec_test";

std::string signed_header(std::int64_t time, std::string_view payload) {
    const std::string mac =
        crypto::to_hex(crypto::hmac_sha256(kSecret, fmt::format("{}.{}", time, payload)));
    return fmt::format("t={},v1={}", time, mac);
}

TEST(StripeSignature, IsGoodForFiveMinutesAndForThesePayloadBytesOnly) {
    constexpr std::int64_t kTime = 1'700'000'000;
    const Timestamp signed_at{std::chrono::seconds{kTime}};
    const std::string header = signed_header(kTime, "{}");
    const auto good = [&](std::chrono::seconds later) {
        return check_stripe_signature(header, "{}", kSecret, signed_at + later).has_value();
    };
    EXPECT_TRUE(good(std::chrono::seconds{0}));
    EXPECT_TRUE(good(std::chrono::seconds{300}));
    EXPECT_FALSE(good(std::chrono::seconds{301}));
    EXPECT_TRUE(good(std::chrono::seconds{-300}));
    EXPECT_FALSE(good(std::chrono::seconds{-301}));
    EXPECT_FALSE(check_stripe_signature(header, "{} ", kSecret, signed_at));
    EXPECT_FALSE(check_stripe_signature(header, "{}", "whsec_other", signed_at));
    // While a secret is replaced, Stripe signs with both.
    EXPECT_TRUE(check_stripe_signature(fmt::format("{},v1=00", header), "{}", kSecret, signed_at));
    for (const std::string_view bad :
         {"", "t=", "v1=", "t=1700000000", "t=99999999999999999999,v1=00", "t=-1,v1=00", ",,,"}) {
        EXPECT_EQ(
            check_stripe_signature(bad, "{}", kSecret, signed_at).error().code,
            ErrorCode::kUnauthenticated
        ) << bad;
    }
}

TEST(StripeForm, IsPercentEncoded) {
    EXPECT_EQ(
        encode_form({{"metadata[a]", "b c&d"}, {"e", "="}}), "metadata%5Ba%5D=b%20c%26d&e=%3D"
    );
}

TEST(StripeItems, AddUpToTheInvoiceInCents) {
    const auto items = items_of(
        {.month = "2026-10",
         .lines =
             {
                 {.kind = "charge", .amount_microusd = 3'333},
                 {.kind = "charge", .amount_microusd = 3'333},
                 {.kind = "charge", .amount_microusd = 1'003'334},
                 {.kind = "refund", .amount_microusd = -500'000},
                 {.kind = "rounding", .amount_microusd = -10'000 + 10'000},
             }}
    );
    std::int64_t sum = 0;
    for (const StripeItem& item : items) {
        sum += item.cents;
    }
    EXPECT_EQ(sum, 51);
    EXPECT_EQ(items.size(), 3U);
}

TEST(StripePause, GrowsToHalfAnHour) {
    EXPECT_EQ(stripe_pause(1), std::chrono::seconds{2});
    EXPECT_EQ(stripe_pause(3), std::chrono::seconds{8});
    EXPECT_EQ(stripe_pause(1'000'000), std::chrono::seconds{2048});
}

class StripeEventsTest : public fakes::OnBothDatabases {
protected:
    void SetUp() override {
        fakes::OnBothDatabases::SetUp();
        if (IsSkipped()) {
            return;
        }
        clock.set_wall(parse_rfc3339("2026-10-30T12:00:00Z").value());
        store.emplace(GetParam(), clock);
        database = store->open();
        ASSERT_TRUE(db::migrate(*database, {sql::migrations()}));
        writer = std::make_unique<db::Writer>(*database);
        ASSERT_TRUE(writer->run([](db::Tx& tx) {
            return usage_store::record(
                tx,
                default_rate_card(),
                {.job_id = "job_1",
                 .job_type = "train",
                 .tenant_id = "prj_a",
                 .user_id = "u",
                 .key_id = "k",
                 .usage = {.gpu_seconds = 3600}}
            );
        }));
        clock.set_wall(parse_rfc3339("2026-11-02T00:00:00Z").value());
        const auto invoice = writer->run([id = ids.make<InvoiceId>()](db::Tx& tx) {
            return invoices::close_month(tx, "prj_a", month_named("2026-10").value(), id);
        });
        ASSERT_TRUE(invoice) << invoice.error().to_string();
        invoice_id = (*invoice)->invoice_id;
    }
    Result<TakenEvent> take(const std::string& payload) {
        return writer->run([&](db::Tx& tx) { return take_stripe_event(tx, payload); });
    }
    std::string paid(const std::string& id, const std::string& type = "invoice.paid") const {
        return fmt::format(
            R"({{"id":"{}","type":"{}","data":{{"object":{{"id":"in_1","amount_paid":250,)"
            R"("metadata":{{"nexa_invoice_id":"{}"}}}}}}}})",
            id,
            type,
            invoice_id
        );
    }
    std::string refunded(const std::string& id, int cents) const {
        return fmt::format(
            R"({{"id":"{}","type":"charge.refunded","data":{{"object":{{"id":"ch_1",)"
            R"("amount_refunded":{},"metadata":{{"nexa_invoice_id":"{}"}}}}}}}})",
            id,
            cents,
            invoice_id
        );
    }
    std::string state() {
        return database
            ->read([&](db::Tx& tx) { return invoices::get(tx, invoice_id, std::nullopt); })
            ->state;
    }
    MicroUsd cash() {
        const auto sums =
            database->read([](db::Tx& tx) { return ledger::balances(tx, "prj_a"); }).value();
        const auto found = sums.find("cash");
        return found == sums.end() ? MicroUsd(0) : found->second;
    }

    fakes::ManualClock clock;
    fakes::SeededRandom random{7};
    IdSource ids{clock, random};
    std::optional<fakes::TestDatabase> store;
    std::unique_ptr<db::Database> database;
    std::unique_ptr<db::Writer> writer;
    std::string invoice_id;
};

TEST_P(StripeEventsTest, APaymentIsTakenOnceWhateverIsReplayed) {
    EXPECT_TRUE(take(paid("evt_1"))->is_new);
    EXPECT_FALSE(take(paid("evt_1"))->is_new);
    // Stripe tells a payment by two kinds of event.
    EXPECT_TRUE(take(paid("evt_2", "invoice.payment_succeeded"))->is_new);
    EXPECT_EQ(cash(), MicroUsd(2'500'000));
    EXPECT_EQ(state(), "paid");
}

TEST_P(StripeEventsTest, AFailureThatIsHeardOfAfterThePaymentChangesNothing) {
    ASSERT_TRUE(take(paid("evt_2")));
    ASSERT_TRUE(take(paid("evt_1", "invoice.payment_failed")));
    EXPECT_EQ(state(), "paid");
    EXPECT_EQ(cash(), MicroUsd(2'500'000));
}

TEST_P(StripeEventsTest, AFailedPaymentMakesTheInvoicePastDueUntilItIsPaid) {
    ASSERT_TRUE(take(paid("evt_1", "invoice.payment_failed")));
    EXPECT_EQ(state(), "past_due");
    EXPECT_EQ(cash(), MicroUsd(0));
    ASSERT_TRUE(take(paid("evt_2")));
    EXPECT_EQ(state(), "paid");
}

TEST_P(StripeEventsTest, ARefundIsTheSameInWhateverOrderItIsToldIn) {
    ASSERT_TRUE(take(refunded("evt_3", 250)));
    ASSERT_TRUE(take(refunded("evt_2", 100)));
    ASSERT_TRUE(take(paid("evt_1")));
    ASSERT_TRUE(take(refunded("evt_3", 250)));
    EXPECT_EQ(cash(), MicroUsd(0));
    EXPECT_EQ(state(), "refunded");
}

TEST_P(StripeEventsTest, WhatIsNotOursIsNotedAndDoesNothing) {
    const auto other = take(
        R"({"id":"evt_9","type":"invoice.paid","data":{"object":{"id":"in_9","amount_paid":1}}})"
    );
    ASSERT_TRUE(other);
    EXPECT_EQ(other->invoice_id, "");
    EXPECT_EQ(cash(), MicroUsd(0));
    for (const char* const bad :
         {"",
          "[]",
          "{}",
          R"({"id":"e","type":"t"})",
          R"({"id":"e","type":"t","data":{}})",
          R"({"id":"","type":"t","data":{"object":{}}})",
          R"({"id":1,"type":2,"data":3})"}) {
        EXPECT_FALSE(take(bad)) << bad;
    }
    EXPECT_TRUE(take(R"({"id":"e","type":"t","data":{"object":{"amount_paid":"x","metadata":7}}})")
    );
}

NEXA_ON_BOTH_DATABASES(StripeEventsTest);

}  // namespace
}  // namespace nexa::billing
