// SPDX-License-Identifier: Apache-2.0
#include "base/os/file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "base/error/error.hpp"
#include "base/os/blocking.hpp"
#include "base/text/id.hpp"

namespace andon::base {
namespace {

constexpr std::string_view kNameAlphabet = "abcdefghijklmnopqrstuvwxyz0123456789";

std::string quoted(const fs::path& path) {
  return "'" + path.string() + "'";
}

void sync_file(int fd, const fs::path& path) {
  may_block("fsync");
  if (fsync(fd) != 0) throw system_error("cannot sync " + quoted(path), errno);
}

fs::path directory_of(const fs::path& file) {
  return file.has_parent_path() ? file.parent_path() : fs::path(".");
}

// A process that is killed while it writes leaves nothing then: the kernel drops what has no name.
// False where there are no such files (overlayfs, NFS) or they cannot be given a name (no /proc).
bool write_before_it_has_a_name(const fs::path& file, std::string_view content, unsigned mode) {
  const UniqueFd fd(open(directory_of(file).c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, mode));
  if (!fd) return false;
  write_all(fd.get(), content, file);
  sync_file(fd.get(), file);
  const std::string self = "/proc/self/fd/" + std::to_string(fd.get());
  return linkat(AT_FDCWD, self.c_str(), AT_FDCWD, file.c_str(), AT_SYMLINK_FOLLOW) == 0;
}

}  // namespace

UniqueFd& UniqueFd::operator=(UniqueFd&& other) noexcept {
  if (this != &other) {
    reset();
    fd_ = other.release();
  }
  return *this;
}

int UniqueFd::release() {
  return std::exchange(fd_, -1);
}

void UniqueFd::reset() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

UniqueFd open_file(const fs::path& path, int flags, unsigned mode) {
  UniqueFd fd(open(path.c_str(), flags | O_CLOEXEC, mode));
  if (!fd) throw system_error("cannot open " + quoted(path), errno);
  return fd;
}

void write_all(int fd, std::string_view bytes, const fs::path& path) {
  while (!bytes.empty()) {
    const ssize_t written = write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw system_error("cannot write " + quoted(path), errno);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

std::optional<std::string> read_file_if_exists(const fs::path& path, std::size_t max_bytes) {
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) {
    if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
    throw system_error("cannot open " + quoted(path), errno);
  }
  std::string content;
  std::array<char, 65536> buffer;
  while (true) {
    const ssize_t got = read(fd.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw system_error("cannot read " + quoted(path), errno);
    if (got == 0) return content;
    content.append(buffer.data(), static_cast<std::size_t>(got));
    if (content.size() > max_bytes) {
      throw Error(ErrorCode::resource_exhausted, quoted(path) + " is larger than the " +
                                                     std::to_string(max_bytes) +
                                                     " bytes that are read of such a file");
    }
  }
}

std::string read_file(const fs::path& path, std::size_t max_bytes) {
  auto content = read_file_if_exists(path, max_bytes);
  if (!content) throw system_error("cannot open " + quoted(path), ENOENT);
  return *std::move(content);
}

void write_file_atomically(const fs::path& path, std::string_view content, unsigned mode) {
  // A name may have 255 bytes, and this one too.
  constexpr std::size_t kMostOfName = 200;
  const fs::path temporary = path.parent_path() / (path.filename().string().substr(0, kMostOfName) +
                                                   ".tmp-" + random_text(8, kNameAlphabet));
  try {
    if (!write_before_it_has_a_name(temporary, content, mode)) {
      const UniqueFd fd = open_file(temporary, O_WRONLY | O_CREAT | O_EXCL, mode);
      write_all(fd.get(), content, temporary);
      sync_file(fd.get(), temporary);
    }
    if (rename(temporary.c_str(), path.c_str()) != 0) {
      throw system_error("cannot rename " + quoted(temporary) + " to " + quoted(path), errno);
    }
  } catch (...) {
    unlink(temporary.c_str());
    throw;
  }
  sync_directory(directory_of(path));
}

void sync_directory(const fs::path& directory) {
  const UniqueFd fd = open_file(directory, O_RDONLY | O_DIRECTORY);
  sync_file(fd.get(), directory);
}

void make_directories(const fs::path& path, unsigned mode) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) throw system_error("cannot make the directory " + quoted(path), error.value());
  if (chmod(path.c_str(), mode) != 0) {
    throw system_error("cannot set the mode of " + quoted(path), errno);
  }
}

FileLock::FileLock(const fs::path& path) : fd_(open_file(path, O_RDWR | O_CREAT)) {
  if (flock(fd_.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) throw system_error("cannot lock " + quoted(path), errno);
    throw Error(
        ErrorCode::failed_precondition,
        quoted(path) + " is locked: another process is using this directory; stop it first");
  }
}

TemporaryDirectory::TemporaryDirectory(const fs::path& parent) {
  std::string pattern = (parent / "andon-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) {
    throw system_error("cannot make a temporary directory under " + quoted(parent), errno);
  }
  path_ = pattern;
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;  // a destructor has nobody to tell
  fs::remove_all(path_, ignored);
}

}  // namespace andon::base
