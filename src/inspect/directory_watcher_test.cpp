// SPDX-License-Identifier: Apache-2.0
#include "inspect/directory_watcher.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

namespace andon::inspect {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class DirectoryWatcherTest : public testing::Test {
 protected:
  void write(const std::string& name) const { std::ofstream(folder_.path() / name) << "x"; }
  static std::vector<std::string> names(const std::vector<base::fs::path>& paths) {
    std::vector<std::string> result;
    for (const auto& path : paths) result.push_back(path.filename().string());
    return result;
  }

  base::TemporaryDirectory folder_;
};

TEST_F(DirectoryWatcherTest, GivesWhatIsThereByNameThenWhatComes) {
  write("b.jpg");
  write("a.PNG");
  write("notes.txt");
  write(".hidden.jpg");
  write("c.jpg.part");
  base::fs::create_directory(folder_.path() / "folder.jpg");
  DirectoryWatcher source(folder_.path());
  EXPECT_THAT(names(source.take()), ElementsAre("a.PNG", "b.jpg"));
  EXPECT_THAT(source.take(), IsEmpty());
  write("z.jpg");
  write("d.jpeg");
  write("readme.md");
  base::fs::rename(folder_.path() / "c.jpg.part", folder_.path() / "c.jpg");
  EXPECT_THAT(names(source.take()), ElementsAre("z.jpg", "d.jpeg", "c.jpg"));
  EXPECT_THAT(source.take(), IsEmpty());
}

TEST_F(DirectoryWatcherTest, GivesAFileOnlyWhenItIsClosed) {
  DirectoryWatcher source(folder_.path());
  EXPECT_THAT(source.take(), IsEmpty());
  std::ofstream file(folder_.path() / "a.jpg");
  file << "half" << std::flush;
  EXPECT_THAT(source.take(), IsEmpty());
  file.close();
  EXPECT_THAT(names(source.take()), ElementsAre("a.jpg"));
}

TEST_F(DirectoryWatcherTest, WaitsForADirectoryThatIsMissing) {
  const base::fs::path later = folder_.path() / "later";
  DirectoryWatcher source(later);
  EXPECT_THAT(source.take(), IsEmpty());
  EXPECT_EQ(source.fd(), -1);
  base::fs::create_directory(later);
  std::ofstream(later / "a.jpg") << "x";
  EXPECT_THAT(names(source.take()), ElementsAre("a.jpg"));
  EXPECT_GE(source.fd(), 0);
  base::fs::remove_all(later);
  EXPECT_THAT(source.take(), IsEmpty());
  EXPECT_EQ(source.fd(), -1);
  base::fs::create_directory(later);
  std::ofstream(later / "b.jpg") << "x";
  EXPECT_THAT(names(source.take()), ElementsAre("b.jpg"));
}

}  // namespace
}  // namespace andon::inspect
