// SPDX-License-Identifier: Apache-2.0
#include "edge/control/log_follower.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <thread>

#include "base/error/error.hpp"
#include "edge/control/support_bundle.hpp"

namespace andon::edge {
namespace {

constexpr std::size_t kMostAtOnce = 1U << 20U;
constexpr int kMostAside = 20;

bool is_component_name(std::string_view name) {
  return !name.empty() && name != "." && name != ".." && name.size() <= 128 &&
         name.find('/') == std::string_view::npos && name.find('\0') == std::string_view::npos;
}

}  // namespace

LogFollower::LogFollower(const Layout& layout, std::string_view component) {
  if (!is_component_name(component)) {
    throw base::Error(base::ErrorCode::invalid_argument,
                      "'" + std::string(component.substr(0, 64)) + "' is not a component's name");
  }
  path_ = layout.log_of(component);
  open(path_);
  if (!file_) {
    throw base::Error(base::ErrorCode::not_found,
                      "component " + std::string(component) + " has no log at " + path_.string());
  }
}

void LogFollower::open(const fs::path& path) {
  base::UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  struct stat about {};
  if (!file || fstat(file.get(), &about) != 0 || !S_ISREG(about.st_mode)) return;
  file_ = std::move(file);
  inode_ = about.st_ino;
  at_ = 0;
}

std::string LogFollower::last_lines(std::size_t lines) {
  std::string text = end_of_file(path_, kMostAtOnce);
  struct stat about {};
  if (fstat(file_.get(), &about) == 0) at_ = about.st_size;
  std::size_t begin = text.size();
  // The end of the last line does not begin another.
  if (begin > 0 && text.back() == '\n') --begin;
  for (std::size_t left = lines; left > 0; --left) {
    const std::size_t end = begin == 0 ? std::string::npos : text.rfind('\n', begin - 1);
    if (end == std::string::npos) return lines == 0 ? "" : text;
    begin = end;
  }
  return lines == 0 ? "" : text.substr(begin + 1);
}

// The file that was begun when the one in hand was put aside; several may have been since.
fs::path LogFollower::next() const {
  fs::path newer = path_;
  for (int number = 1; number <= kMostAside; ++number) {
    const fs::path aside = path_.string() + '.' + std::to_string(number);
    struct stat about {};
    if (stat(aside.c_str(), &about) != 0) break;
    if (about.st_ino == inode_) return newer;
    newer = aside;
  }
  return newer;  // it is gone: what is oldest follows it
}

std::string LogFollower::read_on() {
  std::string text(64U << 10U, '\0');
  const ssize_t got = pread(file_.get(), text.data(), text.size(), at_);
  text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  at_ += static_cast<off_t>(text.size());
  return text;
}

std::string LogFollower::more(std::chrono::milliseconds wait) {
  std::string text = read_on();
  if (!text.empty()) return text;
  struct stat about {};
  const bool is_another = stat(path_.c_str(), &about) == 0 && about.st_ino != inode_;
  if (is_another) {
    text = read_on();  // what was written before it went
    open(next());
    text += read_on();
    if (!text.empty()) return text;
  }
  std::this_thread::sleep_for(wait);
  return read_on();
}

}  // namespace andon::edge
