// SPDX-License-Identifier: Apache-2.0
#include "launch/launcher/launcher.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <initializer_list>

#include "launch/slots/choice.hpp"

namespace andon::launch {
namespace {

constexpr int kNothingStarted = 127;
// Behind the time in which an agent on trial judges itself.
constexpr unsigned kAlarmSlack = 30;

void say(const char* what, const char* why) {
  std::fprintf(stderr, "andon-launcher: %s: %s\n", what, why);
}

FileMark mark_of(const char* path) {
  struct stat status {};
  if (stat(path, &status) != 0) return {};
  return {status.st_size, status.st_mtim.tv_sec * 1'000'000'000LL + status.st_mtim.tv_nsec};
}

Now look(const char* base) {
  Now now;
  now.base = mark_of(base);
  timespec time{};
  clock_gettime(CLOCK_BOOTTIME, &time);
  now.seconds = time.tv_sec;
  const int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
  if (fd < 0 || read(fd, now.boot, kBootId) != static_cast<ssize_t>(kBootId)) {
    std::snprintf(now.boot, sizeof now.boot, "unknown");
  }
  if (fd >= 0) close(fd);
  return now;
}

bool copy_bytes(int from, int to) {
  static char bytes[65'536];
  while (true) {
    const ssize_t got = read(from, bytes, sizeof bytes);
    if (got == 0) return fsync(to) == 0;
    if (got < 0) return false;
    for (ssize_t done = 0; done < got;) {
      const ssize_t written = write(to, bytes + done, static_cast<std::size_t>(got - done));
      if (written <= 0) return false;
      done += written;
    }
  }
}

// What is not there is no fault: then there is no copy either.
bool copy_file(const char* from, const char* to) {
  unlink(to);
  const int source = open(from, O_RDONLY | O_CLOEXEC);
  if (source < 0) return errno == ENOENT;
  const int target = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  const bool is_copied = target >= 0 && copy_bytes(source, target);
  const int reason = errno;
  close(source);
  if (target >= 0) close(target);
  errno = reason;
  return is_copied;
}

// No agent runs here now: the file and its log belong together.
bool copy_state(const char* directory) {
  for (const char* suffix : {"", "-wal"}) {
    char from[PATH_MAX];
    char to[PATH_MAX];
    std::snprintf(from, sizeof from, "%s/config.db%s", directory, suffix);
    std::snprintf(to, sizeof to, "%s/agent/%s%s", directory, kStateCopy, suffix);
    if (!copy_file(from, to)) return false;
  }
  return true;
}

void exec_agent(const char* path, char** arguments) {
  // AGENT's place becomes the agent's name.
  char name[PATH_MAX + 16];
  std::snprintf(name, sizeof name, "%s", path);
  char* const before = arguments[2];
  arguments[2] = name;
  execv(path, arguments + 2);
  arguments[2] = before;
}

}  // namespace

int become_agent(char** arguments) {
  const char* const directory = arguments[1];
  const char* const base = arguments[2];
  char own[PATH_MAX] = {};
  if (readlink("/proc/self/exe", own, sizeof own - 1) > 0) setenv(kLauncherVariable, own, 1);
  setenv(kDirectoryVariable, directory, 1);
  setenv(kBaseVariable, base, 1);
  alarm(0);

  char place[PATH_MAX];
  std::snprintf(place, sizeof place, "%s/agent", directory);
  mkdir(place, 0755);
  Slots slots;
  if (!read_slots(place, slots) && errno != ENOENT) say("the slots cannot be read", place);
  // Each turn gives a trial up, or starts.
  for (int turn = 0; turn < 3; ++turn) {
    const Slots before = slots;
    const Choice choice = choose(slots, look(base));
    const bool is_trial = choice.seconds_left > 0;
    if (before.trial.slot != Slot::base && slots.trial.slot == Slot::base) {
      say("returning to the agent before", slots.why);
    }
    if (is_trial && choice.begins && !copy_state(directory)) {
      char why[kReason];
      std::snprintf(why, sizeof why, "the device's state could not be copied before: %s",
                    std::strerror(errno));
      give_up(slots, why);
      continue;
    }
    if (before != slots && !write_slots(place, slots)) {
      say("the slots cannot be written", std::strerror(errno));
      if (is_trial) break;  // nobody would count its starts
    }
    if (choice.slot == Slot::base) break;
    if (is_trial) alarm(static_cast<unsigned>(choice.seconds_left) + kAlarmSlack);
    char agent[PATH_MAX + 16];
    std::snprintf(agent, sizeof agent, "%s/%s/andon-edge", place, name_of(choice.slot));
    exec_agent(agent, arguments);
    alarm(0);
    char why[kReason];
    std::snprintf(why, sizeof why, "it cannot be started: %s", std::strerror(errno));
    say(agent, why);
    if (is_trial) {
      give_up(slots, why);
    } else {
      slots.active = Slot::base;
      slots.active_digest[0] = '\0';
    }
  }
  exec_agent(base, arguments);
  say(base, std::strerror(errno));
  return kNothingStarted;
}

}  // namespace andon::launch
