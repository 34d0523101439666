// SPDX-License-Identifier: Apache-2.0
#include "base/os/tree_walk.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include "base/error/error.hpp"

namespace andon::base {
namespace {

using testing::ElementsAre;

class TreeWalkTest : public testing::Test {
 protected:
  std::vector<std::string> walk(const TreeLimits& limits = {}) {
    const UniqueFd top = open_file(directory_.path(), O_RDONLY | O_DIRECTORY);
    std::vector<std::string> seen;
    walk_tree(top.get(), limits, [&](const TreeEntry& entry) {
      seen.push_back(entry.path + (entry.kind == TreeEntry::Kind::directory ? "/"
                                   : entry.kind == TreeEntry::Kind::link
                                       ? "->" + entry.target
                                       : "=" + std::to_string(entry.size)));
    });
    return seen;
  }
  TemporaryDirectory directory_;
};

TEST_F(TreeWalkTest, SeesFilesDirectoriesAndLinksButFollowsNone) {
  make_directories(directory_.path() / "b" / "c");
  write_file_atomically(directory_.path() / "b" / "c" / "file", "four");
  write_file_atomically(directory_.path() / "a", "1");
  fs::create_symlink("/etc", directory_.path() / "out");
  ASSERT_EQ(mkfifo((directory_.path() / "pipe").c_str(), 0600), 0);
  EXPECT_THAT(walk(), ElementsAre("a=1", "b/", "b/c/", "b/c/file=4", "out->/etc"));
}

TEST_F(TreeWalkTest, StopsAtItsLimits) {
  make_directories(directory_.path() / "1" / "2" / "3");
  EXPECT_THROW(walk({.max_depth = 2}), Error);
  EXPECT_THROW(walk({.max_entries = 2}), Error);
  EXPECT_EQ(walk({.max_depth = 4, .max_entries = 3}).size(), 3U);
}

TEST(OpenBeneath, FindsWhatIsThereAndNothingElse) {
  const TemporaryDirectory directory;
  const fs::path top = directory.path() / "top";
  fs::create_directories(top / "a/b");
  write_file_atomically(directory.path() / "secret", "no");
  write_file_atomically(top / "a/b/file", "yes");
  fs::create_symlink("file", top / "a/b/link");
  fs::create_directory_symlink("b", top / "a/inside");
  fs::create_directory_symlink(directory.path(), top / "outside");
  const UniqueFd file = open_beneath(top, "a/b/file", O_RDONLY);
  ASSERT_TRUE(file);
  char bytes[8] = {};
  EXPECT_EQ(read(file.get(), bytes, sizeof bytes), 3);
  EXPECT_TRUE(open_beneath(top, "a/b", O_RDONLY | O_DIRECTORY));
  for (const char* name :
       {"a/b/none", "a/b/file/more", "a/b/link", "a/inside/file", "outside/secret", "../secret",
        "a/../a/b/file", "/etc/passwd", "a//b/file", "./a", "", "a/b/"}) {
    EXPECT_FALSE(open_beneath(top, name, O_RDONLY)) << name;
  }
}

}  // namespace
}  // namespace andon::base
