// SPDX-License-Identifier: Apache-2.0
#include "launch/slots/choice.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "base/os/file.hpp"

namespace andon::launch {
namespace {

constexpr FileMark kBase{100, 7};
const std::string kFirst(kDigest, '1');
const std::string kSecond(kDigest, '2');

void put(char* to, const std::string& digest) {
  std::memcpy(to, digest.c_str(), kDigest + 1);
}

Now at(std::int64_t seconds, const char* boot = "boot-1", FileMark base = kBase) {
  Now now{base, seconds, {}};
  std::memcpy(now.boot, boot, std::strlen(boot));
  return now;
}

Slots with_trial(Slot slot, const std::string& digest) {
  Slots slots;
  slots.base = kBase;
  slots.trial.slot = slot;
  slots.trial.seconds = 300;
  put(slots.trial.digest, digest);
  return slots;
}

TEST(Choice, ADeviceWithoutAnyOtherAgentRunsItsPackages) {
  Slots slots;
  EXPECT_EQ(choose(slots, at(5)).slot, Slot::base);
  EXPECT_EQ(slots.base, kBase);
}

TEST(Choice, AnAgentOnTrialIsStartedTwiceAndThenReturnedFrom) {
  Slots slots = with_trial(Slot::a, kFirst);
  const Choice first = choose(slots, at(1000));
  EXPECT_EQ(first.slot, Slot::a);
  EXPECT_TRUE(first.begins);
  EXPECT_EQ(first.seconds_left, 300);
  const Choice second = choose(slots, at(1100));
  EXPECT_EQ(second.slot, Slot::a);
  EXPECT_FALSE(second.begins);
  EXPECT_EQ(second.seconds_left, 200);
  EXPECT_EQ(choose(slots, at(1101)).slot, Slot::base);
  EXPECT_EQ(slots.trial.slot, Slot::base);
  EXPECT_EQ(slots.failed, kFirst);
  EXPECT_STREQ(slots.why, "it ended 2 times before it was connected to its server");
}

TEST(Choice, OneThatIsNotConnectedInTimeIsReturnedFrom) {
  Slots slots = with_trial(Slot::b, kSecond);
  slots.active = Slot::a;
  put(slots.active_digest, kFirst);
  EXPECT_EQ(choose(slots, at(1000)).slot, Slot::b);
  EXPECT_EQ(choose(slots, at(1300)).slot, Slot::a);
  EXPECT_STREQ(slots.why, "it had no connection to its server after 300 s");
  EXPECT_EQ(slots.failed, kSecond);
}

TEST(Choice, TheTimeOfATrialBeginsAnewWithEachBoot) {
  Slots slots = with_trial(Slot::a, kFirst);
  EXPECT_EQ(choose(slots, at(100'000)).slot, Slot::a);
  const Choice after = choose(slots, at(20, "boot-2"));
  EXPECT_EQ(after.slot, Slot::a);
  EXPECT_EQ(after.seconds_left, 300);
  EXPECT_FALSE(after.begins);
}

TEST(Choice, APackageThatIsInstalledLaterIsTheNewest) {
  Slots slots;
  slots.base = kBase;
  slots.active = Slot::a;
  put(slots.active_digest, kFirst);
  EXPECT_EQ(choose(slots, at(5)).slot, Slot::a);
  EXPECT_EQ(choose(slots, at(6, "boot-1", {101, 8})).slot, Slot::base);
  EXPECT_EQ(slots.active, Slot::base);
  slots = with_trial(Slot::b, kSecond);
  EXPECT_EQ(choose(slots, at(6, "boot-1", {101, 8})).slot, Slot::base);
  EXPECT_STREQ(slots.why, "the agent's package was installed anew");
}

TEST(SlotsFile, IsReadAsItWasWritten) {
  const base::TemporaryDirectory directory;
  const std::string place = directory.path().string();
  Slots slots;
  EXPECT_FALSE(read_slots(place.c_str(), slots));
  EXPECT_EQ(errno, ENOENT);
  slots = with_trial(Slot::b, kSecond);
  slots.active = Slot::a;
  put(slots.active_digest, kFirst);
  ASSERT_TRUE(write_slots(place.c_str(), slots));
  Slots again;
  ASSERT_TRUE(read_slots(place.c_str(), again));
  EXPECT_EQ(again.trial.slot, Slot::b);
  EXPECT_EQ(again.trial.digest, kSecond);
  EXPECT_EQ(again.active_digest, kFirst);
  EXPECT_EQ(again.base, kBase);
  give_up(slots, (std::string("no\nway ") + std::string(1000, 'x')).c_str());
  ASSERT_TRUE(write_slots(place.c_str(), slots));
  ASSERT_TRUE(read_slots(place.c_str(), again));
  EXPECT_EQ(again, slots);
  EXPECT_TRUE(std::string(again.why).starts_with("no way xxx"));
}

TEST(SlotsFile, WhatIsNoneIsAsNewAndWhatIsNotKnownIsLeftOut) {
  Slots slots;
  const auto parse = [&slots](const std::string& text) {
    return parse_slots(text.data(), text.size(), slots);
  };
  EXPECT_TRUE(parse("active base -\nnewer thing 7\n"));
  for (const std::string& bad :
       {std::string(), std::string("active base -"), std::string("active c -\n"),
        std::string("active a -\n"), std::string("active a ") + kFirst.substr(1) + "\n",
        "active base -\ntrial a " + kFirst + " 1 300\n",
        "active base -\ntrial a " + kFirst + " 1 -300 0 boot\n", std::string("trial a\n"),
        std::string("active base -\nfailed nothing why\n")}) {
    EXPECT_FALSE(parse(bad)) << bad;
    EXPECT_EQ(slots, Slots{}) << bad;
  }
}

}  // namespace
}  // namespace andon::launch
