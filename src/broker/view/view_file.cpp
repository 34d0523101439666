// SPDX-License-Identifier: Apache-2.0
#include "broker/view/view_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <string_view>
#include <system_error>

#include "base/error/error.hpp"

namespace andon::broker {
namespace {

constexpr unsigned kOwnerOnly = 0600;
constexpr std::size_t kMaxViewBytes = 256U << 20U;
constexpr std::size_t kFewLines = 1000;
constexpr std::size_t kMuchLonger = 4;

std::string to_lines(std::span<const Change> changes) {
  std::string lines;
  for (const Change& change : changes) lines += to_line(change);
  return lines;
}

std::string read_from(int fd, std::uint64_t offset, const base::fs::path& path) {
  std::string content;
  std::array<char, 65536> buffer;
  while (true) {
    const ssize_t got =
        pread(fd, buffer.data(), buffer.size(), static_cast<off_t>(offset + content.size()));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      throw base::Error(base::ErrorCode::unavailable, "cannot read " + path.string() + ": " +
                                                          std::generic_category().message(errno));
    }
    if (got == 0) return content;
    content.append(buffer.data(), static_cast<std::size_t>(got));
    if (content.size() > kMaxViewBytes) {
      throw base::Error(base::ErrorCode::resource_exhausted, path.string() + " is too large");
    }
  }
}

}  // namespace

ViewWriter::ViewWriter(base::fs::path path, std::span<const Change> all)
    : path_(std::move(path)), first_lines_(all.size()) {
  base::write_file_atomically(path_, to_lines(all), kOwnerOnly);
}

void ViewWriter::append(std::span<const Change> changes) {
  const base::UniqueFd fd = base::open_file(path_, O_WRONLY | O_APPEND);
  base::write_all(fd.get(), to_lines(changes), path_);
  appended_lines_ += changes.size();
}

bool ViewWriter::is_due_for_a_new_one() const {
  return appended_lines_ > std::max(kFewLines, kMuchLonger * first_lines_);
}

ViewFollower::Update ViewFollower::read() {
  Update update;
  const auto report = [&](const std::string& problem) {
    if (problem != last_problem_) update.problem = problem;
    last_problem_ = problem;
  };
  try {
    struct stat status {};
    if (stat(path_.c_str(), &status) != 0) {
      report("the broker's view " + path_.string() +
             " cannot be read: " + std::generic_category().message(errno));
      return update;
    }
    const bool is_other_file = status.st_dev != device_ || status.st_ino != inode_ ||
                               static_cast<std::uint64_t>(status.st_size) < offset_;
    if (!is_other_file && static_cast<std::uint64_t>(status.st_size) == offset_) return update;

    const base::UniqueFd fd = base::open_file(path_, O_RDONLY);
    if (fstat(fd.get(), &status) != 0) return update;
    const std::uint64_t from = is_other_file ? 0 : offset_;
    const std::string content = read_from(fd.get(), from, path_);
    std::optional<std::string> bad_line;
    std::size_t taken = 0;
    for (std::size_t end; (end = content.find('\n', taken)) != std::string::npos; taken = end + 1) {
      try {
        update.changes.push_back(parse_line(std::string_view(content).substr(taken, end - taken)));
      } catch (const base::Error& error) {
        bad_line = error.message();
      }
    }
    if (bad_line && is_other_file) {
      report("the broker's new view " + path_.string() + " is not taken: " + *bad_line);
      update.changes.clear();
      return update;
    }
    report(bad_line ? "a line of " + path_.string() + " is not taken: " + *bad_line : "");
    update.is_new_view = is_other_file;
    device_ = status.st_dev;
    inode_ = status.st_ino;
    offset_ = from + taken;
  } catch (const base::Error& error) {
    report(error.message());
    update.changes.clear();
  }
  return update;
}

}  // namespace andon::broker
