// SPDX-License-Identifier: Apache-2.0
#include "net/signal.h"

#include <chrono>
#include <optional>
#include <thread>

#include <gtest/gtest.h>

#include "net/pools.h"

namespace nexa::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class SignalTest : public ::testing::Test {
protected:
    void TearDown() override { io.stop(); }

    bool wait(Signal::Subscription& subscription, std::chrono::nanoseconds duration) {
        return blocking::wait(io.executor(), subscription.wait(duration)).value();
    }

    IoPool io;
    Signal signal;
};

TEST_F(SignalTest, WhatHappenedBeforeTheWaitEndsItAtOnce) {
    Signal::Subscription subscription = signal.subscribe("a");
    signal.notify("a");
    EXPECT_TRUE(wait(subscription, seconds{30}));
    EXPECT_FALSE(wait(subscription, milliseconds{1}));
}

TEST_F(SignalTest, AWaitIsEndedFromAnotherThread) {
    Signal::Subscription subscription = signal.subscribe("a");
    std::thread teller([&] { signal.notify("a"); });
    EXPECT_TRUE(wait(subscription, seconds{30}));
    teller.join();
}

TEST_F(SignalTest, OtherKeysAndNoNewsEndInTheDeadline) {
    Signal::Subscription subscription = signal.subscribe("a");
    signal.notify("b");
    EXPECT_FALSE(wait(subscription, milliseconds{5}));
}

TEST_F(SignalTest, AsManyAreWokenAsAskedForTheLongestSubscribedFirst) {
    Signal::Subscription first = signal.subscribe("a");
    Signal::Subscription second = signal.subscribe("a");
    Signal::Subscription third = signal.subscribe("a");
    signal.notify("a", 2);
    EXPECT_TRUE(wait(first, milliseconds{1}));
    EXPECT_TRUE(wait(second, milliseconds{1}));
    EXPECT_FALSE(wait(third, milliseconds{1}));
}

TEST_F(SignalTest, ASubscriptionThatIsGoneIsNotCounted) {
    Signal::Subscription kept = signal.subscribe("a");
    {
        const Signal::Subscription gone = signal.subscribe("a");
    }
    signal.notify("a", 1);
    EXPECT_TRUE(wait(kept, milliseconds{1}));
    signal.notify("nobody");
}

TEST_F(SignalTest, AWakeUpThatItsTakerDidNotUseGoesToAnother) {
    std::optional<Signal::Subscription> busy(std::in_place, signal, "a");
    Signal::Subscription idle = signal.subscribe("a");
    signal.notify("a", 1);
    busy.reset();  // it found what it sought before it was told of the second
    EXPECT_TRUE(wait(idle, milliseconds{1}));
    EXPECT_FALSE(wait(idle, milliseconds{1}));
}

}  // namespace
}  // namespace nexa::net
