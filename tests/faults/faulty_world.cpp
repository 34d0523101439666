// SPDX-License-Identifier: Apache-2.0
// A world that fails, for tests of whole programs (LD_PRELOAD; faulty_world.py has the other side):
//
// - ANDON_WORLD_CONTROL names a file of four 64-bit numbers that the test changes while the
//   program runs: nanoseconds that the wall clock is off; how many writes below the root the disk
//   has room for (-1: no end), the next ones fail with ENOSPC; how many it has counted; before how
//   many changes below the root (writes, syncs, files that are made or renamed) it is killed
//   (-1: never).
// - ANDON_WORLD_ROOT is the directory that is watched.
// - ANDON_WORLD_SYNCED is a directory into which goes what a power cut would leave of it: with each
//   fsync or fdatasync of a file its content, of a directory its list of names. Nothing else
//   counts: neither what was only written nor a name whose directory was not synced.
//
// Files are told apart by inode and time of birth, as inodes are used again.
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

struct Control {
  std::atomic<std::int64_t> clock_off_ns;
  std::atomic<std::int64_t> writes_left;
  std::atomic<std::int64_t> writes_seen;
  std::atomic<std::int64_t> changes_left;
};

std::string variable(const char* name) {
  const char* const value = getenv(name);
  return value == nullptr ? "" : value;
}

// Nothing here may call what is replaced below: it is used by it.
class World {
 public:
  World() : root_(variable("ANDON_WORLD_ROOT")), synced_(variable("ANDON_WORLD_SYNCED")) {
    const std::string control = variable("ANDON_WORLD_CONTROL");
    if (control.empty()) return;
    const auto fd = static_cast<int>(syscall(SYS_openat, AT_FDCWD, control.c_str(), O_RDWR));
    if (fd < 0) return;
    void* const map = mmap(nullptr, sizeof(Control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    syscall(SYS_close, fd);
    if (map != MAP_FAILED) control_ = static_cast<Control*>(map);
  }

  std::int64_t clock_off_ns() const {
    return control_ == nullptr ? 0 : control_->clock_off_ns.load();
  }

  // One more write to what is watched: is there no room for it?
  bool is_full() {
    if (control_ == nullptr || control_->writes_left.load() < 0) return false;
    ++control_->writes_seen;
    std::int64_t left = control_->writes_left.load();
    while (left > 0 && !control_->writes_left.compare_exchange_weak(left, left - 1)) {
    }
    return left == 0;
  }
  // Before each change to what is watched: was it the last that the program has lived to see?
  void step() {
    std::int64_t left = control_->changes_left.load();
    while (left > 0 && !control_->changes_left.compare_exchange_weak(left, left - 1)) {
    }
    if (left == 0) kill(getpid(), SIGKILL);
  }
  bool counts_changes() const { return control_ != nullptr && control_->changes_left.load() >= 0; }
  bool counts_writes() const { return control_ != nullptr && control_->writes_left.load() >= 0; }

  bool is_watched(const std::string& path) const {
    if (root_.empty()) return false;
    return path == root_ || (path.starts_with(root_) && path[root_.size()] == '/');
  }
  bool is_watched(int fd) const { return is_watched(path_of(fd)); }
  // Of an argument of openat() and the like; a relative one is taken to be of the directory `fd`.
  bool is_watched(int fd, const char* path) const {
    if (path == nullptr || root_.empty()) return false;
    if (*path == '/') return is_watched(std::string(path));
    if (fd == AT_FDCWD) {
      std::array<char, PATH_MAX> here{};
      return syscall(SYS_getcwd, here.data(), here.size()) > 0 &&
             is_watched(std::string(here.data()) + "/" + path);
    }
    return is_watched(path_of(fd));
  }

  void note_sync(int fd) {
    if (synced_.empty() || !is_watched(fd)) return;
    struct stat status {};
    if (fstat(fd, &status) != 0) return;
    const std::string key = key_of(fd, "");
    const std::string path = synced_ + "/" + key;
    const std::string temporary = path + ".part-" + std::to_string(++number_);
    const auto out = static_cast<int>(syscall(SYS_openat, AT_FDCWD, temporary.c_str(),
                                              O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (out < 0) return;
    const bool is_whole = S_ISDIR(status.st_mode) ? list(fd, out) : copy(fd, out);
    syscall(SYS_close, out);
    if (is_whole) syscall(SYS_renameat2, AT_FDCWD, temporary.c_str(), AT_FDCWD, path.c_str(), 0);
  }

 private:
  static std::string path_of(int fd) {
    std::array<char, PATH_MAX> path{};
    const std::string link = "/proc/self/fd/" + std::to_string(fd);
    const ssize_t size = readlink(link.c_str(), path.data(), path.size());
    return size < 0 ? "" : std::string(path.data(), static_cast<std::size_t>(size));
  }

  static std::string key_of(int directory, const char* name) {
    struct statx status {};
    statx(directory, name, AT_SYMLINK_NOFOLLOW | (*name == '\0' ? AT_EMPTY_PATH : 0),
          STATX_INO | STATX_BTIME, &status);
    return std::to_string(status.stx_ino) + "-" + std::to_string(status.stx_btime.tv_sec) + "." +
           std::to_string(status.stx_btime.tv_nsec);
  }

  static void put(int out, const char* bytes, std::size_t size) {
    while (size > 0) {
      const long done = syscall(SYS_write, out, bytes, size);
      if (done <= 0) return;
      bytes += done;
      size -= static_cast<std::size_t>(done);
    }
  }

  // By a descriptor of its own: the program's may be for writing only, and has its own place.
  static bool copy(int fd, int out) {
    const std::string link = "/proc/self/fd/" + std::to_string(fd);
    const auto in =
        static_cast<int>(syscall(SYS_openat, AT_FDCWD, link.c_str(), O_RDONLY | O_CLOEXEC));
    if (in < 0) return false;
    std::array<char, 1U << 16U> buffer;
    long got = 0;
    while ((got = syscall(SYS_read, in, buffer.data(), buffer.size())) > 0) {
      put(out, buffer.data(), static_cast<std::size_t>(got));
    }
    syscall(SYS_close, in);
    return got == 0;
  }

  // A record a name: "name NUL key NUL mode NUL uid NUL gid NUL target NUL".
  static bool list(int fd, int out) {
    const std::string link = "/proc/self/fd/" + std::to_string(fd);
    DIR* const directory = opendir(link.c_str());
    if (directory == nullptr) return false;
    std::string all;
    while (const dirent* const entry = readdir(directory)) {
      const std::string name = entry->d_name;
      struct stat status {};
      if (name == "." || name == ".." ||
          fstatat(fd, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
        continue;
      }
      std::array<char, PATH_MAX> target{};
      if (S_ISLNK(status.st_mode)) {
        if (readlinkat(fd, name.c_str(), target.data(), target.size() - 1) < 0) continue;
      }
      for (const std::string& part : {name, key_of(fd, name.c_str()),
                                      std::to_string(status.st_mode), std::to_string(status.st_uid),
                                      std::to_string(status.st_gid), std::string(target.data())}) {
        all.append(part).append(1, '\0');
      }
    }
    closedir(directory);
    put(out, all.data(), all.size());
    return true;
  }

  std::string root_;
  std::string synced_;
  Control* control_ = nullptr;
  std::atomic<std::uint64_t> number_ = 0;
};

// Never destroyed: programs write while they end.
World& world() {
  static auto* const instance = new World;
  return *instance;
}

template <typename Function>
Function* real(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

bool is_regular(int fd) {
  struct stat status {};
  return fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

void step(int fd) {
  if (world().counts_changes() && world().is_watched(fd)) world().step();
}
void step(int directory, const char* path) {
  if (world().counts_changes() && world().is_watched(directory, path)) world().step();
}

// Has the disk no room for a write to `fd`? Sets errno.
bool refuses(int fd) {
  if (!world().counts_writes() || !is_regular(fd) || !world().is_watched(fd)) return false;
  if (!world().is_full()) return false;
  errno = ENOSPC;
  return true;
}

// The same for a name that is to be made.
bool refuses(int directory, const char* path) {
  if (!world().counts_writes() || !world().is_watched(directory, path)) return false;
  if (!world().is_full()) return false;
  errno = ENOSPC;
  return true;
}

int open_it(int directory, const char* path, int flags, mode_t mode) {
  if ((flags & O_TMPFILE) == O_TMPFILE) {
    step(directory, path);
    if (refuses(directory, path)) return -1;
  }
  if ((flags & O_CREAT) != 0) step(directory, path);
  if ((flags & O_CREAT) != 0 && world().counts_writes()) {
    struct stat status {};
    const bool is_there = fstatat(directory, path, &status, 0) == 0;
    if (!is_there && refuses(directory, path)) return -1;
  }
  return static_cast<int>(syscall(SYS_openat, directory, path, flags, mode));
}

}  // namespace

#define HOOK extern "C" __attribute__((visibility("default")))
#define REAL(name) static auto* const name##_real = real<decltype(name)>(#name)

// --- the disk ------------------------------------------------------------------------------------

HOOK ssize_t write(int fd, const void* bytes, size_t size) {
  REAL(write);
  step(fd);
  return refuses(fd) ? -1 : write_real(fd, bytes, size);
}
HOOK ssize_t pwrite(int fd, const void* bytes, size_t size, off_t at) {
  REAL(pwrite);
  return refuses(fd) ? -1 : pwrite_real(fd, bytes, size, at);
}
HOOK ssize_t pwrite64(int fd, const void* bytes, size_t size, off64_t at) {
  REAL(pwrite64);
  return refuses(fd) ? -1 : pwrite64_real(fd, bytes, size, at);
}
HOOK ssize_t writev(int fd, const iovec* parts, int count) {
  REAL(writev);
  return refuses(fd) ? -1 : writev_real(fd, parts, count);
}
HOOK ssize_t sendfile(int out, int in, off_t* at, size_t size) {
  REAL(sendfile);
  return refuses(out) ? -1 : sendfile_real(out, in, at, size);
}
HOOK ssize_t sendfile64(int out, int in, off64_t* at, size_t size) {
  REAL(sendfile64);
  return refuses(out) ? -1 : sendfile64_real(out, in, at, size);
}
HOOK ssize_t copy_file_range(int in, off64_t* in_at, int out, off64_t* out_at, size_t size,
                             unsigned flags) {
  REAL(copy_file_range);
  return refuses(out) ? -1 : copy_file_range_real(in, in_at, out, out_at, size, flags);
}
HOOK int ftruncate(int fd, off_t size) noexcept {
  REAL(ftruncate);
  struct stat status {};
  const bool grows = fstat(fd, &status) == 0 && size > status.st_size;
  return grows && refuses(fd) ? -1 : ftruncate_real(fd, size);
}
HOOK int ftruncate64(int fd, off64_t size) noexcept {
  return ftruncate(fd, size);
}
HOOK int fallocate(int fd, int mode, off_t at, off_t size) {
  REAL(fallocate);
  return refuses(fd) ? -1 : fallocate_real(fd, mode, at, size);
}
HOOK int posix_fallocate(int fd, off_t at, off_t size) {
  REAL(posix_fallocate);
  return refuses(fd) ? ENOSPC : posix_fallocate_real(fd, at, size);
}

HOOK int open(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return open_it(AT_FDCWD, path, flags, mode);
}
HOOK int open64(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return open_it(AT_FDCWD, path, flags, mode);
}
HOOK int openat(int directory, const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return open_it(directory, path, flags, mode);
}
HOOK int openat64(int directory, const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return open_it(directory, path, flags, mode);
}
HOOK int mkdir(const char* path, mode_t mode) noexcept {
  REAL(mkdir);
  struct stat status {};
  const bool is_there = stat(path, &status) == 0;
  return !is_there && refuses(AT_FDCWD, path) ? -1 : mkdir_real(path, mode);
}
HOOK char* mkdtemp(char* pattern) noexcept {
  REAL(mkdtemp);
  return refuses(AT_FDCWD, pattern) ? nullptr : mkdtemp_real(pattern);
}
HOOK int link(const char* from, const char* to) noexcept {
  REAL(link);
  return refuses(AT_FDCWD, to) ? -1 : link_real(from, to);
}
HOOK int linkat(int from_directory, const char* from, int to_directory, const char* to,
                int flags) noexcept {
  REAL(linkat);
  step(to_directory, to);
  return refuses(to_directory, to) ? -1
                                   : linkat_real(from_directory, from, to_directory, to, flags);
}
HOOK int symlink(const char* target, const char* path) noexcept {
  REAL(symlink);
  return refuses(AT_FDCWD, path) ? -1 : symlink_real(target, path);
}

HOOK int rename(const char* from, const char* to) noexcept {
  REAL(rename);
  step(AT_FDCWD, to);
  return rename_real(from, to);
}
HOOK int unlink(const char* path) noexcept {
  REAL(unlink);
  step(AT_FDCWD, path);
  return unlink_real(path);
}

HOOK int fsync(int fd) {
  REAL(fsync);
  step(fd);
  world().note_sync(fd);
  return fsync_real(fd);
}
HOOK int fdatasync(int fd) {
  REAL(fdatasync);
  step(fd);
  world().note_sync(fd);
  return fdatasync_real(fd);
}

// --- the clock -----------------------------------------------------------------------------------

HOOK int clock_gettime(clockid_t clock, timespec* time) noexcept {
  const auto result = static_cast<int>(syscall(SYS_clock_gettime, clock, time));
  if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
    constexpr std::int64_t kSecond = 1'000'000'000;
    const std::int64_t now = time->tv_sec * kSecond + time->tv_nsec + world().clock_off_ns();
    time->tv_sec = now / kSecond;
    time->tv_nsec = now % kSecond;
  }
  return result;
}
HOOK int gettimeofday(timeval* time, void* /*zone*/) noexcept {
  timespec now{};
  if (clock_gettime(CLOCK_REALTIME, &now) != 0) return -1;
  time->tv_sec = now.tv_sec;
  time->tv_usec = now.tv_nsec / 1000;
  return 0;
}
HOOK time_t time(time_t* result) noexcept {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  if (result != nullptr) *result = now.tv_sec;
  return now.tv_sec;
}
