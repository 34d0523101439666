// SPDX-License-Identifier: Apache-2.0
#include "server/backup/backups.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "base/error/error.hpp"
#include "base/testing/fake_clock.hpp"
#include "server/start/data_directory.hpp"

namespace andon::server {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

class BackupsTest : public testing::Test {
 protected:
  BackupsTest() {
    options_.data = parent_.path() / "data";
    const DataDirectory made(options_, clock_);
  }
  [[nodiscard]] Backups keeping(std::size_t most) const {
    return {{.data = options_.data, .directory = copies_, .most = most}, clock_};
  }
  // Makes one, and waits until that has ended.
  static std::string make(Backups& backups) {
    std::string name = backups.make();
    const auto deadline = std::chrono::steady_clock::now() + 60s;
    while (backups.state().running_since) {
      if (std::chrono::steady_clock::now() > deadline) throw std::runtime_error("no backup came");
      std::this_thread::yield();
    }
    EXPECT_EQ(backups.state().failure, "");
    return name;
  }
  static std::vector<std::string> names(const Backups& backups) {
    std::vector<std::string> all;
    for (const auto& one : backups.state().backups) all.push_back(one.name);
    return all;
  }
  [[nodiscard]] std::vector<std::string> files() const {
    std::vector<std::string> all;
    for (const auto& entry : base::fs::directory_iterator(copies_)) {
      all.push_back(entry.path().filename());
    }
    return all;
  }

  base::TemporaryDirectory parent_;
  base::FakeClock clock_{base::from_epoch_millis(1'790'000'000'000)};
  ServerOptions options_;
  base::fs::path copies_ = parent_.path() / "copies";
};

// More than ten: as text "-10" is before "-9".
TEST_F(BackupsTest, TheNewestOfOneMillisecondAreKept) {
  Backups backups = keeping(2);
  std::string before = make(backups);
  for (int i = 0; i < 11; ++i) {
    std::string last = make(backups);
    EXPECT_THAT(names(backups), ElementsAre(last, before));
    before = std::move(last);
  }
}

TEST_F(BackupsTest, OneThatIsMadeAfterTheClockWasSetBackIsTheNewest) {
  Backups backups = keeping(2);
  (void)make(backups);
  const std::string before = make(backups);
  clock_.advance(-1h);
  const std::string last = make(backups);
  EXPECT_THAT(names(backups), ElementsAre(last, before));
  EXPECT_EQ(backups.state().backups.front().made, clock_.now());
  clock_.advance(-1h);
  EXPECT_THAT(names(backups).front(), last);
  const std::string newest = make(backups);
  EXPECT_THAT(names(backups), ElementsAre(newest, last));
}

TEST_F(BackupsTest, ANameThatHasBecomeFreeIsNotGivenAgain) {
  Backups backups = keeping(7);
  const std::string first = make(backups);
  const std::string second = make(backups);
  backups.remove(first);
  EXPECT_THAT(make(backups), testing::Not(testing::AnyOf(first, second)));
}

TEST_F(BackupsTest, WhoSeesANewOneSeesTheOldestGone) {
  Backups backups = keeping(1);
  std::string before = make(backups);
  for (int i = 0; i < 5; ++i) {
    clock_.advance(1s);
    const std::string name = backups.make();
    const auto deadline = std::chrono::steady_clock::now() + 60s;
    while (true) {
      const auto seen = names(backups);
      ASSERT_EQ(seen.size(), 1U);
      if (seen.front() == name) break;
      ASSERT_EQ(seen.front(), before);
      ASSERT_LT(std::chrono::steady_clock::now(), deadline);
    }
    while (backups.state().running_since) std::this_thread::yield();
    before = name;
  }
}

// A removal that a crash cut short has left the list and taken the objects.
TEST_F(BackupsTest, WhatIsBeingRemovedOrMadeHasNoBackupsName) {
  Backups backups = keeping(1);
  (void)make(backups);
  clock_.advance(1s);
  const std::string last = make(backups);
  EXPECT_THAT(files(), ElementsAre(last));
  base::fs::create_directory(copies_ / "20260101T000000Z.gone");
  base::fs::create_directory(copies_ / "20260101T000000Z.partial");
  EXPECT_THAT(names(backups), ElementsAre(last));
  backups.remove(last);
  EXPECT_THAT(names(backups), IsEmpty());
  EXPECT_THROW(backups.remove("20260101T000000Z.gone"), base::Error);
  const std::string next = make(backups);
  EXPECT_THAT(files(), ElementsAre(next));
}

}  // namespace
}  // namespace andon::server
