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

}  // namespace
}  // namespace andon::base
