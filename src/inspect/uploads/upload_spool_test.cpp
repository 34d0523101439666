// SPDX-License-Identifier: Apache-2.0
#include "inspect/uploads/upload_spool.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

namespace andon::inspect {
namespace {

using std::chrono::milliseconds;
using namespace std::chrono_literals;

class UploadSpoolTest : public testing::Test {
 protected:
  static Upload upload(const std::string& id) { return {id, "thing/" + id + ".jpg", "{}" + id}; }
  [[nodiscard]] std::size_t files() const {
    const base::fs::directory_iterator all(folder_.path());
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
  }

  base::TemporaryDirectory folder_;
  base::Timestamp now_ = base::from_epoch_millis(1'000'000'000'000);
};

TEST_F(UploadSpoolTest, KeepsTheirOrderOverARestartUntilTheyAreRemoved) {
  {
    UploadSpool spool(folder_.path());
    EXPECT_EQ(spool.add(upload("b"), "first", now_), UploadSpool::Added::yes);
    EXPECT_EQ(spool.add(upload("a"), "second", now_), UploadSpool::Added::yes);
  }
  UploadSpool spool(folder_.path());
  EXPECT_EQ(spool.counts().waiting, 2U);
  EXPECT_EQ(spool.counts().waiting_bytes, 11U);
  auto oldest = spool.wait_for_oldest(0ms);
  ASSERT_TRUE(oldest.has_value());
  EXPECT_EQ(oldest->id, "b");
  EXPECT_EQ(oldest->key, "thing/b.jpg");
  EXPECT_EQ(spool.read_picture(*oldest), "first");
  spool.remove(*oldest);
  oldest = spool.wait_for_oldest(0ms);
  ASSERT_TRUE(oldest.has_value());
  EXPECT_EQ(oldest->id, "a");
  spool.remove(*oldest);
  EXPECT_FALSE(spool.wait_for_oldest(0ms).has_value());
  EXPECT_EQ(files(), 1U);  // the list
}

TEST_F(UploadSpoolTest, DropsTheOldestToKeepToItsBytesAndCountsThem) {
  UploadSpool spool(folder_.path());
  spool.set_limits({.per_hour = 100, .disk_bytes = 10});
  (void)spool.add(upload("a"), "aaaa", now_);
  (void)spool.add(upload("b"), "bbbb", now_);
  (void)spool.add(upload("c"), "cccc", now_);
  EXPECT_EQ(spool.counts().waiting, 2U);
  EXPECT_EQ(spool.counts().dropped, 1U);
  EXPECT_EQ(spool.wait_for_oldest(0ms)->id, "b");
  EXPECT_EQ(spool.add(upload("d"), std::string(11, 'd'), now_),
            UploadSpool::Added::larger_than_the_spool);
  EXPECT_EQ(spool.counts().waiting, 2U);
  spool.set_limits({.per_hour = 100, .disk_bytes = 4});
  EXPECT_EQ(spool.wait_for_oldest(0ms)->id, "c");
}

TEST_F(UploadSpoolTest, TakesNoMoreAnHourThanAllowedAlsoOverARestart) {
  const UploadLimits limits{.per_hour = 2, .disk_bytes = 1000};
  {
    UploadSpool spool(folder_.path());
    spool.set_limits(limits);
    EXPECT_EQ(spool.add(upload("a"), "a", now_), UploadSpool::Added::yes);
    EXPECT_EQ(spool.add(upload("b"), "b", now_), UploadSpool::Added::yes);
    EXPECT_EQ(spool.add(upload("c"), "c", now_), UploadSpool::Added::over_hourly_limit);
    EXPECT_EQ(spool.counts().refused, 1U);
  }
  UploadSpool spool(folder_.path());
  spool.set_limits(limits);
  EXPECT_EQ(spool.add(upload("c"), "c", now_), UploadSpool::Added::over_hourly_limit);
  EXPECT_EQ(spool.add(upload("c"), "c", now_ + 1h), UploadSpool::Added::yes);
}

TEST_F(UploadSpoolTest, ReplacesAPictureThatIsAddedAgain) {
  UploadSpool spool(folder_.path());
  spool.set_limits({.per_hour = 1, .disk_bytes = 1000});
  (void)spool.add(upload("a"), "old", now_);
  const auto old = spool.wait_for_oldest(0ms);
  Upload again = upload("a");
  again.message = "newer";
  EXPECT_EQ(spool.add(again, "newer picture", now_), UploadSpool::Added::yes);
  spool.remove(*old);  // its upload ended after it was replaced
  const auto newer = spool.wait_for_oldest(0ms);
  ASSERT_TRUE(newer.has_value());
  EXPECT_EQ(newer->message, "newer");
  EXPECT_EQ(spool.read_picture(*newer), "newer picture");
  EXPECT_EQ(spool.counts().waiting_bytes, 13U);
}

TEST_F(UploadSpoolTest, CleansUpWhatACrashLeftHalfDone) {
  std::ofstream(folder_.path() / "a.picture") << "no entry for it";
  std::ofstream(folder_.path() / "b.json") << R"({"order":1,"id":"b","key":"k","message":"m"})";
  std::ofstream(folder_.path() / "c.json") << "{not json";
  const UploadSpool spool(folder_.path());
  EXPECT_EQ(spool.counts().waiting, 0U);
  EXPECT_EQ(files(), 1U);  // the list
}

TEST_F(UploadSpoolTest, TakesOverTheFilesOfEarlierVersions) {
  std::ofstream(folder_.path() / "a.picture") << "picture";
  std::ofstream(folder_.path() / "a.json") << R"({"order":7,"id":"a","key":"k","message":"m"})";
  std::ofstream(folder_.path() / "budget.json") << R"({"hour":277777,"taken":60})";
  for (int restart = 0; restart < 2; ++restart) {
    UploadSpool spool(folder_.path());
    EXPECT_EQ(files(), 2U);  // the picture and the list
    const auto oldest = spool.wait_for_oldest(0ms);
    ASSERT_TRUE(oldest.has_value());
    EXPECT_EQ(oldest->key, "k");
    EXPECT_EQ(spool.read_picture(*oldest), "picture");
    EXPECT_EQ(spool.add(upload("b"), "b", now_), UploadSpool::Added::over_hourly_limit);
  }
}

TEST_F(UploadSpoolTest, KeepsItsListSmallHoweverManyPicturesPass) {
  UploadSpool spool(folder_.path());
  spool.set_limits({.per_hour = 1'000'000, .disk_bytes = 1000});
  for (int i = 0; i < 400; ++i) {
    Upload large = upload(std::to_string(i));
    large.message = std::string(10'000, 'm');
    EXPECT_EQ(spool.add(large, "p", now_), UploadSpool::Added::yes);
    spool.remove(large);
  }
  EXPECT_LT(base::fs::file_size(folder_.path() / "uploads.records"), 1'100'000U);
}

TEST_F(UploadSpoolTest, PutsAPostponedOneBehindTheOthers) {
  UploadSpool spool(folder_.path());
  (void)spool.add(upload("a"), "a", now_);
  (void)spool.add(upload("b"), "b", now_);
  spool.postpone(upload("a"));
  EXPECT_EQ(spool.wait_for_oldest(0ms)->id, "b");
}

TEST_F(UploadSpoolTest, EndsItsWaitsWhenStopped) {
  UploadSpool spool(folder_.path());
  (void)spool.add(upload("a"), "a", now_);
  EXPECT_TRUE(spool.wait(0ms));
  spool.stop();
  EXPECT_FALSE(spool.wait(1h));
  EXPECT_FALSE(spool.wait_for_oldest(1h).has_value());
}

}  // namespace
}  // namespace andon::inspect
