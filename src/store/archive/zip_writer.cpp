// SPDX-License-Identifier: Apache-2.0
#include "store/archive/zip_writer.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <vector>

#include "base/error/error.hpp"
#include "store/archive/archive_handle.hpp"

namespace andon::store {
namespace {

namespace fs = base::fs;
using base::Error;
using base::ErrorCode;

constexpr unsigned kReadable = 0644;
constexpr unsigned kExecutable = 0755;
constexpr std::size_t kPiece = 1U << 20U;

std::vector<fs::path> files_below(const fs::path& directory, std::uint64_t most_bytes) {
  std::vector<fs::path> files;
  std::uint64_t bytes = 0;
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    if (!fs::is_regular_file(entry.symlink_status())) continue;
    bytes += entry.file_size();
    if (bytes > most_bytes) {
      throw Error(ErrorCode::resource_exhausted, "'" + directory.string() + "' has more than " +
                                                     std::to_string(most_bytes) + " bytes");
    }
    files.push_back(entry.path());
  }
  std::ranges::sort(files);
  return files;
}

}  // namespace

void pack_zip(const fs::path& directory, const fs::path& archive_file, std::uint64_t most_bytes) {
  const ArchiveHandle writer(archive_write_new());
  const auto check = [&](la_ssize_t result) {
    if (result >= ARCHIVE_OK) return;
    throw Error(ErrorCode::internal, "cannot make an archive of '" + directory.string() +
                                         "': " + archive_error_string(writer.get()));
  };
  check(archive_write_set_format_zip(writer.get()));
  check(archive_write_open_filename(writer.get(), archive_file.c_str()));
  std::string piece(kPiece, '\0');
  for (const fs::path& file : files_below(directory, most_bytes)) {
    const base::UniqueFd from = base::open_file(file, O_RDONLY | O_NOFOLLOW);
    struct stat status {};
    if (fstat(from.get(), &status) != 0) {
      throw base::system_error("cannot look at '" + file.string() + "'", errno);
    }
    const ArchiveEntryHandle entry(archive_entry_new());
    archive_entry_set_pathname_utf8(entry.get(), file.lexically_relative(directory).c_str());
    archive_entry_set_filetype(entry.get(), AE_IFREG);
    archive_entry_set_perm(entry.get(), (status.st_mode & S_IXUSR) != 0 ? kExecutable : kReadable);
    archive_entry_set_size(entry.get(), status.st_size);
    check(archive_write_header(writer.get(), entry.get()));
    ssize_t got = 0;
    while ((got = read(from.get(), piece.data(), piece.size())) > 0) {
      check(archive_write_data(writer.get(), piece.data(), static_cast<std::size_t>(got)));
    }
    if (got < 0) throw base::system_error("cannot read '" + file.string() + "'", errno);
  }
  check(archive_write_close(writer.get()));
}

}  // namespace andon::store
