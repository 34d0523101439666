// SPDX-License-Identifier: Apache-2.0
#include "base/os/file.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/error/error.hpp"

namespace andon::base {
namespace {

TEST(WriteFileAtomically, ReplacesContentAndLeavesNothingElse) {
  const TemporaryDirectory directory;
  const fs::path path = directory.path() / "state";
  write_file_atomically(path, "one", 0600);
  write_file_atomically(path, "two", 0600);
  EXPECT_EQ(read_file(path), "two");
  struct stat info {};
  ASSERT_EQ(stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
  EXPECT_EQ(std::distance(fs::directory_iterator(directory.path()), {}), 1);
}

// Where the file system has files without a name, as this one.
TEST(WriteFileAtomically, AProcessThatIsKilledWhileItWritesLeavesNothing) {
  const TemporaryDirectory directory("/dev/shm");
  const fs::path path = directory.path() / "state";
  write_file_atomically(path, "before");
  const auto write_too_much = [&] {
    const rlimit limit{.rlim_cur = 4096, .rlim_max = 4096};
    if (setrlimit(RLIMIT_FSIZE, &limit) == 0) write_file_atomically(path, std::string(8192, 'x'));
  };
  EXPECT_EXIT(write_too_much(), testing::KilledBySignal(SIGXFSZ), "");
  EXPECT_EQ(read_file(path), "before");
  EXPECT_EQ(std::distance(fs::directory_iterator(directory.path()), {}), 1);
}

TEST(WriteFileAtomically, TakesTheLongestName) {
  const TemporaryDirectory directory;
  const fs::path path = directory.path() / std::string(255, 'n');
  write_file_atomically(path, "x");
  EXPECT_EQ(read_file(path), "x");
}

TEST(ReadFile, NamesThePathInItsErrors) {
  const TemporaryDirectory directory;
  const fs::path path = directory.path() / "absent";
  EXPECT_EQ(read_file_if_exists(path), std::nullopt);
  try {
    (void)read_file(path);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::not_found);
    EXPECT_NE(error.message().find(path.string()), std::string::npos);
  }
}

TEST(ReadFile, RefusesMoreThanTheLimit) {
  const TemporaryDirectory directory;
  const fs::path path = directory.path() / "large";
  write_file_atomically(path, std::string(100, 'x'));
  EXPECT_EQ(read_file(path, 100).size(), 100U);
  EXPECT_THROW((void)read_file(path, 99), Error);
}

TEST(FileLock, IsHeldByOneAtATime) {
  const TemporaryDirectory directory;
  const fs::path path = directory.path() / "lock";
  {
    const FileLock first(path);
    EXPECT_THROW(FileLock second(path), Error);
  }
  EXPECT_NO_THROW(FileLock third(path));
}

}  // namespace
}  // namespace andon::base
