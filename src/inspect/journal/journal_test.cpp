// SPDX-License-Identifier: Apache-2.0
#include "inspect/journal/journal.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "base/error/error.hpp"
#include "base/text/encoding.hpp"
#include "trust/digests/digest.hpp"

namespace andon::inspect {
namespace {

class JournalTest : public testing::Test {
 protected:
  // A picture whose file is there, so that it is not forgotten.
  [[nodiscard]] PictureId picture(const std::string& name) const {
    const base::fs::path path = folder_.path() / name;
    std::ofstream(path) << name;
    return {path.string(), 5, 1'000'000'007};
  }
  [[nodiscard]] base::fs::path state() const { return folder_.path() / "state"; }
  [[nodiscard]] base::fs::path file() const { return state() / "results.journal"; }

  base::TemporaryDirectory folder_;
};

TEST_F(JournalTest, RemembersPicturesAndWhatIsNotPublishedOverARestart) {
  const PictureId first = picture("a.jpg");
  const PictureId second = picture("name with % and \xFF.jpg");
  {
    Journal journal(state());
    EXPECT_FALSE(journal.has(first));
    journal.set_published(journal.record(first, "one"));
    journal.record(second, "two \"quoted\"\n");
  }
  for (int restart = 0; restart < 2; ++restart) {
    const Journal journal(state());
    EXPECT_TRUE(journal.has(first));
    EXPECT_TRUE(journal.has(second));
    ASSERT_EQ(journal.pending().size(), 1U);
    EXPECT_EQ(journal.pending().begin()->second.message, "two \"quoted\"\n");
    EXPECT_EQ(journal.pending().begin()->second.picture, second);
  }
  Journal journal(state());
  journal.set_published(journal.pending().begin()->first);
  EXPECT_TRUE(journal.pending().empty());
}

TEST_F(JournalTest, TakesAFileThatWasWrittenAnewForAnotherPicture) {
  PictureId id = picture("a.jpg");
  Journal journal(state());
  journal.record(id, "one");
  id.modified_ns += 1;
  EXPECT_FALSE(journal.has(id));
}

TEST_F(JournalTest, RecognisesAPictureThatWasTouchedByItsContent) {
  PictureId id = picture("a.jpg");
  id.status = 5;
  PictureId touched = id;
  touched.status = 6;
  {
    Journal journal(state());
    journal.set_published(journal.record(id, "one", {.content = 77, .model = ""}));
    EXPECT_EQ(journal.knows(id), Known::yes);
    EXPECT_EQ(journal.knows(touched), Known::if_same);
    EXPECT_FALSE(journal.recognise(touched, 78));
    EXPECT_EQ(journal.knows(touched), Known::if_same);
    EXPECT_TRUE(journal.recognise(touched, 77));
    EXPECT_EQ(journal.knows(touched), Known::yes);
  }
  for (int restart = 0; restart < 2; ++restart) {
    Journal journal(state());
    EXPECT_EQ(journal.knows(touched), Known::yes);
    EXPECT_EQ(journal.knows(id), Known::if_same);
  }
}

TEST_F(JournalTest, BeginsAnewWithAnotherModelAndKeepsWhatIsNotPublished) {
  const PictureId first = picture("a.jpg");
  const PictureId second = picture("b.jpg");
  const std::string old_model(64, 'a');
  const std::string new_model(64, 'b');
  {
    Journal journal(state(), {}, old_model);
    journal.set_published(journal.record(first, "one", {.content = 1, .model = old_model}));
    // One that took over meanwhile.
    journal.record(second, "two", {.content = 2, .model = new_model});
    EXPECT_TRUE(journal.has(first));
    EXPECT_TRUE(journal.has(second));
  }
  for (int restart = 0; restart < 2; ++restart) {
    const Journal journal(state(), {}, new_model);
    EXPECT_FALSE(journal.has(first));
    EXPECT_TRUE(journal.has(second));
    ASSERT_EQ(journal.pending().size(), 1U);
    EXPECT_EQ(journal.pending().begin()->second.message, "two");
  }
  const Journal journal(state(), {}, old_model);
  EXPECT_FALSE(journal.has(first));
  EXPECT_FALSE(journal.has(second));
  EXPECT_EQ(journal.pending().size(), 1U);
}

TEST_F(JournalTest, KeepsResultsOfWhicheverModelWhereNoneIsSaid) {
  const PictureId id = picture("a.jpg");
  { Journal(state(), {}, "m1").record(id, "one", {.content = 1, .model = "m1"}); }
  EXPECT_TRUE(Journal(state()).has(id));
}

TEST_F(JournalTest, CountsTheResultsOfAllModelsSinceTheStartAlsoWhenItIsMadeSmaller) {
  const JournalLimits limits{
      .generation = 1'000'000, .file_bytes = 64U << 20U, .growth_bytes = 4U << 10U};
  Journal journal(state(), limits, "m0");
  std::vector<PictureId> pictures;
  for (int i = 0; i < 60; ++i) {
    pictures.push_back(picture(fmt::format("{}.jpg", i)));
    journal.set_published(journal.record(pictures.back(), "a message",
                                         {.content = 1, .model = fmt::format("m{}", i / 10)}));
  }
  EXPECT_LT(journal.file_bytes(), 30'000U);
  for (const PictureId& id : pictures) EXPECT_TRUE(journal.has(id)) << id.path;
}

TEST_F(JournalTest, ForgetsPicturesThatAreGoneButNotAWholeMissingDirectory) {
  const PictureId gone = picture("gone.jpg");
  const PictureId unmounted{"/nonexistent/folder/b.jpg", 1, 2};
  {
    Journal journal(state());
    journal.set_published(journal.record(gone, "one"));
    journal.set_published(journal.record(unmounted, "two"));
  }
  base::fs::remove(gone.path);
  const Journal journal(state());
  EXPECT_FALSE(journal.has(gone));
  EXPECT_TRUE(journal.has(unmounted));
}

TEST_F(JournalTest, IsWholeAfterACrashAtAnyByteOfTheLastRecord) {
  const PictureId first = picture("a.jpg");
  const PictureId second = picture("b.jpg");
  std::size_t whole = 0;
  {
    Journal journal(state());
    journal.record(first, "one");
    whole = base::fs::file_size(file());
    journal.record(second, "two");
  }
  const std::string content = base::read_file(file());
  for (std::size_t length = whole; length < content.size(); ++length) {
    base::write_file_atomically(file(), content.substr(0, length));
    Journal journal(state());
    EXPECT_TRUE(journal.has(first));
    EXPECT_FALSE(journal.has(second)) << length;
    ASSERT_EQ(journal.pending().size(), 1U);
    journal.record(second, "two again");
    EXPECT_EQ(journal.pending().size(), 2U);
  }
}

TEST_F(JournalTest, LeavesOutADamagedRecordAndKeepsTheOthers) {
  const PictureId first = picture("a.jpg");
  const PictureId second = picture("b.jpg");
  {
    Journal journal(state());
    journal.record(first, "one");
    journal.record(second, "two");
  }
  std::string content = base::read_file(file());
  content[30] ^= 1;
  base::write_file_atomically(file(), content);
  const Journal journal(state());
  EXPECT_FALSE(journal.has(first));
  EXPECT_TRUE(journal.has(second));
}

TEST_F(JournalTest, IsSmallAgainAfterARestart) {
  const PictureId id = picture("a.jpg");
  {
    Journal journal(state());
    for (int i = 0; i < 50; ++i) {
      journal.set_published(journal.record(id, std::string(1000, 'x')));
    }
    EXPECT_GT(base::fs::file_size(file()), 50'000U);
  }
  const Journal journal(state());
  EXPECT_LT(base::fs::file_size(file()), 500U);
  EXPECT_TRUE(journal.has(id));
}

TEST_F(JournalTest, HoldsABoundedNumberOfNamesInABoundedFileHoweverManyCome) {
  const JournalLimits limits{
      .generation = 100, .file_bytes = 64U << 10U, .growth_bytes = 4U << 10U};
  const auto id = [&](int i) {
    return PictureId{folder_.path() / "missing" / fmt::format("camera-7-{:08}.jpg", i), i, i};
  };
  Journal journal(state(), limits);
  std::uint64_t largest = 0;
  for (int i = 0; i < 800; ++i) {
    journal.set_published(journal.record(id(i), "a message"));
    ASSERT_LE(journal.remembered(), 2 * limits.generation);
    largest = std::max(largest, journal.file_bytes());
    ASSERT_TRUE(journal.has(id(i)));
    ASSERT_TRUE(journal.has(id(std::max(0, i - 99)))) << i;
  }
  EXPECT_LT(largest, limits.file_bytes + limits.growth_bytes);
  EXPECT_FALSE(journal.has(id(0)));
}

TEST_F(JournalTest, ForgetsNamesThatAreGoneWhileItRuns) {
  const JournalLimits limits{
      .generation = 1'000'000, .file_bytes = 64U << 20U, .growth_bytes = 4U << 10U};
  const auto id = [&](int i) {
    return PictureId{folder_.path() / fmt::format("{:08}.jpg", i), i, i};
  };
  const PictureId kept = picture("kept.jpg");
  Journal journal(state(), limits);
  journal.set_published(journal.record(kept, "a message"));
  std::size_t most = 0;
  for (int i = 0; i < 400; ++i) {
    journal.set_published(journal.record(id(i), "a message"));
    most = std::max(most, journal.remembered());
  }
  EXPECT_LT(most, 100U);
  EXPECT_LT(journal.file_bytes(), 20'000U);
  EXPECT_TRUE(journal.has(kept));
}

TEST_F(JournalTest, TakesOverAJournalInTheOldForm) {
  const PictureId first = picture("name with % and \xFF.jpg");
  const PictureId second = picture("b.jpg");
  const auto line = [](const std::string& text) {
    return trust::sha256_hex(text).substr(0, 16) + ' ' + text + '\n';
  };
  const auto seen = [](const PictureId& id) {
    return fmt::format(R"({{"seen":"{}","bytes":5,"modified":1000000007)",
                       base::percent_encode(id.path, base::Slash::keep));
  };
  base::make_directories(state());
  std::ofstream(file()) << line(seen(first) + R"(,"number":1,"message":"one"})")
                        << line(R"({"published":1})") << "0123456789abcdef {damaged}\n"
                        << line(seen(second) + R"(,"number":2,"message":"two"})")
                        << line(R"({"published":2})").substr(0, 20);
  for (int restart = 0; restart < 2; ++restart) {
    const Journal journal(state());
    EXPECT_TRUE(journal.has(first));
    EXPECT_TRUE(journal.has(second));
    ASSERT_EQ(journal.pending().size(), 1U);
    EXPECT_EQ(journal.pending().begin()->second.message, "two");
  }
}

TEST_F(JournalTest, RefusesAFileThatIsNoJournalAndLeavesIt) {
  base::make_directories(state());
  std::ofstream(file()) << "somebody's notes\n";
  EXPECT_THROW(Journal{state()}, base::Error);
  EXPECT_EQ(base::read_file(file()), "somebody's notes\n");
}

TEST_F(JournalTest, BelongsToOneProcess) {
  const Journal journal(state());
  EXPECT_THROW(Journal{state()}, base::Error);
}

}  // namespace
}  // namespace andon::inspect
