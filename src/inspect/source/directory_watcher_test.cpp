// SPDX-License-Identifier: Apache-2.0
#include "inspect/source/directory_watcher.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <set>

#include "inspect/source/file_system.hpp"
#include "inspect/source/frame.hpp"

namespace andon::inspect {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;
using namespace std::chrono_literals;

// Time goes on only where a test says so.
class DirectoryWatcherTest : public testing::Test {
 protected:
  void write(const std::string& name) const { std::ofstream(path(name)) << "x"; }
  // Written so long ago that nobody may still be writing it.
  void write_old(const std::string& name) const {
    write(name);
    set_time(name, 1'000);
  }
  void set_time(const std::string& name, std::time_t seconds) const {
    const std::array<timespec, 2> times{{{seconds, 0}, {seconds, 0}}};
    ASSERT_EQ(utimensat(AT_FDCWD, path(name).c_str(), times.data(), 0), 0);
  }
  [[nodiscard]] base::fs::path path(const std::string& name) const { return folder_.path() / name; }
  void make_folders(std::initializer_list<const char*> names) const {
    for (const char* name : names) base::make_directories(path(name));
  }
  void link_to(const std::string& name, const base::fs::path& target) const {
    base::fs::create_symlink(target, path(name));
  }
  // In one step, as releases are swapped.
  void swap_link(const std::string& name, const base::fs::path& target) const {
    base::fs::create_symlink(target, path(name + ".new"));
    base::fs::rename(path(name + ".new"), path(name));
  }

  [[nodiscard]] std::vector<std::string> take(DirectoryWatcher& watcher) const {
    std::vector<std::string> names;
    for (const auto& path : watcher.take(now_)) names.push_back(path.filename().string());
    return names;
  }
  // All that is given until there is nothing to do but to wait.
  [[nodiscard]] std::vector<std::string> take_after(DirectoryWatcher& watcher,
                                                    std::chrono::milliseconds time) {
    now_ += time;
    std::vector<std::string> names;
    do {
      for (std::string& name : take(watcher)) names.push_back(std::move(name));
    } while (watcher.look_again_at(now_) <= now_);
    return names;
  }
  // As the journal would: what was given has its result.
  [[nodiscard]] DirectoryWatcher::Knows memory() {
    return [this](const PictureId& id) { return seen_.knows(SeenPictures::key(id)); };
  }
  void remember(const std::string& name) {
    seen_.note(SeenPictures::key(identify_picture(path(name))->id), 1);
  }

  base::TemporaryDirectory folder_;
  base::Timestamp now_ = base::from_epoch_millis(4'000'000'000'000);
  SeenPictures seen_;
};

TEST_F(DirectoryWatcherTest, GivesWhatIsThereByNameThenWhatComes) {
  write("b.jpg");
  write("a.PNG");
  write("notes.txt");
  write(".hidden.jpg");
  write("c.jpg.part");
  base::fs::create_directory(path("folder.jpg"));
  DirectoryWatcher watcher(folder_.path());
  EXPECT_THAT(take(watcher), ElementsAre("a.PNG", "b.jpg"));
  EXPECT_THAT(take(watcher), IsEmpty());
  write("z.jpg");
  write("d.jpeg");
  write("readme.md");
  base::fs::rename(path("c.jpg.part"), path("c.jpg"));
  EXPECT_THAT(take(watcher), ElementsAre("z.jpg", "d.jpeg", "c.jpg"));
  EXPECT_THAT(take(watcher), IsEmpty());
}

TEST_F(DirectoryWatcherTest, GivesAFileOnlyWhenItIsClosed) {
  DirectoryWatcher watcher(folder_.path());
  EXPECT_THAT(take(watcher), IsEmpty());
  std::ofstream file(path("a.jpg"));
  file << "half" << std::flush;
  EXPECT_THAT(take(watcher), IsEmpty());
  file.close();
  EXPECT_THAT(take(watcher), ElementsAre("a.jpg"));
  EXPECT_THAT(take_after(watcher, 3s), IsEmpty());
}

TEST_F(DirectoryWatcherTest, WaitsForADirectoryThatIsMissing) {
  const base::fs::path later = path("later");
  DirectoryWatcher watcher(later);
  EXPECT_THAT(take(watcher), IsEmpty());
  EXPECT_EQ(watcher.fd(), -1);
  make_folders({"later"});
  write("later/a.jpg");
  EXPECT_THAT(take_after(watcher, 1s), ElementsAre("a.jpg"));
  EXPECT_GE(watcher.fd(), 0);
  base::fs::remove_all(later);
  EXPECT_THAT(take(watcher), IsEmpty());
  EXPECT_EQ(watcher.fd(), -1);
  make_folders({"later"});
  write("later/b.jpg");
  EXPECT_THAT(take_after(watcher, 1s), ElementsAre("b.jpg"));
}

TEST_F(DirectoryWatcherTest, SeesADirectoryThatWasMadeAnewBetweenTwoLooks) {
  make_folders({"a"});
  DirectoryWatcher watcher(path("a"));
  EXPECT_THAT(take(watcher), IsEmpty());
  base::fs::remove_all(path("a"));
  make_folders({"a"});  // perhaps with the same inode
  write("a/b.jpg");
  EXPECT_THAT(take_after(watcher, 1s), ElementsAre("b.jpg"));
}

TEST_F(DirectoryWatcherTest, GivesPicturesThatAreLinkedIntoIt) {
  make_folders({"images", "elsewhere"});
  write("elsewhere/picture");
  DirectoryWatcher watcher(path("images"));
  EXPECT_THAT(take(watcher), IsEmpty());
  // As those publish who must be safe on NFS: the name is there with all of its content.
  write("images/.temporary");
  base::fs::create_hard_link(path("images/.temporary"), path("images/a.jpg"));
  EXPECT_THAT(take(watcher), ElementsAre("a.jpg"));
  base::fs::create_hard_link(path("elsewhere/picture"), path("images/b.jpg"));
  base::fs::create_symlink(path("elsewhere/picture"), path("images/c.jpg"));
  EXPECT_THAT(take(watcher), ElementsAre("b.jpg", "c.jpg"));
  // The other name is gone before it is looked at: nothing tells it from one that is being written.
  write_old("images/.second");
  base::fs::create_hard_link(path("images/.second"), path("images/d.jpg"));
  base::fs::remove(path("images/.second"));
  EXPECT_THAT(take(watcher), IsEmpty());
  EXPECT_THAT(take_after(watcher, Frame::kSettleTime), ElementsAre("d.jpg"));
}

TEST_F(DirectoryWatcherTest, GivesFilesThatHadNoNameBefore) {
  DirectoryWatcher watcher(folder_.path());
  EXPECT_THAT(take(watcher), IsEmpty());
  const base::UniqueFd file(open(folder_.path().c_str(), O_TMPFILE | O_WRONLY, 0600));
  if (!file) GTEST_SKIP() << "no O_TMPFILE here";
  base::write_all(file.get(), "x", "a.jpg");
  const std::string name = "/proc/self/fd/" + std::to_string(file.get());
  ASSERT_EQ(linkat(AT_FDCWD, name.c_str(), AT_FDCWD, path("a.jpg").c_str(), AT_SYMLINK_FOLLOW), 0);
  EXPECT_THAT(take(watcher), IsEmpty());
  EXPECT_THAT(take_after(watcher, Frame::kSettleTime), ElementsAre("a.jpg"));
}

TEST_F(DirectoryWatcherTest, GivesAPictureAgainThatIsReplaced) {
  for (const char* name : {"a.jpg", "b.jpg", "c.jpg", "d.jpg"}) write(name);
  DirectoryWatcher watcher(folder_.path());
  EXPECT_EQ(take(watcher).size(), 4U);
  write("a.jpg");
  EXPECT_THAT(take(watcher), ElementsAre("a.jpg"));
  write(".new");
  base::fs::rename(path(".new"), path("b.jpg"));
  EXPECT_THAT(take(watcher), ElementsAre("b.jpg"));
  base::fs::remove(path("c.jpg"));
  base::fs::create_symlink(path("b.jpg"), path("c.jpg"));
  EXPECT_THAT(take(watcher), ElementsAre("c.jpg"));
  base::fs::create_symlink(path("a.jpg"), path(".link"));
  base::fs::rename(path(".link"), path("d.jpg"));
  EXPECT_THAT(take(watcher), ElementsAre("d.jpg"));
}

TEST_F(DirectoryWatcherTest, FollowsLinksThatAreSwappedAnywhereOnTheWay) {
  make_folders({"1/images", "2/images", "3/images"});
  write("1/images/a.jpg");
  write("2/images/b.jpg");
  write("3/images/c.jpg");
  link_to("current", "1");
  link_to("outer", "current/images");
  DirectoryWatcher watcher(path("outer"));
  EXPECT_THAT(take(watcher), ElementsAre("a.jpg"));
  swap_link("current", "2");
  EXPECT_THAT(take_after(watcher, DirectoryWatcher::kLookEvery), ElementsAre("b.jpg"));
  write("2/images/d.jpg");
  EXPECT_THAT(take(watcher), ElementsAre("d.jpg"));
  write("1/images/old.jpg");
  EXPECT_THAT(take(watcher), IsEmpty());
  swap_link("outer", "3/images");
  EXPECT_THAT(take_after(watcher, DirectoryWatcher::kLookEvery), ElementsAre("c.jpg"));
}

// A volume of Kubernetes: names link through ..data, which is swapped, and the old folder removed.
TEST_F(DirectoryWatcherTest, FollowsAVolumeAsKubernetesSwapsIt) {
  make_folders({"volume/..1/images", "volume/..2/images"});
  write("volume/..1/images/a.jpg");
  write("volume/..2/images/b.jpg");
  link_to("volume/..data", "..1");
  link_to("volume/images", "..data/images");
  DirectoryWatcher watcher(path("volume/images"));
  EXPECT_THAT(take(watcher), ElementsAre("a.jpg"));
  swap_link("volume/..data", "..2");
  base::fs::remove_all(path("volume/..1"));
  EXPECT_THAT(take_after(watcher, DirectoryWatcher::kLookEvery), ElementsAre("b.jpg"));
}

TEST_F(DirectoryWatcherTest, FollowsADirectoryThatIsRenamedOverOrMovedAway) {
  make_folders({"images", "others", "more"});
  write("others/b.jpg");
  write("more/c.jpg");
  DirectoryWatcher watcher(path("images"));
  EXPECT_THAT(take(watcher), IsEmpty());
  base::fs::rename(path("others"), path("images"));
  EXPECT_THAT(take_after(watcher, DirectoryWatcher::kLookEvery), ElementsAre("b.jpg"));
  base::fs::rename(path("images"), path("away"));
  base::fs::rename(path("more"), path("images"));
  EXPECT_THAT(take(watcher), ElementsAre("c.jpg"));  // its own move is told at once
  write("away/d.jpg");
  EXPECT_THAT(take(watcher), IsEmpty());
}

TEST_F(DirectoryWatcherTest, GivesWhatCameWhenEventsAreLost) {
  DirectoryWatcher watcher(folder_.path(), memory());
  EXPECT_THAT(take(watcher), IsEmpty());
  // More than the queue takes (fs.inotify.max_queued_events).
  const std::string most = base::read_file("/proc/sys/fs/inotify/max_queued_events", 100);
  const int count = std::stoi(most);
  if (count > 100'000) GTEST_SKIP() << "the queue takes " << most;
  write_old("b.jpg");
  remember("b.jpg");
  for (int i = 0; i < count; ++i) {
    const std::string name = i % 2 == 0 ? "x" : "y";
    const base::UniqueFd file(open(path(name).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  }
  write_old("a.jpg");
  const std::vector<std::string> names = take_after(watcher, 0s);
  EXPECT_THAT(std::set<std::string>(names.begin(), names.end()), testing::Contains("a.jpg"));
}

TEST_F(DirectoryWatcherTest, FindsEverythingBySlowScansWhereThereAreNoEvents) {
  make_folders({"images", "others"});
  write_old("images/a.jpg");
  DirectoryWatcher watcher(path("images"), memory(), DirectoryWatcher::Events::unused);
  EXPECT_EQ(watcher.fd(), -1);
  EXPECT_THAT(take(watcher), ElementsAre("a.jpg"));
  remember("images/a.jpg");
  write_old("images/c.jpg");
  write_old("images/b.jpg");
  EXPECT_THAT(take(watcher), IsEmpty());
  constexpr auto kScan = DirectoryWatcher::kScanWithoutEventsEvery;
  EXPECT_THAT(take_after(watcher, kScan), ElementsAre("b.jpg", "c.jpg"));
  remember("images/b.jpg");
  remember("images/c.jpg");
  EXPECT_THAT(take_after(watcher, kScan), IsEmpty());
  // Rewritten with the size and the time that it had.
  write_old("images/b.jpg");
  EXPECT_THAT(take_after(watcher, kScan), ElementsAre("b.jpg"));
  remember("images/b.jpg");
  base::fs::rename(path("images"), path("away"));
  EXPECT_THAT(take_after(watcher, kScan), IsEmpty());
  base::fs::rename(path("others"), path("images"));
  write_old("images/d.jpg");
  EXPECT_THAT(take_after(watcher, kScan), ElementsAre("d.jpg"));
}

TEST_F(DirectoryWatcherTest, WaitsForAFileThatAScanFindsJustWritten) {
  DirectoryWatcher watcher(folder_.path(), memory(), DirectoryWatcher::Events::unused);
  EXPECT_THAT(take(watcher), IsEmpty());
  write("a.jpg");
  constexpr auto kScan = DirectoryWatcher::kScanWithoutEventsEvery;
  const auto written =
      std::chrono::duration_cast<std::chrono::seconds>((now_ + kScan).time_since_epoch());
  set_time("a.jpg", written.count());
  EXPECT_THAT(take_after(watcher, kScan), IsEmpty());
  // By then the next scan is due, too.
  EXPECT_THAT(take_after(watcher, Frame::kSettleTime), testing::Contains("a.jpg"));
}

TEST_F(DirectoryWatcherTest, FindsBySlowScansWhatEventsDoNotTell) {
  make_folders({"images", "elsewhere"});
  write_old("elsewhere/a");
  base::fs::create_symlink(path("elsewhere/a"), path("images/a.jpg"));
  DirectoryWatcher watcher(path("images"), memory());
  EXPECT_THAT(take(watcher), ElementsAre("a.jpg"));
  remember("images/a.jpg");
  EXPECT_THAT(take_after(watcher, DirectoryWatcher::kScanEvery), IsEmpty());
  std::ofstream(path("elsewhere/a")) << "another";
  set_time("elsewhere/a", 2'000);
  EXPECT_THAT(take(watcher), IsEmpty());
  EXPECT_THAT(take_after(watcher, DirectoryWatcher::kScanEvery), ElementsAre("a.jpg"));
}

TEST_F(DirectoryWatcherTest, GivesNothingOverAndOverWhereMoreIsThereThanIsRemembered) {
  std::set<std::string> given;
  const auto knows = [&](const PictureId& id) {
    return given.contains(base::fs::path(id.path).filename().string()) ? Known::yes
                                                                       : Known::perhaps;
  };
  for (const char* name : {"a.jpg", "b.jpg"}) write_old(name);
  DirectoryWatcher watcher(folder_.path(), knows, DirectoryWatcher::Events::unused);
  EXPECT_THAT(take(watcher), ElementsAre("a.jpg", "b.jpg"));
  constexpr auto kScan = DirectoryWatcher::kScanWithoutEventsEvery;
  EXPECT_THAT(take_after(watcher, kScan), IsEmpty());
  write_old("c.jpg");
  EXPECT_THAT(take_after(watcher, kScan), ElementsAre("c.jpg"));
  EXPECT_THAT(take_after(watcher, kScan), IsEmpty());
}

TEST_F(DirectoryWatcherTest, DoesNotScanWhileThereIsEnoughToDo) {
  DirectoryWatcher watcher(folder_.path(), {}, DirectoryWatcher::Events::unused);
  EXPECT_THAT(take(watcher), IsEmpty());
  write_old("a.jpg");
  now_ += DirectoryWatcher::kScanWithoutEventsEvery;
  EXPECT_THAT(watcher.take(now_, DirectoryWatcher::Scan::not_now), IsEmpty());
  EXPECT_THAT(take(watcher), ElementsAre("a.jpg"));
}

TEST_F(DirectoryWatcherTest, GoesOnWhenTheClockIsSetBack) {
  make_folders({"1", "2"});
  write("2/a.jpg");
  link_to("images", "1");
  DirectoryWatcher watcher(path("images"));
  EXPECT_THAT(take(watcher), IsEmpty());
  swap_link("images", "2");
  now_ -= std::chrono::hours(5);
  EXPECT_THAT(take(watcher), ElementsAre("a.jpg"));
}

// In a child with mounts of its own; its exit code.
int in_own_mounts(const std::function<bool()>& body) {
  const pid_t child = fork();
  if (child == 0) {
    const bool can_mount =
        unshare(CLONE_NEWNS) == 0 && mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
    _exit(!can_mount ? 77 : body() ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST_F(DirectoryWatcherTest, FollowsWhatIsMountedOverItAndUnmounted) {
  make_folders({"images", "disk"});
  write("images/a.jpg");
  write("disk/b.jpg");
  const int code = in_own_mounts([&] {
    using Names = std::vector<std::string>;
    DirectoryWatcher watcher(path("images"));
    if (take(watcher) != Names{"a.jpg"}) return false;
    if (mount(path("disk").c_str(), path("images").c_str(), nullptr, MS_BIND, nullptr) != 0) {
      _exit(77);
    }
    if (take_after(watcher, DirectoryWatcher::kLookEvery) != Names{"b.jpg"}) return false;
    write("images/c.jpg");
    if (take(watcher) != Names{"c.jpg"}) return false;
    if (umount2(path("images").c_str(), MNT_DETACH) != 0) return false;
    return take_after(watcher, DirectoryWatcher::kLookEvery) == Names{"a.jpg"};
  });
  if (code == 77) GTEST_SKIP() << "mounting is not allowed here";
  EXPECT_EQ(code, 0);
}

TEST(FileSystem, OfThisMachineIsNotOnTheNetwork) {
  EXPECT_FALSE(is_on_network("/proc"));
  EXPECT_FALSE(is_on_network("/nonexistent"));
}

}  // namespace
}  // namespace andon::inspect
