// SPDX-License-Identifier: Apache-2.0
#include "job/order/log.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>

#include "base/error/error.hpp"
#include "base/text/number.hpp"
#include "base/text/split.hpp"

namespace andon::job {
namespace {

namespace fs = base::fs;

constexpr std::string_view kPrefix = "log-";
constexpr std::string_view kFollowed = "followed";
constexpr std::uint64_t kLeastFileBytes = 4096;
constexpr std::size_t kLongestLine = 200'000;

fs::path file_at(const fs::path& directory, std::uint64_t begin) {
  return directory / fmt::format("{}{:020}", kPrefix, begin);
}

struct LogFile {
  fs::path path;
  std::uint64_t size = 0;
};
// By the place of its first byte.
std::map<std::uint64_t, LogFile> files_in(const fs::path& directory) {
  std::map<std::uint64_t, LogFile> files;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(directory, none)) {
    const std::string name = entry.path().filename();
    if (!name.starts_with(kPrefix)) continue;
    const auto begin = base::parse_uint64(std::string_view(name).substr(kPrefix.size()));
    std::error_code gone;  // the writer may have taken it away meanwhile
    const std::uintmax_t size = entry.file_size(gone);
    if (begin && !gone) files[*begin] = {entry.path(), size};
  }
  return files;
}

}  // namespace

LogWriter::LogWriter(fs::path directory, std::uint64_t most_bytes)
    : directory_(std::move(directory)), file_bytes_(std::max(most_bytes / 2, kLeastFileBytes)) {}

void LogWriter::begin_file() {
  std::error_code ignored;
  if (has_previous_) fs::remove(file_at(directory_, previous_), ignored);
  has_previous_ = next_ > 0;
  previous_ = begin_;
  begin_ = next_;
  file_.reset();
  file_ = base::open_file(file_at(directory_, begin_), O_WRONLY | O_CREAT | O_APPEND, 0600);
}

void LogWriter::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::uint64_t room = file_ ? file_bytes_ - std::min(file_bytes_, next_ - begin_) : 0;
    try {
      if (room == 0) {
        begin_file();
        continue;
      }
      const std::string_view part = bytes.substr(0, room);
      base::write_all(file_.get(), part, directory_);
      next_ += part.size();
      bytes.remove_prefix(part.size());
    } catch (const base::Error&) {
      // Dropped. Where half a piece was written places go on behind it.
      const off_t end = file_ ? lseek(file_.get(), 0, SEEK_END) : -1;
      if (end >= 0) next_ = begin_ + static_cast<std::uint64_t>(end);
      return;
    }
  }
}

LogPart read_log(const fs::path& directory, std::uint64_t from, std::size_t most_bytes) {
  LogPart part{.from = from, .bytes = {}};
  bool is_first = true;
  for (const auto& [begin, file] : files_in(directory)) {
    if (begin + file.size <= from) continue;
    if (is_first && begin > from) part.from = begin;
    is_first = false;
    std::uint64_t place = part.from + part.bytes.size();
    if (begin > place) break;  // one between them has just gone
    const base::UniqueFd fd(open(file.path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) break;
    while (part.bytes.size() < most_bytes) {
      const std::size_t before = part.bytes.size();
      part.bytes.resize(std::min(most_bytes, before + 65'536));
      const ssize_t got = pread(fd.get(), part.bytes.data() + before, part.bytes.size() - before,
                                static_cast<off_t>(place - begin));
      part.bytes.resize(before + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) break;
      place += static_cast<std::uint64_t>(got);
    }
  }
  return part;
}

std::uint64_t log_end(const fs::path& directory) {
  const auto files = files_in(directory);
  return files.empty() ? 0 : files.rbegin()->first + files.rbegin()->second.size;
}

LogFollower::LogFollower(fs::path directory) : directory_(std::move(directory)) {
  const auto text = base::read_file_if_exists(directory_ / kFollowed);
  if (text) next_ = base::parse_uint64(base::trim(*text, "\n")).value_or(0);
}

std::vector<std::string> LogFollower::take(std::size_t most_bytes, Job job) {
  LogPart part = read_log(directory_, next_, most_bytes);
  std::vector<std::string> lines;
  if (part.from > next_) {
    rest_.clear();
    lines.push_back("(" + std::to_string(part.from - next_) + " bytes are not kept any more)");
  }
  next_ = part.from + part.bytes.size();
  rest_ += part.bytes;
  std::string_view rest = rest_;
  for (std::size_t end = 0; (end = rest.find('\n')) != std::string_view::npos;) {
    lines.emplace_back(rest.substr(0, end));
    rest.remove_prefix(end + 1);
  }
  const bool is_last = job == Job::is_over && part.bytes.size() < most_bytes;
  if (!rest.empty() && (is_last || rest.size() > kLongestLine)) {
    lines.emplace_back(rest);
    rest = {};
  }
  rest_ = std::string(rest);
  if (!lines.empty()) remember();
  return lines;
}

void LogFollower::remember() const {
  const base::UniqueFd fd(
      open((directory_ / kFollowed).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  const std::string text = fmt::format("{:020}\n", next_ - rest_.size());
  // Lost on a full disk: lines then come twice.
  [[maybe_unused]] const ssize_t written = pwrite(fd.get(), text.data(), text.size(), 0);
}

}  // namespace andon::job
