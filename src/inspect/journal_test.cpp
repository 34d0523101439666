// SPDX-License-Identifier: Apache-2.0
#include "inspect/journal.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "base/error.hpp"

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

TEST_F(JournalTest, BelongsToOneProcess) {
  const Journal journal(state());
  EXPECT_THROW(Journal{state()}, base::Error);
}

}  // namespace
}  // namespace andon::inspect
