// SPDX-License-Identifier: Apache-2.0
#include "inspect/model/file_watch.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <functional>

namespace andon::inspect {
namespace {

using namespace std::chrono_literals;

// A model and its description; time goes on only where a test says so.
class FileWatchTest : public testing::Test {
 protected:
  FileWatchTest() {
    base::make_directories(path("models"));
    write("models/m.onnx", "one");
  }
  [[nodiscard]] base::fs::path path(const std::string& name) const { return folder_.path() / name; }
  void write(const std::string& name, const std::string& content) const {
    std::ofstream(path(name)) << content;
  }
  void rename_over(const std::string& name, const std::string& content) const {
    base::write_file_atomically(path(name), content);
  }
  void swap_link(const std::string& name, const base::fs::path& target) const {
    base::fs::create_symlink(target, path(name + ".new"));
    base::fs::rename(path(name + ".new"), path(name));
  }
  [[nodiscard]] std::vector<WatchedFile> files(const std::string& model) const {
    base::fs::path description = path(model);
    description.replace_extension(".yaml");
    return {file_now(path(model)), file_now(description)};
  }
  [[nodiscard]] FileWatch watch(const std::string& model = "models/m.onnx") const {
    FileWatch result;
    result.watch(files(model));
    return result;
  }
  [[nodiscard]] bool at_once(FileWatch& watch) const { return watch.take(now_); }
  // How often a change is told in the next seconds.
  [[nodiscard]] int in_time(FileWatch& watch) {
    int changes = 0;
    for (int i = 0; i < 6; ++i) {
      if (watch.take(now_)) ++changes;
      now_ += FileWatch::kLookEvery / 2;
    }
    return changes;
  }

  base::TemporaryDirectory folder_;
  base::Timestamp now_ = base::from_epoch_millis(4'000'000'000'000);
};

TEST_F(FileWatchTest, TellsAtOnceWhatIsClosedOrRenamedIntoPlace) {
  FileWatch watch = this->watch();
  EXPECT_EQ(in_time(watch), 0);
  rename_over("models/m.onnx", "two");
  EXPECT_TRUE(at_once(watch));
  write("models/m.onnx", "three");
  EXPECT_TRUE(at_once(watch));
  write("models/other.onnx", "other");
  EXPECT_EQ(in_time(watch), 0);
}

TEST_F(FileWatchTest, TellsOfAFileThatIsBeingWrittenWhenItIsWhole) {
  FileWatch watch = this->watch();
  EXPECT_FALSE(at_once(watch));
  std::ofstream file(path("models/m.onnx"));
  for (int i = 0; i < 5; ++i) {
    file << "more" << std::flush;
    now_ += FileWatch::kLookEvery;
    EXPECT_FALSE(at_once(watch)) << i;
  }
  file.close();
  EXPECT_TRUE(at_once(watch));
}

TEST_F(FileWatchTest, TellsOnceOfFilesThatComeOneAfterAnother) {
  write("models/m.yaml", "a: 1");
  FileWatch watch = this->watch();
  EXPECT_FALSE(at_once(watch));
  rename_over("models/m.yaml", "a: 2");
  EXPECT_FALSE(at_once(watch));
  rename_over("models/m.onnx", "two");
  EXPECT_FALSE(at_once(watch));
  EXPECT_EQ(in_time(watch), 1);
}

TEST_F(FileWatchTest, TellsOfADescriptionThatComesChangesAndGoes) {
  FileWatch watch = this->watch();
  rename_over("models/m.yaml", "a: 1");
  EXPECT_EQ(in_time(watch), 1);
  write("models/m.yaml", "a: 2");
  EXPECT_EQ(in_time(watch), 1);
  base::fs::remove(path("models/m.yaml"));
  EXPECT_EQ(in_time(watch), 1);
}

TEST_F(FileWatchTest, TellsOfWhatIsDeletedWhenItIsBack) {
  FileWatch watch = this->watch();
  base::fs::remove(path("models/m.onnx"));
  EXPECT_EQ(in_time(watch), 0);
  write("models/m.onnx", "two");
  EXPECT_EQ(in_time(watch), 1);
  base::fs::remove_all(path("models"));
  EXPECT_EQ(in_time(watch), 0);
  base::make_directories(path("models"));
  write("models/m.onnx", "three");
  EXPECT_EQ(in_time(watch), 1);
  // The folder made anew is watched as the old one was.
  rename_over("models/m.onnx", "four");
  EXPECT_TRUE(at_once(watch));
}

TEST_F(FileWatchTest, TellsOfLinksToIt) {
  write("models/two", "two");
  write("models/three", "three");
  base::fs::create_symlink("m.onnx", path("models/link.onnx"));
  FileWatch watch = this->watch("models/link.onnx");
  EXPECT_EQ(in_time(watch), 0);
  swap_link("models/link.onnx", "two");
  EXPECT_EQ(in_time(watch), 1);
  // The file behind it, elsewhere.
  rename_over("models/two", "another two");
  EXPECT_EQ(in_time(watch), 1);
  base::fs::remove(path("models/link.onnx"));
  base::fs::create_hard_link(path("models/three"), path("models/link.onnx"));
  EXPECT_EQ(in_time(watch), 1);
}

TEST_F(FileWatchTest, TellsOfFoldersAndLinksThatAreReplacedAnywhereOnTheWay) {
  for (const char* release : {"1", "2", "3"}) {
    base::make_directories(path(std::string("releases/") + release + "/models"));
    write(std::string("releases/") + release + "/models/m.onnx", release);
  }
  base::fs::create_symlink("releases/1", path("current"));
  FileWatch watch = this->watch("current/models/m.onnx");
  EXPECT_EQ(in_time(watch), 0);
  swap_link("current", "releases/2");
  EXPECT_EQ(in_time(watch), 1);
  rename_over("releases/2/models/m.onnx", "newer");
  EXPECT_TRUE(at_once(watch));
  rename_over("releases/1/models/m.onnx", "of no matter");
  EXPECT_EQ(in_time(watch), 0);
  base::fs::rename(path("releases/2/models"), path("releases/2/away"));
  base::fs::rename(path("releases/3/models"), path("releases/2/models"));
  EXPECT_EQ(in_time(watch), 1);
}

TEST_F(FileWatchTest, TellsOfAVolumeThatKubernetesSwaps) {
  for (const char* version : {"1", "2"}) {
    base::make_directories(path(std::string("volume/..") + version));
    write(std::string("volume/..") + version + "/m.onnx", version);
    write(std::string("volume/..") + version + "/m.yaml", version);
  }
  base::fs::create_symlink("..1", path("volume/..data"));
  base::fs::create_symlink("..data/m.onnx", path("volume/m.onnx"));
  base::fs::create_symlink("..data/m.yaml", path("volume/m.yaml"));
  FileWatch watch = this->watch("volume/m.onnx");
  EXPECT_EQ(in_time(watch), 0);
  swap_link("volume/..data", "..2");
  base::fs::remove_all(path("volume/..1"));
  EXPECT_EQ(in_time(watch), 1);
}

TEST_F(FileWatchTest, TellsOfAFileThatWasWrittenWithItsOldSizeAndTime) {
  FileWatch watch = this->watch();
  EXPECT_FALSE(at_once(watch));
  const base::fs::path file = path("models/m.onnx");
  struct stat before {};
  ASSERT_EQ(stat(file.c_str(), &before), 0);
  write("models/m.onnx", "two");
  const std::array<timespec, 2> times{before.st_atim, before.st_mtim};
  ASSERT_EQ(utimensat(AT_FDCWD, file.c_str(), times.data(), 0), 0);
  EXPECT_EQ(in_time(watch), 1);
}

TEST_F(FileWatchTest, TellsWhatHasChangedSinceTheFilesWereRead) {
  const std::vector<WatchedFile> as_read = files("models/m.onnx");
  rename_over("models/m.onnx", "two");
  FileWatch watch;
  watch.watch(as_read);
  EXPECT_EQ(in_time(watch), 1);
}

TEST_F(FileWatchTest, TellsOfWhatIsMountedOverItAndUnmounted) {
  base::make_directories(path("disk"));
  write("disk/m.onnx", "two");
  const pid_t child = fork();
  if (child == 0) {
    const auto mounted = [&] {
      return unshare(CLONE_NEWNS) == 0 &&
             mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
             mount(path("disk").c_str(), path("disk").c_str(), nullptr, MS_BIND, nullptr) == 0;
    };
    if (!mounted()) _exit(77);
    FileWatch watch = this->watch();
    if (in_time(watch) != 0) _exit(1);
    mount(path("disk").c_str(), path("models").c_str(), nullptr, MS_BIND, nullptr);
    if (in_time(watch) != 1) _exit(2);
    umount2(path("models").c_str(), MNT_DETACH);
    _exit(in_time(watch) == 1 ? 0 : 3);
  }
  int status = 0;
  waitpid(child, &status, 0);
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == 77) GTEST_SKIP() << "mounting is not allowed here";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace andon::inspect
