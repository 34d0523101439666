// SPDX-License-Identifier: Apache-2.0
#include "inspect/journal/seen_pictures.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace andon::inspect {
namespace {

using Key = SeenPictures::Key;

constexpr std::uint32_t kContent = 77;

Key key(const std::string& path, std::int64_t bytes = 1, std::int64_t modified_ns = 2,
        std::optional<std::int64_t> frame = std::nullopt, std::uint32_t status = 0) {
  return SeenPictures::key({path, bytes, modified_ns, frame, status});
}

TEST(SeenPictures, TellsAPictureByItsPathItsSizeAndItsTime) {
  SeenPictures seen;
  seen.note(key("a"), kContent);
  EXPECT_EQ(seen.knows(key("a")), Known::yes);
  EXPECT_EQ(seen.knows(key("b")), Known::no);
  EXPECT_EQ(seen.knows(key("a", 2, 2)), Known::no);
  EXPECT_EQ(seen.knows(key("a", 1, 3)), Known::no);
  EXPECT_EQ(seen.knows(key("a", 2, 1)), Known::no);
  seen.note(key("a", 1, 3), kContent);
  EXPECT_EQ(seen.knows(key("a")), Known::no);
}

TEST(SeenPictures, AsksForTheContentOfAPictureThatWasTouched) {
  SeenPictures seen;
  const Key before = key("a", 1, 2, std::nullopt, 5);
  const Key touched = key("a", 1, 2, std::nullopt, 6);
  seen.note(before, kContent);
  EXPECT_EQ(seen.knows(before), Known::yes);
  EXPECT_EQ(seen.knows(touched), Known::if_same);
  EXPECT_TRUE(seen.has_content(touched, kContent));
  EXPECT_FALSE(seen.has_content(touched, kContent + 1));
  EXPECT_FALSE(seen.has_content(touched, 0));
  EXPECT_TRUE(seen.is_latest(before));
  EXPECT_FALSE(seen.is_latest(touched));
  // What could not be read is looked at again when it was touched.
  seen.note(before, 0);
  EXPECT_EQ(seen.knows(before), Known::yes);
  EXPECT_EQ(seen.knows(touched), Known::no);
  // Of an earlier version nothing more is known.
  seen.note(key("a"), 0);
  EXPECT_EQ(seen.knows(touched), Known::yes);
}

TEST(SeenPictures, HasTheFramesOfAVideoUpToTheLast) {
  SeenPictures seen;
  seen.note(key("v.mp4", 1, 2, 7, 5), 0);
  EXPECT_EQ(seen.knows(key("v.mp4", 1, 2, 0, 5)), Known::yes);
  EXPECT_EQ(seen.knows(key("v.mp4", 1, 2, 7, 5)), Known::yes);
  EXPECT_EQ(seen.knows(key("v.mp4", 1, 2, 8, 5)), Known::no);
  EXPECT_EQ(seen.knows(key("v.mp4", 1, 2, 0, 6)), Known::no);  // another video
  EXPECT_TRUE(seen.is_latest(key("v.mp4", 1, 2, 7, 5)));
  EXPECT_FALSE(seen.is_latest(key("v.mp4", 1, 2, 6, 5)));
}

TEST(SeenPictures, KnowsTheLastGenerationAndNeverMoreThanTwo) {
  constexpr int kGeneration = 1'000;
  SeenPictures seen(kGeneration);
  for (int i = 0; i < 20 * kGeneration; ++i) {
    EXPECT_EQ(seen.has_forgotten(), i >= 2 * kGeneration);
    seen.note(key(std::to_string(i)), kContent);
    ASSERT_LE(seen.size(), 2U * kGeneration);
    ASSERT_EQ(seen.knows(key(std::to_string(i))), Known::yes);
    ASSERT_EQ(seen.knows(key(std::to_string(std::max(0, i - kGeneration + 1)))), Known::yes) << i;
  }
  EXPECT_EQ(seen.knows(key("0")), Known::no);
}

TEST(SeenPictures, OfAnOldGenerationIsNewAgainWhenItIsNoted) {
  SeenPictures seen(2);
  seen.note(key("old"), kContent);
  seen.note(key("b"), kContent);  // the generation is full
  seen.note(key("old", 9), kContent);
  EXPECT_EQ(seen.knows(key("old", 9)), Known::yes);
  EXPECT_EQ(seen.knows(key("old")), Known::no);
}

}  // namespace
}  // namespace andon::inspect
