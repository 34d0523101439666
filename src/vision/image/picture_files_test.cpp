// SPDX-License-Identifier: Apache-2.0
#include "vision/image/picture_files.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error/error.hpp"

namespace andon::vision {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class PictureFilesTest : public testing::Test {
 protected:
  void write(const std::string& name) const {
    base::make_directories((folder_.path() / name).parent_path());
    base::write_file_atomically(folder_.path() / name, "x");
  }
  [[nodiscard]] std::vector<std::string> names(Folders folders, std::size_t limit = 100) const {
    std::vector<std::string> names;
    for (const auto& path : picture_files(folder_.path(), folders, limit)) {
      names.push_back(path.lexically_relative(folder_.path()).string());
    }
    return names;
  }
  [[nodiscard]] base::Error problem(const base::fs::path& path) const {
    try {
      static_cast<void>(picture_files(path));
    } catch (const base::Error& error) {
      return error;
    }
    return {base::ErrorCode::internal, "none"};
  }

  base::TemporaryDirectory folder_;
};

TEST_F(PictureFilesTest, AreThoseOfTheFolderByName) {
  for (const char* name : {"b.png", "a.jpg", "notes.txt", ".hidden.jpg", "below/c.jpg"})
    write(name);
  base::make_directories(folder_.path() / "folder.jpg");
  EXPECT_THAT(names(Folders::this_one), ElementsAre("a.jpg", "b.png"));
  EXPECT_THAT(names(Folders::this_one, 1), ElementsAre("a.jpg"));
  EXPECT_EQ(problem(folder_.path() / "absent").code(), base::ErrorCode::not_found);
}

TEST_F(PictureFilesTest, OfAllFoldersBelowFollowLinksOnceAndLeaveHiddenOnesOut) {
  for (const char* name : {"z.jpg", "a/1.jpg", "a/b/2.png", ".cache/3.jpg", "c/notes.txt"}) {
    write(name);
  }
  base::fs::create_directory_symlink("..", folder_.path() / "a" / "b" / "back");
  base::fs::create_directory_symlink("a", folder_.path() / "link");
  EXPECT_THAT(names(Folders::all_below),
              ElementsAre("a/1.jpg", "a/b/2.png", "link/1.jpg", "link/b/2.png", "z.jpg"));
}

TEST_F(PictureFilesTest, SayWhereOthersMayBe) {
  write("below/c.jpg");
  const base::Error error = problem(folder_.path());
  EXPECT_EQ(error.code(), base::ErrorCode::not_found);
  EXPECT_THAT(error.message(), HasSubstr("--recursive"));
  EXPECT_THAT(problem(folder_.path() / "below" / "c.jpg").message(), HasSubstr("cannot read"));
}

}  // namespace
}  // namespace andon::vision
