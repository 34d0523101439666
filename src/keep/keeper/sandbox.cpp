// SPDX-License-Identifier: Apache-2.0
#include "keep/keeper/sandbox.hpp"

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace andon::keep {
namespace {

constexpr const char* kLeft[] = {"/dev", "/proc", "/sys", "/run"};
constexpr const char* kTemporary[] = {"/tmp", "/var/tmp"};

bool is_at_or_below(const char* path, const char* directory) {
  const std::size_t size = std::strlen(directory);
  return std::strncmp(path, directory, size) == 0 && (path[size] == '\0' || path[size] == '/');
}

// Of the mount that the path is in: what a remount would take away otherwise.
unsigned long flags_of(const char* path) {
  struct statvfs status {};
  if (statvfs(path, &status) != 0) return 0;
  unsigned long flags = 0;
  if ((status.f_flag & ST_NOSUID) != 0) flags |= MS_NOSUID;
  if ((status.f_flag & ST_NODEV) != 0) flags |= MS_NODEV;
  if ((status.f_flag & ST_NOEXEC) != 0) flags |= MS_NOEXEC;
  if ((status.f_flag & ST_NOATIME) != 0) flags |= MS_NOATIME;
  if ((status.f_flag & ST_NODIRATIME) != 0) flags |= MS_NODIRATIME;
  if ((status.f_flag & ST_RELATIME) != 0) flags |= MS_RELATIME;
  return flags;
}

bool remount(const char* path, unsigned long more) {
  return mount(nullptr, path, nullptr, MS_REMOUNT | MS_BIND | flags_of(path) | more, nullptr) == 0;
}

// As /proc/self/mountinfo writes a path: \040 is a blank.
void unescape(char* text) {
  char* to = text;
  for (const char* from = text; *from != '\0'; ++to) {
    if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] != '\0' && from[3] != '\0') {
      *to = static_cast<char>(((from[1] - '0') << 6) | ((from[2] - '0') << 3) | (from[3] - '0'));
      from += 4;
    } else {
      *to = *from++;
    }
  }
  *to = '\0';
}

bool make_system_read_only() {
  std::FILE* const mounts = std::fopen("/proc/self/mountinfo", "re");
  if (mounts == nullptr) return false;
  char* line = nullptr;
  std::size_t size = 0;
  bool is_done = true;
  while (is_done && getline(&line, &size, mounts) > 0) {
    char* rest = line;
    char* path = nullptr;
    for (int i = 0; i < 5; ++i) path = strsep(&rest, " ");
    if (path == nullptr) continue;
    unescape(path);
    bool is_left = false;
    for (const char* const left : kLeft) is_left = is_left || is_at_or_below(path, left);
    for (const char* const own : kTemporary) is_left = is_left || is_at_or_below(path, own);
    if (is_left || remount(path, MS_RDONLY)) continue;
    // What another mount hides, or a file system of another user: nobody gets there.
    is_done = std::strcmp(path, "/") != 0 &&
              (errno == EINVAL || errno == ENOENT || errno == EACCES || errno == ENOTDIR);
  }
  const int why = errno;
  std::free(line);
  std::fclose(mounts);
  errno = why;
  return is_done;
}

// Directories on the way are made in a /tmp of its own.
void make_way(const char* path) {
  char way[PATH_MAX];
  const std::size_t size = std::strlen(path);
  if (size >= sizeof way) return;
  std::memcpy(way, path, size + 1);
  for (char* at = way + 1; (at = std::strchr(at, '/')) != nullptr; ++at) {
    *at = '\0';
    mkdir(way, 0755);
    *at = '/';
  }
  mkdir(way, 0755);
}

bool leave_place(const char* place, int directory) {
  const char* const path = place + 1;
  char source[32];
  std::snprintf(source, sizeof source, "/proc/self/fd/%d", directory);
  make_way(path);
  return mount(source, path, nullptr, MS_BIND | MS_REC, nullptr) == 0 &&
         remount(path, *place == 'w' ? 0 : MS_RDONLY);
}

bool bring_loopback_up() {
  const int plug = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (plug < 0) return false;
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP;
  const bool is_up = ioctl(plug, SIOCSIFFLAGS, &request) == 0;
  close(plug);
  return is_up;
}

}  // namespace

bool enter_sandbox(const OrderView& order) {
  const bool is_offline = (order.sandbox & kOffline) != 0;
  if (unshare(CLONE_NEWNS | (is_offline ? CLONE_NEWNET : 0)) != 0) return false;
  // What is mounted later outside (a camera's stick) is seen in here, and not the other way round.
  if (mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) != 0) return false;
  int directories[kMostPlaces];
  for (std::size_t i = 0; i < order.place_count; ++i) {
    directories[i] = open(order.places[i] + 1, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (directories[i] < 0 && errno != ENOENT) return false;
  }
  const bool has_own_tmp = (order.sandbox & kOwnTmp) != 0;
  for (const char* const own : kTemporary) {
    if (!has_own_tmp) break;
    struct stat status {};
    if (lstat(own, &status) != 0 || !S_ISDIR(status.st_mode)) continue;
    if (mount("tmpfs", own, "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777,size=25%") != 0) return false;
  }
  if (!make_system_read_only()) return false;
  for (std::size_t i = 0; i < order.place_count; ++i) {
    if (directories[i] >= 0 && !leave_place(order.places[i], directories[i])) return false;
  }
  return !is_offline || bring_loopback_up();
}

}  // namespace andon::keep
