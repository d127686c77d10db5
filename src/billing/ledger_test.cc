// SPDX-License-Identifier: Apache-2.0
#include "billing/ledger.h"

#include <memory>
#include <optional>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "billing/billing_sql.h"
#include "billing/budgets.h"
#include "billing/invoices.h"
#include "billing/usage_store.h"
#include "db/migrations.h"
#include "db/writer.h"
#include "fakes/databases.h"
#include "fakes/manual_clock.h"
#include "fakes/seeded_random.h"

namespace nexa::billing {
namespace {

constexpr const char* kProject = "prj_a";

class LedgerTest : public fakes::OnBothDatabases {
protected:
    void SetUp() override {
        fakes::OnBothDatabases::SetUp();
        if (IsSkipped()) {
            return;
        }
        clock.set_wall(parse_rfc3339("2026-10-30T12:00:00Z").value());
        store.emplace(GetParam(), clock);
        database = store->open();
        const auto migrated = db::migrate(*database, {sql::migrations()});
        ASSERT_TRUE(migrated) << migrated.error().to_string();
        writer = std::make_unique<db::Writer>(*database);
    }

    template <class F>
    auto write(F f) {
        return writer->run(std::move(f));
    }
    template <class F>
    auto read(F f) {
        return database->read(std::move(f));
    }
    void charge(
        const std::string& job_id, protocol::Usage usage, const std::string& key = "key_1"
    ) {
        const auto written = write([&](db::Tx& tx) {
            return usage_store::record(
                tx,
                default_rate_card(),
                {.job_id = job_id,
                 .job_type = "train",
                 .tenant_id = kProject,
                 .user_id = "usr_1",
                 .key_id = key,
                 .usage = usage}
            );
        });
        ASSERT_TRUE(written) << written.error().to_string();
    }
    Result<std::optional<protocol::InvoiceView>> close(const std::string& month) {
        return write([&, id = ids.make<InvoiceId>()](db::Tx& tx) {
            return invoices::close_month(tx, kProject, month_named(month).value(), id);
        });
    }
    Result<protocol::RefundView> refund(const RefundWish& wish) {
        return write([&](db::Tx& tx) { return ledger::refund(tx, wish); });
    }
    MicroUsd balance(std::string_view account) {
        const auto sums = read([](db::Tx& tx) { return ledger::balances(tx, kProject); }).value();
        const auto found = sums.find(std::string(account));
        return found == sums.end() ? MicroUsd(0) : found->second;
    }
    std::size_t entries() {
        return read([](db::Tx& tx) { return ledger::list(tx, kProject, std::nullopt, 100); }
        )->size();
    }
    void expect_sound() {
        const auto found = read([](db::Tx& tx) { return ledger::check(tx); });
        ASSERT_TRUE(found) << found.error().to_string();
        EXPECT_TRUE(found->is_sound)
            << found->sum << " " << found->uncharged_usage << " " << found->wrong_invoices;
    }

    fakes::ManualClock clock;
    fakes::SeededRandom random{7};
    IdSource ids{clock, random};
    std::optional<fakes::TestDatabase> store;
    std::unique_ptr<db::Database> database;
    std::unique_ptr<db::Writer> writer;
};

db::Sql statement(std::string_view text) {
    return {.name = "test", .sqlite = text, .postgres = text};
}

TEST_P(LedgerTest, AChargeIsOneBalancedEntryHoweverOftenItIsReplayed) {
    charge("job_1", {.gpu_seconds = 3600, .input_tokens = 1000});
    charge("job_1", {.gpu_seconds = 7200, .input_tokens = 1000});
    EXPECT_EQ(entries(), 2U);
    EXPECT_EQ(balance(account::kReceivable), MicroUsd(2'510'000));
    EXPECT_EQ(balance(account::kRevenue), MicroUsd(-2'510'000));
    expect_sound();
}

TEST_P(LedgerTest, NoEntryIsEverChangedOrDeleted) {
    charge("job_1", {.gpu_seconds = 3600});
    for (const std::string_view text :
         {"UPDATE billing_entry SET amount_microusd = 1", "DELETE FROM billing_entry"}) {
        EXPECT_FALSE(write([&](db::Tx& tx) -> Status {
            TRY_STATUS(tx.execute(statement(text)));
            return {};
        })) << text;
    }
    EXPECT_EQ(balance(account::kReceivable), MicroUsd(2'500'000));
}

TEST_P(LedgerTest, TheCheckFindsUseWithoutItsCharge) {
    charge("job_1", {.gpu_seconds = 3600});
    expect_sound();
    ASSERT_TRUE(write([](db::Tx& tx) -> Status {
        TRY_STATUS(
            tx.execute(statement("UPDATE usage_record SET cost_microusd = 7 "
                                 "WHERE meter = 'gpu_seconds'"))
        );
        return {};
    }));
    const auto found = read([](db::Tx& tx) { return ledger::check(tx); }).value();
    EXPECT_FALSE(found.is_sound);
    EXPECT_EQ(found.uncharged_usage, 1);
}

TEST_P(LedgerTest, WhatWasChargedBeforeThereWereBooksIsInThem) {
    const fakes::TestDatabase older(GetParam(), clock);
    const auto opened = older.open();
    db::MigrationSet first = sql::migrations();
    first.migrations = first.migrations.first(2);
    ASSERT_TRUE(db::migrate(*opened, {first}));
    {
        db::Writer before(*opened);
        ASSERT_TRUE(before.run([](db::Tx& tx) -> Status {
            TRY_STATUS(tx.execute(statement(
                "INSERT INTO usage_record (job_id, meter, quantity, tenant_id, user_id, key_id, "
                "job_type, rate_card, cost_microusd, at) VALUES "
                "('job_1', 'gpu_seconds', 3600000000, 'prj_a', 'u', 'key_1', 'train', "
                "'platform-1', 2500000, 1792000000000000), "
                "('job_1', 'cpu_seconds', 5, 'prj_a', 'u', 'key_1', 'train', 'platform-1', 0, "
                "1792000000000000)"
            )));
            return {};
        }));
    }
    const auto migrated = db::migrate(*opened, {sql::migrations()});
    ASSERT_TRUE(migrated) << migrated.error().to_string();
    const auto found = opened->read([](db::Tx& tx) { return ledger::check(tx); }).value();
    EXPECT_TRUE(found.is_sound);
    EXPECT_EQ(found.entries, 1);
    EXPECT_EQ(found.balances.at("receivable"), "2.500000");
    // 1792000000 is in October 2026, as the test's clock is: budgets know of it.
    db::Writer after(*opened);
    ASSERT_TRUE(after.run([](db::Tx& tx) {
        return budgets::put(
            tx, {.tenant_id = kProject, .key_id = "key_1", .amount = MicroUsd(5'000'000)}
        );
    }));
    EXPECT_EQ(
        opened->read([](db::Tx& tx) { return budgets::list(tx, kProject); })->front().spent,
        "2.500000"
    );
}

TEST_P(LedgerTest, ARefundIsANewEntryAndTheSameOneIsMadeOnce) {
    charge("job_1", {.gpu_seconds = 3600});
    const RefundWish wish{
        .refund_id = "rf_1",
        .tenant_id = kProject,
        .job_id = "job_1",
        .amount = MicroUsd(1'000'000),
        .reason = "the worker was slow",
    };
    const auto first = refund(wish);
    ASSERT_TRUE(first) << first.error().to_string();
    EXPECT_EQ(first->amount, "1.000000");
    EXPECT_EQ(refund(wish)->created_at, first->created_at);
    EXPECT_EQ(entries(), 2U);
    EXPECT_EQ(balance(account::kReceivable), MicroUsd(1'500'000));
    EXPECT_EQ(balance(account::kRevenue), MicroUsd(-2'500'000));

    RefundWish other = wish;
    other.amount = MicroUsd(1);
    EXPECT_EQ(refund(other).error().code, ErrorCode::kConflict);
    other.refund_id = "rf_2";
    other.amount.reset();  // all that is left
    EXPECT_EQ(refund(other)->amount, "1.500000");
    other.refund_id = "rf_3";
    EXPECT_EQ(refund(other).error().param, "amount");  // nothing is left
    other.job_id = "job_2";
    EXPECT_EQ(refund(other).error().code, ErrorCode::kNotFound);
    other.job_id.reset();
    EXPECT_EQ(refund(other).error().param, "amount");
    EXPECT_EQ(balance(account::kReceivable), MicroUsd(0));
    expect_sound();
}

TEST_P(LedgerTest, MoreThanWasChargedIsNeverGivenBack) {
    charge("job_1", {.gpu_seconds = 3600});
    const auto much = refund(
        {.refund_id = "rf_1",
         .tenant_id = kProject,
         .job_id = "job_1",
         .amount = MicroUsd(2'500'001),
         .reason = "r"}
    );
    EXPECT_EQ(much.error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(entries(), 1U);
}

TEST_P(LedgerTest, ClosingAMonthTwiceMakesOneInvoiceThatIsTheSumOfItsEntries) {
    charge("job_1", {.gpu_seconds = 1234, .stored_bytes = 500'000'000'000});
    charge("job_2", {.gpu_seconds = 777});
    EXPECT_EQ(close("2026-10").error().code, ErrorCode::kConflict);  // it has not ended
    clock.set_wall(parse_rfc3339("2026-11-01T00:00:00Z").value());
    const auto first = close("2026-10");
    ASSERT_TRUE(first) << first.error().to_string();
    ASSERT_TRUE(first->has_value());
    const protocol::InvoiceView& invoice = **first;
    EXPECT_EQ(invoice.state, "open");
    EXPECT_EQ(invoice.month, "2026-10");
    // 0.856944 + 0.539583 for the GPU, 500 GB of 0.02 a month for a day and a half.
    EXPECT_EQ(invoice.total, "1.900000");
    MicroUsd sum;
    for (const protocol::InvoiceLine& line : invoice.lines) {
        sum += MicroUsd(line.amount_microusd);
    }
    EXPECT_EQ(sum.value(), invoice.total_microusd);
    EXPECT_EQ(balance(account::kReceivable).value(), invoice.total_microusd);
    const std::size_t before = entries();
    const auto again = close("2026-10");
    EXPECT_EQ((*again)->invoice_id, invoice.invoice_id);
    EXPECT_EQ((*again)->lines, invoice.lines);
    EXPECT_EQ(entries(), before);
    expect_sound();
}

TEST_P(LedgerTest, WhatComesLateForAClosedMonthIsOnTheNextInvoice) {
    charge("job_1", {.gpu_seconds = 3600});
    const Timestamp asked = clock.now();
    clock.set_wall(parse_rfc3339("2026-11-02T00:00:00Z").value());
    ASSERT_EQ((*close("2026-10"))->total, "2.500000");
    const protocol::GatewayUsageLine late{
        .id = "chatcmpl-1",
        .at = to_rfc3339(asked),
        .key_id = "key_1",
        .project_id = kProject,
        .deployment_id = "dp_1",
        .prompt_tokens = 100'000,
    };
    ASSERT_TRUE(write([&](db::Tx& tx) {
        return usage_store::record_inference(tx, default_rate_card(), late);
    }));
    EXPECT_EQ((*close("2026-10"))->total, "2.500000");
    clock.set_wall(parse_rfc3339("2026-12-01T00:00:00Z").value());
    EXPECT_EQ((*close("2026-11"))->total, "1.000000");
    expect_sound();
}

TEST_P(LedgerTest, AProjectThatOwesNothingHasNoInvoice) {
    clock.set_wall(parse_rfc3339("2026-11-01T00:00:00Z").value());
    EXPECT_FALSE(close("2026-10")->has_value());
}

TEST_P(LedgerTest, ARefundLowersTheNextInvoiceAndAPaymentClearsTheAccount) {
    charge("job_1", {.gpu_seconds = 3600});
    clock.set_wall(parse_rfc3339("2026-11-02T00:00:00Z").value());
    const protocol::InvoiceView invoice = **close("2026-10");
    ASSERT_TRUE(refund(
        {.refund_id = "rf_1",
         .tenant_id = kProject,
         .job_id = "job_1",
         .amount = MicroUsd(1'000'000),
         .reason = "r"}
    ));
    charge("job_2", {.gpu_seconds = 7200});
    const auto pay = [&] {
        return write([&](db::Tx& tx) {
            return invoices::pay(
                tx,
                invoice,
                {.subject = "ch_1", .amount = MicroUsd(invoice.total_microusd), .note = "card"}
            );
        });
    };
    EXPECT_TRUE(*pay());
    EXPECT_FALSE(*pay());  // the same news again
    EXPECT_EQ(balance(account::kCash), MicroUsd(2'500'000));
    EXPECT_EQ(balance(account::kReceivable), MicroUsd(4'000'000));
    clock.set_wall(parse_rfc3339("2026-12-01T00:00:00Z").value());
    EXPECT_EQ((*close("2026-11"))->total, "4.000000");
    expect_sound();
}

TEST_P(LedgerTest, StatesOfAnInvoiceIgnoreNewsThatComeTooLate) {
    charge("job_1", {.gpu_seconds = 3600});
    clock.set_wall(parse_rfc3339("2026-11-02T00:00:00Z").value());
    const protocol::InvoiceView invoice = **close("2026-10");
    const auto set = [&](InvoiceState state) {
        return *write([&](db::Tx& tx) { return invoices::set_state(tx, invoice.invoice_id, state); }
        );
    };
    EXPECT_FALSE(set(InvoiceState::kRefunded));  // nobody has paid
    EXPECT_TRUE(set(InvoiceState::kPastDue));
    EXPECT_FALSE(set(InvoiceState::kPastDue));
    EXPECT_EQ(
        read([](db::Tx& tx) { return invoices::account_of(tx, kProject); })->state, "past_due"
    );
    EXPECT_TRUE(set(InvoiceState::kPaid));
    EXPECT_FALSE(set(InvoiceState::kPastDue));
    EXPECT_FALSE(set(InvoiceState::kVoid));
    EXPECT_EQ(read([](db::Tx& tx) { return invoices::account_of(tx, kProject); })->state, "good");
    // All that went back by now, told in whatever order.
    const auto back = [&](std::int64_t micros) {
        return *write([&](db::Tx& tx) {
            return invoices::pay_back(
                tx, invoice, {.subject = "ch_1", .amount = MicroUsd(micros), .note = ""}
            );
        });
    };
    EXPECT_TRUE(back(2'000'000));
    EXPECT_FALSE(back(1'000'000));
    EXPECT_FALSE(back(2'000'000));
    EXPECT_TRUE(back(2'500'000));
    EXPECT_EQ(balance(account::kCash), MicroUsd(-2'500'000));
    EXPECT_EQ(
        read([&](db::Tx& tx) { return invoices::get(tx, invoice.invoice_id, kProject); })->state,
        "refunded"
    );
    expect_sound();
}

TEST_P(LedgerTest, InvoicesAreOneProjectsOwn) {
    charge("job_1", {.gpu_seconds = 3600});
    clock.set_wall(parse_rfc3339("2026-11-02T00:00:00Z").value());
    const protocol::InvoiceView invoice = **close("2026-10");
    const auto as_another =
        read([&](db::Tx& tx) { return invoices::get(tx, invoice.invoice_id, "prj_b"); });
    EXPECT_EQ(as_another.error().code, ErrorCode::kNotFound);
}

TEST_P(LedgerTest, ABudgetTellsOnceAtEachOfItsMarksAndStopsNewWork) {
    ASSERT_TRUE(write([](db::Tx& tx) {
        return budgets::put(
            tx,
            {.tenant_id = kProject,
             .key_id = "",
             .amount = MicroUsd(5'000'000),
             .alert_percents = {100, 50, 50},
             .hard_stop = true}
        );
    }));
    const auto alerts = [&] {
        return *write([](db::Tx& tx) { return budgets::take_alerts(tx, kProject, "key_1"); });
    };
    const auto admitted = [&](const std::string& key) {
        return read([&](db::Tx& tx) { return budgets::admit(tx, kProject, key); });
    };
    EXPECT_TRUE(alerts().empty());
    charge("job_1", {.gpu_seconds = 3600});
    ASSERT_EQ(alerts().size(), 1U);
    EXPECT_TRUE(alerts().empty());
    EXPECT_TRUE(admitted("key_1"));
    charge("job_2", {.gpu_seconds = 3600});  // exactly the budget
    ASSERT_EQ(alerts().size(), 1U);
    const auto refused = admitted("key_2");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kResourceExhausted);
    EXPECT_EQ(refused.error().param, "budget");
    EXPECT_NE(refused.error().advice.find("2026-11-01"), std::string::npos);
    const auto shown = read([](db::Tx& tx) { return budgets::list(tx, kProject); }).value();
    EXPECT_EQ(shown.front().spent, "5.000000");
    EXPECT_EQ(shown.front().alerts_sent, (std::vector<int>{50, 100}));
    EXPECT_TRUE(shown.front().is_spent);
    // A new month is a new budget.
    clock.set_wall(parse_rfc3339("2026-11-01T00:00:00Z").value());
    EXPECT_TRUE(admitted("key_1"));
    EXPECT_TRUE(alerts().empty());
}

TEST_P(LedgerTest, AKeysBudgetStopsThatKeyAlone) {
    ASSERT_TRUE(write([](db::Tx& tx) {
        return budgets::put(
            tx,
            {.tenant_id = kProject,
             .key_id = "key_1",
             .amount = MicroUsd(2'000'000),
             .alert_percents = {},
             .hard_stop = true}
        );
    }));
    charge("job_1", {.gpu_seconds = 3600}, "key_2");
    const auto admitted = [&](const std::string& key) {
        return read([&](db::Tx& tx) { return budgets::admit(tx, kProject, key); }).has_value();
    };
    EXPECT_TRUE(admitted("key_1"));
    charge("job_2", {.gpu_seconds = 3600}, "key_1");
    EXPECT_FALSE(admitted("key_1"));
    EXPECT_TRUE(admitted("key_2"));
    ASSERT_TRUE(write([](db::Tx& tx) { return budgets::remove(tx, kProject, "key_1"); }));
    EXPECT_TRUE(admitted("key_1"));
    EXPECT_FALSE(write([](db::Tx& tx) { return budgets::remove(tx, kProject, "key_1"); }));
}

TEST(Money, DollarsAreReadExactly) {
    EXPECT_EQ(parse_dollars("250").value(), MicroUsd(250'000'000));
    EXPECT_EQ(parse_dollars("0.000001").value(), MicroUsd(1));
    EXPECT_EQ(parse_dollars("12.50").value(), MicroUsd(12'500'000));
    for (const std::string_view bad : {"", "0", "-1", "0.0000001", "1e30", "1,5", "$3", "nan"}) {
        EXPECT_FALSE(parse_dollars(bad)) << bad;
    }
}

TEST(InvoiceDocuments, EscapeWhatIsInThem) {
    const protocol::InvoiceView invoice{
        .invoice_id = "inv_1",
        .number = "2026-10-00001",
        .project_id = "<script>alert(1)</script>",
        .month = "2026-10",
        .state = "open",
        .total = "1.00",
        .lines =
            {{.kind = "charge",
              .job_type = "=cmd()",
              .meter = "a,\"b\"",
              .rate_card = "platform-1",
              .quantity = 2,
              .unit = "s",
              .amount = "-1.000000"}},
    };
    const std::string page = to_html(invoice);
    EXPECT_EQ(page.find("<script>"), std::string::npos);
    EXPECT_NE(page.find("&lt;script&gt;"), std::string::npos);
    const std::string table = to_csv(invoice);
    EXPECT_NE(
        table.find(",charge,'=cmd(),\"a,\"\"b\"\"\",platform-1,2,s,-1.000000\r\n"),
        std::string::npos
    ) << table;
    EXPECT_TRUE(table.ends_with("2026-10-00001,2026-10,total,,,,,,1.00\r\n"));
}

NEXA_ON_BOTH_DATABASES(LedgerTest);

}  // namespace
}  // namespace nexa::billing
