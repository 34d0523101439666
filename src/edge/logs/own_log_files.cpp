// SPDX-License-Identifier: Apache-2.0
#include "edge/logs/own_log_files.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/error/error.hpp"
#include "edge/process/as_user.hpp"
#include "query/regex/regex.hpp"

namespace andon::edge {
namespace {

namespace fs = base::fs;

constexpr std::size_t kMostFiles = 100;
constexpr std::size_t kMostLooked = 10'000;
constexpr std::chrono::minutes kOver{10};

std::optional<OwnLogFile> open_one(const fs::path& path) {
  OwnLogFile found;
  try {
    found.file = base::open_file(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW);
  } catch (const base::Error&) {
    return std::nullopt;  // gone, or not the component's to read
  }
  const auto begin = begin_of(found.file);
  struct stat about {};
  if (!begin || fstat(found.file.get(), &about) != 0) return std::nullopt;
  found.path = path;
  found.begin = *begin;
  found.size = static_cast<std::uint64_t>(about.st_size);
  found.changed =
      base::from_epoch_millis(about.st_mtim.tv_sec * 1000 + about.st_mtim.tv_nsec / 1'000'000);
  return found;
}

std::vector<OwnLogFile> look(const LogRule& rule) {
  const query::Regex pattern(rule.file_pattern, {});
  std::vector<OwnLogFile> files;
  std::error_code failed;
  fs::directory_iterator entry(rule.directory, failed);
  if (failed == std::errc::no_such_file_or_directory) return files;
  std::size_t looked = 0;
  for (; !failed && entry != fs::directory_iterator(); entry.increment(failed)) {
    if (++looked > kMostLooked) break;
    if (!pattern.search(entry->path().filename().string())) continue;
    if (auto one = open_one(entry->path())) files.push_back(std::move(*one));
    if (files.size() < 2 * kMostFiles) continue;
    std::ranges::sort(files, std::greater{}, &OwnLogFile::changed);
    files.resize(kMostFiles);
  }
  if (failed) {
    throw base::system_error("cannot read the directory of logs " + rule.directory, failed.value());
  }
  std::ranges::sort(files, std::greater{}, &OwnLogFile::changed);
  if (files.size() > kMostFiles) files.resize(kMostFiles);
  std::ranges::reverse(files);
  return files;
}

}  // namespace

std::vector<OwnLogFile> open_own_logs(const LogRule& rule, const std::string& user,
                                      base::Timestamp now) {
  std::vector<OwnLogFile> files;
  with_rights_of(user, [&] { files = look(rule); });
  for (OwnLogFile& file : files) {
    file.is_over = &file != &files.back() && file.changed + kOver < now;
  }
  return files;
}

void remove_own_logs(const LogRule& rule, const std::string& user,
                     const std::vector<OwnLogFile>& files, const std::vector<std::uint64_t>& read) {
  std::uint64_t bytes = 0;
  std::vector<fs::path> superfluous;
  for (std::size_t i = files.size(); i-- > 0;) {
    const OwnLogFile& file = files[i];
    bytes += file.size;
    if (i + 1 == files.size()) continue;
    const bool is_full = rule.space_bytes != 0 && bytes > rule.space_bytes;
    const bool is_done = rule.deletes && file.is_over && read.at(i) >= file.size;
    if (is_full || is_done) superfluous.push_back(file.path);
  }
  if (superfluous.empty()) return;
  with_rights_of(user, [&] {
    std::error_code gone;
    for (const fs::path& path : superfluous) fs::remove(path, gone);
  });
}

}  // namespace andon::edge
