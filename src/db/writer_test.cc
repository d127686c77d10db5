// SPDX-License-Identifier: Apache-2.0
#include "db/writer.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <stdexcept>
#include <thread>

#include "db/scratch_internal.h"
#include "fakes/manual_clock.h"

namespace nexa::db {
namespace {

using std::chrono::milliseconds;

constexpr Sql kInsert = statement("INSERT INTO t (id) VALUES (:id)");

Status insert(Tx& tx, int id) {
    auto changed = tx.execute(kInsert, {{"id", id}});
    return changed ? Status() : Status(changed.error());
}

class WriterTest : public testing::Test {
protected:
    WriterTest() {
        Writer first(*database);
        EXPECT_TRUE(change(first, statement("CREATE TABLE t (id INTEGER PRIMARY KEY) STRICT")));
        EXPECT_TRUE(change(first, statement("CREATE TABLE note (text TEXT) STRICT")));
        EXPECT_TRUE(change(
            first,
            statement("CREATE TABLE late (t_id INTEGER REFERENCES t (id) DEFERRABLE INITIALLY "
                      "DEFERRED) STRICT")
        ));
    }

    /// Queues an insert; its answer is `answers[place]`.
    void submit_insert(Writer& writer, int id) {
        submit(writer, [id](Tx& tx) { return insert(tx, id); });
    }
    void submit(Writer& writer, Writer::Apply apply) {
        const std::size_t place = answers.size();
        answers.emplace_back();
        ASSERT_TRUE(writer.submit(std::move(apply), [this, place](Status status) {
            EXPECT_FALSE(answers[place].has_value()) << "answered twice";
            answers[place] = std::move(status);
        }));
    }
    std::int64_t count() { return number(*database, statement("SELECT count(*) FROM t")); }
    /// Why this entry failed; nothing if it did not.
    std::optional<ErrorCode> code(std::size_t place) {
        const Status& answer = answers[place].value();
        return answer ? std::nullopt : std::optional(answer.error().code);
    }

    fakes::ManualClock clock;
    ScratchFolder folder;
    std::unique_ptr<Database> database = open_or_die({.path = folder.path() / "a.db"}, clock);
    std::vector<std::optional<Status>> answers;
};

TEST_F(WriterTest, AStepCommitsAllThatWaitsAtOnceAndThenAnswers) {
    Writer writer(*database);
    for (int id = 1; id <= 3; ++id) {
        submit_insert(writer, id);
    }
    EXPECT_EQ(count(), 0);
    EXPECT_FALSE(answers[0].has_value());
    EXPECT_EQ(writer.step(), 3U);
    EXPECT_EQ(count(), 3);
    EXPECT_TRUE(answers[0]->has_value() && answers[1]->has_value() && answers[2]->has_value());
    EXPECT_EQ(writer.stats().batches, 1U);
    EXPECT_EQ(writer.stats().committed, 3U);
    EXPECT_EQ(writer.step(), 0U);
}

TEST_F(WriterTest, AnAnswerComesWhenOthersCanSeeTheChange) {
    Writer writer(*database);
    std::int64_t seen = -1;
    ASSERT_TRUE(writer.submit(
        [](Tx& tx) { return insert(tx, 1); },
        [&](Status status) {
            EXPECT_TRUE(status);
            seen = count();
        }
    ));
    writer.step();
    EXPECT_EQ(seen, 1);
}

TEST_F(WriterTest, ABatchTakesAtMostItsLimitInOrder) {
    Writer writer(*database, {.batch_max = 2});
    std::vector<int> order;
    for (int id = 1; id <= 5; ++id) {
        submit(writer, [&order, id](Tx& tx) {
            order.push_back(id);
            return insert(tx, id);
        });
    }
    EXPECT_EQ(writer.step(), 2U);
    EXPECT_EQ(count(), 2);
    EXPECT_EQ(writer.stats().waiting, 3U);
    EXPECT_EQ(writer.step(), 2U);
    EXPECT_EQ(writer.step(), 1U);
    EXPECT_EQ(order, (std::vector<int>{1, 2, 3, 4, 5}));
}

TEST_F(WriterTest, AFailedEntryLeavesNothingAndTheOthersGoOn) {
    Writer writer(*database);
    submit_insert(writer, 1);
    submit(writer, [](Tx& tx) -> Status {
        EXPECT_TRUE(insert(tx, 2));
        return Error::permission_denied("not this one");
    });
    submit(writer, [](Tx& tx) -> Status {
        EXPECT_TRUE(insert(tx, 3));
        return insert(tx, 1);  // taken by the first entry
    });
    submit_insert(writer, 4);
    EXPECT_EQ(writer.step(), 4U);
    EXPECT_TRUE(answers[0]->has_value());
    EXPECT_EQ(code(1), ErrorCode::kPermissionDenied);
    EXPECT_EQ(code(2), ErrorCode::kConflict);
    EXPECT_TRUE(answers[3]->has_value());
    EXPECT_EQ(number(*database, statement("SELECT sum(id) FROM t")), 1 + 4);
    EXPECT_EQ(writer.stats().committed, 2U);
    EXPECT_EQ(writer.stats().refused, 2U);
}

TEST_F(WriterTest, AnEntryThatIgnoresAFailedStatementIsRefusedAllTheSame) {
    Writer writer(*database);
    submit(writer, [](Tx& tx) -> Status {
        EXPECT_TRUE(insert(tx, 1));
        EXPECT_FALSE(insert(tx, 1));
        EXPECT_FALSE(insert(tx, 2));  // nothing runs after a failure
        return {};
    });
    writer.step();
    EXPECT_EQ(code(0), ErrorCode::kConflict);
    EXPECT_EQ(count(), 0);
}

TEST_F(WriterTest, ADeferredConstraintRefusesItsEntryNotTheBatch) {
    Writer writer(*database);
    submit(writer, [](Tx& tx) -> Status {
        auto changed = tx.execute(statement("INSERT INTO late VALUES (99)"));
        return changed ? Status() : Status(changed.error());
    });
    submit_insert(writer, 1);
    submit(writer, [](Tx& tx) -> Status {
        EXPECT_TRUE(tx.execute(statement("INSERT INTO late VALUES (5)")));
        return insert(tx, 5);  // satisfied before the entry ends
    });
    writer.step();
    EXPECT_EQ(code(0), ErrorCode::kConflict);
    EXPECT_TRUE(answers[1]->has_value());
    EXPECT_TRUE(answers[2]->has_value());
    EXPECT_EQ(number(*database, statement("SELECT count(*) FROM late")), 1);
}

TEST_F(WriterTest, AnExceptionFromAnEntryIsItsErrorAlone) {
    Writer writer(*database);
    submit(writer, [](Tx& tx) -> Status {
        EXPECT_TRUE(insert(tx, 1));
        std::vector<int> empty;
        return insert(tx, empty.at(3));
    });
    submit_insert(writer, 2);
    writer.step();
    EXPECT_EQ(code(0), ErrorCode::kInternal);
    EXPECT_TRUE(answers[1]->has_value());
    EXPECT_EQ(count(), 1);
}

TEST_F(WriterTest, AnExceptionFromACallbackIsCountedAndTheOthersAreAnswered) {
    Writer writer(*database);
    ASSERT_TRUE(writer.submit(
        [](Tx& tx) { return insert(tx, 1); },
        [](Status) { static_cast<void>(std::vector<int>().at(1)); }
    ));
    submit_insert(writer, 2);
    writer.step();
    EXPECT_TRUE(answers[0]->has_value());
    EXPECT_EQ(writer.stats().broken_answers, 1U);
}

TEST_F(WriterTest, TimeStandsStillForTheWholeBatch) {
    Writer writer(*database);
    std::vector<Timestamp> times;
    for (int i = 0; i < 2; ++i) {
        submit(writer, [&](Tx& tx) -> Status {
            times.push_back(tx.now());
            clock.advance(std::chrono::seconds(1));
            return {};
        });
    }
    writer.step();
    EXPECT_EQ(times[0], times[1]);
}

TEST_F(WriterTest, AFullQueueRefusesAtOnceAndTakesAgainAfterAStep) {
    Writer writer(*database, {.queue_max = 2});
    submit_insert(writer, 1);
    submit_insert(writer, 2);
    const auto third = writer.submit(
        [](Tx&) { return Status(); },
        [](Status) { ADD_FAILURE() << "a refused entry is never answered"; }
    );
    EXPECT_EQ(third.error().code, ErrorCode::kResourceExhausted);
    writer.step();
    submit_insert(writer, 3);
    writer.step();
    EXPECT_EQ(count(), 3);
}

TEST_F(WriterTest, EntriesThatComeTogetherShareABatchAndAreAnsweredEachByItself) {
    Writer writer(*database);
    writer.start();
    std::vector<Status> told(4, Error::internal("not answered"));
    std::latch all_told(4);
    std::vector<Writer::Work> works;
    for (int place = 0; place < 4; ++place) {
        works.push_back({
            .apply = [id =
                          place % 3](Tx& tx) { return insert(tx, id); },  // the last is there twice
            .done =
                [&, place](Status status) {
                    told[static_cast<std::size_t>(place)] = std::move(status);
                    all_told.count_down();
                },
        });
    }
    ASSERT_TRUE(writer.submit_all(std::move(works)));
    all_told.wait();
    writer.stop();
    EXPECT_TRUE(told[0] && told[1] && told[2]);
    ASSERT_FALSE(told[3]);
    EXPECT_EQ(told[3].error().code, ErrorCode::kConflict);
    EXPECT_EQ(writer.stats().batches, 1U);
    EXPECT_EQ(count(), 3);
}

TEST_F(WriterTest, EntriesThatDoNotAllFitInTheQueueAreAllRefused) {
    Writer writer(*database, {.queue_max = 3});
    submit_insert(writer, 1);
    const auto works = [](int first, int last) {
        std::vector<Writer::Work> made;
        for (int id = first; id <= last; ++id) {
            made.push_back({[id](Tx& tx) { return insert(tx, id); }, [](Status) {}});
        }
        return made;
    };
    const Status refused = writer.submit_all(works(2, 4));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kResourceExhausted);
    EXPECT_TRUE(writer.submit_all({}));
    EXPECT_TRUE(writer.submit_all(works(2, 3)));
    EXPECT_EQ(writer.step(), 3U);
    EXPECT_EQ(count(), 3);
}

TEST_F(WriterTest, ACallbackMaySubmitTheNextEntry) {
    Writer writer(*database);
    ASSERT_TRUE(writer.submit(
        [](Tx& tx) { return insert(tx, 1); }, [&](Status) { submit_insert(writer, 2); }
    ));
    EXPECT_EQ(writer.step(), 1U);
    EXPECT_EQ(writer.step(), 1U);
    EXPECT_EQ(count(), 2);
}

TEST_F(WriterTest, RunReturnsWhatTheEntryReturned) {
    Writer writer(*database);
    const Result<std::string> text = writer.run([](Tx&) -> Result<std::string> { return "x"; });
    EXPECT_EQ(text.value(), "x");
    const Result<int> number = writer.run<int>([](Tx&) { return 7; });
    EXPECT_EQ(number.value(), 7);
    EXPECT_TRUE(writer.run([](Tx& tx) { return insert(tx, 1); }));
    const auto refused = writer.run([](Tx& tx) -> Result<int> {
        EXPECT_TRUE(insert(tx, 2));
        return Error::not_found("nothing here");
    });
    EXPECT_EQ(refused.error().code, ErrorCode::kNotFound);
    EXPECT_EQ(count(), 1);
}

TEST_F(WriterTest, RunOnManyThreadsWithoutAThreadOfItsOwnSharesTheSteps) {
    Writer writer(*database);
    std::vector<std::thread> callers;
    for (int caller = 0; caller < 4; ++caller) {
        callers.emplace_back([&writer, caller] {
            for (int i = 0; i < 10; ++i) {
                EXPECT_TRUE(writer.run([id = caller * 10 + i + 1](Tx& tx) { return insert(tx, id); }
                ));
            }
        });
    }
    for (std::thread& caller : callers) {
        caller.join();
    }
    EXPECT_EQ(count(), 40);
}

TEST_F(WriterTest, ItsThreadCommitsWhatManyThreadsSubmit) {
    Writer writer(*database);
    writer.start();
    std::vector<std::thread> callers;
    for (int caller = 0; caller < 8; ++caller) {
        callers.emplace_back([&writer, caller] {
            for (int i = 0; i < 25; ++i) {
                const auto id = writer.run([id = caller * 25 + i + 1](Tx& tx) -> Result<int> {
                    auto status = insert(tx, id);
                    return status ? Result<int>(id) : Result<int>(status.error());
                });
                EXPECT_EQ(id.value(), caller * 25 + i + 1);
            }
        });
    }
    for (std::thread& caller : callers) {
        caller.join();
    }
    writer.stop();
    EXPECT_EQ(count(), 200);
    EXPECT_EQ(writer.stats().committed, 200U);
    EXPECT_LE(writer.stats().batches, 200U);
}

TEST_F(WriterTest, EntriesThatComeDuringACommitShareTheNext) {
    Writer writer(*database);
    std::latch in_first(1);
    std::latch all_queued(1);
    std::atomic<int> answered = 0;
    writer.start();
    const auto count_answer = [&](Status status) { answered += status ? 1 : 100; };
    ASSERT_TRUE(writer.submit(
        [&](Tx& tx) {
            in_first.count_down();
            all_queued.wait();
            return insert(tx, 1);
        },
        count_answer
    ));
    in_first.wait();
    for (int id = 2; id <= 50; ++id) {
        ASSERT_TRUE(writer.submit([id](Tx& tx) { return insert(tx, id); }, count_answer));
    }
    all_queued.count_down();
    writer.stop();
    EXPECT_EQ(answered.load(), 50);
    EXPECT_EQ(writer.stats().batches, 2U);
}

TEST_F(WriterTest, StopCommitsWhatWaitsAndRefusesMore) {
    Writer writer(*database, {.batch_max = 2});
    for (int id = 1; id <= 5; ++id) {
        submit_insert(writer, id);
    }
    writer.stop();
    writer.stop();  // again: nothing
    EXPECT_EQ(count(), 5);
    EXPECT_TRUE(answers[4]->has_value());
    const auto late = writer.submit([](Tx&) { return Status(); }, [](Status) {});
    EXPECT_EQ(late.error().code, ErrorCode::kCancelled);
    EXPECT_EQ(writer.run([](Tx&) { return Status(); }).error().code, ErrorCode::kCancelled);
}

TEST_F(WriterTest, StopCanCancelWhatWaits) {
    Writer writer(*database);
    submit_insert(writer, 1);
    submit_insert(writer, 2);
    writer.stop(StopMode::kCancel);
    EXPECT_EQ(code(0), ErrorCode::kCancelled);
    EXPECT_EQ(code(1), ErrorCode::kCancelled);
    EXPECT_EQ(count(), 0);
}

TEST_F(WriterTest, ItsEndAnswersWhatStillWaits) {
    {
        Writer writer(*database);
        submit_insert(writer, 1);
    }
    EXPECT_EQ(code(0), ErrorCode::kCancelled);
    Writer next(*database);  // and gives the connection back
    EXPECT_TRUE(next.run([](Tx& tx) { return insert(tx, 1); }));
}

TEST_F(WriterTest, AStoppingWriterCancelsTheRestOnceABatchFails) {
    Writer writer(*database, {.batch_max = 1});
    submit(writer, [](Tx& tx) -> Status {
        // What a full disk does in the middle of a statement, without one.
        static_cast<void>(tx.query(statement("PRAGMA max_page_count = 1")));
        auto changed = tx.execute(
            statement("INSERT INTO note VALUES (:text)"), {{"text", std::string(100'000, 'x')}}
        );
        return changed ? Status() : Status(changed.error());
    });
    submit_insert(writer, 1);
    writer.stop();
    EXPECT_EQ(code(0), ErrorCode::kUnavailable);
    EXPECT_EQ(writer.stats().lost, 1U);
    EXPECT_EQ(code(1), ErrorCode::kCancelled);
}

TEST_F(WriterTest, AnEntryMayOwnWhatCannotBeCopied) {
    Writer writer(*database);
    submit(writer, [id = std::make_unique<int>(3)](Tx& tx) { return insert(tx, *id); });
    writer.step();
    EXPECT_EQ(count(), 1);
}

using WriterDeathTest = WriterTest;

TEST_F(WriterDeathTest, BlockingOnItselfInsideABatchIsOurBug) {
    Writer writer(*database);
    submit(writer, [&](Tx&) { return writer.run([](Tx&) { return Status(); }); });
    EXPECT_DEATH(writer.step(), "stepping_");
}

}  // namespace
}  // namespace nexa::db
