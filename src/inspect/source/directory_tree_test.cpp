// SPDX-License-Identifier: Apache-2.0
#include "inspect/source/directory_tree.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/stat.h>

#include <array>
#include <fstream>

#include "inspect/source/directory_source.hpp"

namespace andon::inspect {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;
using namespace std::chrono_literals;

// Time goes on only where a test says so.
class DirectoryTreeTest : public testing::Test {
 protected:
  [[nodiscard]] base::fs::path path(const std::string& name) const { return folder_.path() / name; }
  void write(const std::string& name) const {
    base::make_directories(path(name).parent_path());
    std::ofstream(path(name)) << "x";
  }
  [[nodiscard]] std::vector<std::string> take(DirectoryTree& tree) const {
    std::vector<std::string> names;
    for (const auto& found : tree.take(now_)) {
      names.push_back(found.lexically_relative(folder_.path()).string());
    }
    return names;
  }
  // All that is given until there is nothing to do but to wait.
  [[nodiscard]] std::vector<std::string> take_after(DirectoryTree& tree,
                                                    std::chrono::milliseconds time) {
    now_ += time;
    std::vector<std::string> names;
    do {
      for (std::string& name : take(tree)) names.push_back(std::move(name));
    } while (tree.look_again_at(now_) <= now_);
    return names;
  }

  base::TemporaryDirectory folder_;
  base::Timestamp now_ = base::from_epoch_millis(4'000'000'000'000);
};

TEST_F(DirectoryTreeTest, GivesWhatIsInAllDirectoriesAndWhatComes) {
  for (const char* name : {"b.jpg", "a/1.jpg", "a/b/c/2.jpg", ".hidden/3.jpg", "a/notes.txt"}) {
    write(name);
  }
  DirectoryTree tree(folder_.path());
  EXPECT_THAT(take(tree), ElementsAre("b.jpg", "a/1.jpg", "a/b/c/2.jpg"));
  EXPECT_THAT(take(tree), IsEmpty());
  write("a/b/4.jpg");
  pollfd wait{tree.fd(), POLLIN, 0};
  EXPECT_EQ(poll(&wait, 1, 5'000), 1);
  EXPECT_THAT(take(tree), ElementsAre("a/b/4.jpg"));
  // A directory that comes with all that is in it, also by a rename.
  write("new/deep/5.jpg");
  EXPECT_THAT(take_after(tree, 0ms), ElementsAre("new/deep/5.jpg"));
  base::fs::rename(path("new"), path("moved.jpg"));
  EXPECT_THAT(take_after(tree, 1s), ElementsAre("moved.jpg/deep/5.jpg"));
  write("moved.jpg/deep/6.jpg");
  EXPECT_THAT(take_after(tree, 0ms), ElementsAre("moved.jpg/deep/6.jpg"));
}

TEST_F(DirectoryTreeTest, ForgetsWhatGoesAndTakesUpWhatComesAgain) {
  write("a/1.jpg");
  DirectoryTree tree(folder_.path());
  EXPECT_THAT(take(tree), ElementsAre("a/1.jpg"));
  base::fs::remove_all(path("a"));
  EXPECT_THAT(take_after(tree, 1s), IsEmpty());
  write("a/2.jpg");
  EXPECT_THAT(take_after(tree, 1s), ElementsAre("a/2.jpg"));
  base::fs::remove_all(folder_.path());
  EXPECT_THAT(take_after(tree, 1s), IsEmpty());
  write("a/3.jpg");
  EXPECT_THAT(take_after(tree, 1s), ElementsAre("a/3.jpg"));
}

TEST_F(DirectoryTreeTest, FollowsLinksButNotInCirclesAndNotIntoWhatIsLeftOut) {
  write("a/1.jpg");
  write("out/annotated/1.jpg");
  const base::TemporaryDirectory elsewhere;
  std::ofstream(elsewhere.path() / "2.jpg") << "x";
  base::fs::create_directory_symlink("..", path("a") / "back");
  base::fs::create_directory_symlink(elsewhere.path(), path("camera"));
  DirectoryTree tree(folder_.path(), {}, {path("out")});
  EXPECT_THAT(take(tree), ElementsAre("a/1.jpg", "camera/2.jpg"));
  base::fs::create_directory_symlink("out", path("results"));
  base::fs::create_directory_symlink(elsewhere.path(), path("later"));
  EXPECT_THAT(take_after(tree, 0ms), ElementsAre("later/2.jpg"));
}

TEST_F(DirectoryTreeTest, ScansTheDirectoriesThatTheKernelDoesNotTellOf) {
  const std::size_t count = DirectoryTree::kMostWithEvents + 6;
  for (std::size_t i = 0; i < count; ++i) write("d" + std::to_string(1'000 + i) + "/1.jpg");
  DirectoryTree tree(folder_.path());
  EXPECT_EQ(take(tree).size(), count);
  const std::string last = "d" + std::to_string(1'000 + count - 1);
  write(last + "/2.jpg");
  const std::array<timespec, 2> old{{{1'000, 0}, {1'000, 0}}};
  ASSERT_EQ(utimensat(AT_FDCWD, path(last + "/2.jpg").c_str(), old.data(), 0), 0);
  EXPECT_THAT(take_after(tree, DirectoryWatcher::kScanWithoutEventsEvery),
              testing::Contains(last + "/2.jpg"));
}

TEST_F(DirectoryTreeTest, NamesPicturesByTheirPaths) {
  write("a/b/1.jpg");
  write("2.jpg");
  DirectorySource source(folder_.path(), {}, {});
  std::vector<std::string> names;
  while (auto frame = source.take(now_, {})) names.push_back(frame->name);
  EXPECT_THAT(names, UnorderedElementsAre("2.jpg", "a/b/1.jpg"));
  EXPECT_TRUE(source.is_drained());
}

}  // namespace
}  // namespace andon::inspect
