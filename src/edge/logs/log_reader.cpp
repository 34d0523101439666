// SPDX-License-Identifier: Apache-2.0
#include "edge/logs/log_reader.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

namespace andon::edge {
namespace {

namespace fs = base::fs;

constexpr int kMostAside = 20;

struct Written {
  std::uint64_t inode = 0;
  std::int64_t born_ns = 0;
  std::uint64_t size = 0;
  base::Timestamp changed;

  [[nodiscard]] bool is_of(const LogPlace& place) const {
    return inode == place.inode && born_ns == place.born_ns;
  }
};

struct File : Written {
  fs::path path;
  base::UniqueFd fd;
};

// Nothing for what is no ordinary file.
std::optional<Written> look_at(const base::UniqueFd& fd) {
  Written file;
  struct stat about {};
  if (!fd || fstat(fd.get(), &about) != 0 || !S_ISREG(about.st_mode)) return std::nullopt;
  file.inode = about.st_ino;
  struct statx more {};
  const bool is_told = statx(fd.get(), "", AT_EMPTY_PATH, STATX_BTIME, &more) == 0 &&
                       (more.stx_mask & STATX_BTIME) != 0;
  if (is_told) file.born_ns = more.stx_btime.tv_sec * 1'000'000'000 + more.stx_btime.tv_nsec;
  file.size = static_cast<std::uint64_t>(about.st_size);
  file.changed =
      base::from_epoch_millis(about.st_mtim.tv_sec * 1000 + about.st_mtim.tv_nsec / 1'000'000);
  return file;
}

std::optional<File> open_log(const fs::path& path) {
  base::UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  const auto written = look_at(fd);
  if (!written) return std::nullopt;
  return File{*written, path, std::move(fd)};
}

// Whole lines from `offset` on. `is_over`: nothing more is written to it.
std::optional<LogChunk> read_lines(const base::UniqueFd& fd, const Written& file,
                                   std::uint64_t offset, std::size_t most_bytes, bool is_over) {
  std::string text(std::min<std::uint64_t>(most_bytes, file.size - offset), '\0');
  const ssize_t got = pread(fd.get(), text.data(), text.size(), static_cast<off_t>(offset));
  text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  const std::size_t end = text.rfind('\n');
  // The rest of a line may follow.
  const bool is_last = is_over && offset + text.size() == file.size;
  const bool takes_all = text.size() == most_bytes && end == std::string::npos;
  if (!is_last && !takes_all) text.resize(end == std::string::npos ? 0 : end + 1);
  if (text.empty()) return std::nullopt;
  const LogPlace next{file.inode, file.born_ns, offset + text.size()};
  return LogChunk{std::move(text), next, file.changed};
}

// Newest first. One that is renamed meanwhile may be there twice, or be left out until the next
// time.
std::vector<File> logs_of(const fs::path& log) {
  std::vector<File> files;
  for (int number = 0; number <= kMostAside; ++number) {
    auto file = open_log(number == 0 ? log : fs::path(log.string() + '.' + std::to_string(number)));
    if (!file) {
      if (number == 0) continue;  // it was put aside just now
      break;
    }
    const bool is_there = !files.empty() && files.back().inode == file->inode;
    if (!is_there) files.push_back(std::move(*file));
  }
  return files;
}

}  // namespace

std::optional<LogChunk> read_log(const fs::path& log, const std::optional<LogPlace>& from,
                                 std::size_t most_bytes) {
  std::vector<File> files = logs_of(log);
  std::ranges::reverse(files);
  auto file = files.begin();
  std::uint64_t offset = 0;
  if (from) {
    const auto known =
        std::ranges::find_if(files, [&](const File& one) { return one.is_of(*from); });
    if (known != files.end()) {
      file = known;
      offset = std::min(from->offset, file->size);
    }
  }
  for (; file != files.end(); ++file, offset = 0) {
    const bool is_old = file + 1 != files.end();
    auto chunk = read_lines(file->fd, *file, offset, most_bytes, is_old);
    if (chunk) return chunk;
  }
  return std::nullopt;
}

std::optional<LogPlace> begin_of(const base::UniqueFd& file) {
  const auto written = look_at(file);
  if (!written) return std::nullopt;
  return LogPlace{written->inode, written->born_ns, 0};
}

std::optional<LogChunk> read_log_file(const base::UniqueFd& file,
                                      const std::optional<LogPlace>& from, std::size_t most_bytes,
                                      bool is_over) {
  const auto written = look_at(file);
  if (!written) return std::nullopt;
  const bool goes_on = from && written->is_of(*from) && from->offset <= written->size;
  return read_lines(file, *written, goes_on ? from->offset : 0, most_bytes, is_over);
}

void remove_old_logs(const fs::path& log, const std::optional<LogPlace>& read_to, bool read_ones,
                     std::uint64_t space_bytes) {
  const std::vector<File> files = logs_of(log);  // newest first
  std::uint64_t bytes = 0;
  bool is_read = false;  // and so is all that is older
  for (const File& file : files) {
    const bool is_old = file.path != log;
    if (is_old) bytes += file.size;
    const bool is_place = read_to && file.is_of(*read_to);
    const bool is_full = space_bytes != 0 && bytes > space_bytes;
    const bool is_done = is_read || (is_place && read_to->offset >= file.size);
    if (is_old && ((read_ones && is_done) || is_full)) {
      std::error_code gone;
      fs::remove(file.path, gone);
    }
    is_read = is_read || is_place;
  }
}

}  // namespace andon::edge
