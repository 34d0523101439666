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

struct File {
  fs::path path;
  base::UniqueFd fd;
  std::uint64_t inode = 0;
  std::int64_t born_ns = 0;
  std::uint64_t size = 0;
  base::Timestamp changed;
};

std::optional<File> open_log(const fs::path& path) {
  File file{
      path, base::UniqueFd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)),
      0,    0,
      0,    {}};
  struct stat about {};
  if (!file.fd || fstat(file.fd.get(), &about) != 0 || !S_ISREG(about.st_mode)) return std::nullopt;
  file.inode = about.st_ino;
  struct statx more {};
  const bool is_told = statx(file.fd.get(), "", AT_EMPTY_PATH, STATX_BTIME, &more) == 0 &&
                       (more.stx_mask & STATX_BTIME) != 0;
  if (is_told) file.born_ns = more.stx_btime.tv_sec * 1'000'000'000 + more.stx_btime.tv_nsec;
  file.size = static_cast<std::uint64_t>(about.st_size);
  file.changed =
      base::from_epoch_millis(about.st_mtim.tv_sec * 1000 + about.st_mtim.tv_nsec / 1'000'000);
  return file;
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
    const auto known = std::ranges::find_if(files, [&](const File& one) {
      return one.inode == from->inode && one.born_ns == from->born_ns;
    });
    if (known != files.end()) {
      file = known;
      offset = std::min(from->offset, file->size);
    }
  }
  for (; file != files.end(); ++file, offset = 0) {
    const bool is_old = file + 1 != files.end();
    std::string text(std::min<std::uint64_t>(most_bytes, file->size - offset), '\0');
    const ssize_t got = pread(file->fd.get(), text.data(), text.size(), static_cast<off_t>(offset));
    text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    const std::size_t end = text.rfind('\n');
    // The rest of a line may follow, but not in a file that was put aside.
    const bool is_last = is_old && offset + text.size() == file->size;
    const bool takes_all = text.size() == most_bytes && end == std::string::npos;
    if (!is_last && !takes_all) text.resize(end == std::string::npos ? 0 : end + 1);
    if (text.empty()) continue;
    const LogPlace next{file->inode, file->born_ns, offset + text.size()};
    return LogChunk{std::move(text), next, file->changed};
  }
  return std::nullopt;
}

void remove_old_logs(const fs::path& log, const std::optional<LogPlace>& read_to, bool read_ones,
                     std::uint64_t space_bytes) {
  const std::vector<File> files = logs_of(log);  // newest first
  std::uint64_t bytes = 0;
  bool is_read = false;  // and so is all that is older
  for (const File& file : files) {
    const bool is_old = file.path != log;
    if (is_old) bytes += file.size;
    const bool is_place =
        read_to && read_to->inode == file.inode && read_to->born_ns == file.born_ns;
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
