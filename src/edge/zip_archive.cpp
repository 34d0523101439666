// SPDX-License-Identifier: Apache-2.0
#include "edge/zip_archive.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <string>

#include "base/error.hpp"

namespace andon::edge {
namespace {

namespace fs = base::fs;
using base::Error;
using base::ErrorCode;

constexpr std::uint64_t kAlwaysAllowedBytes = 1U << 20U;
constexpr std::size_t kBlockBytes = 64U << 10U;

struct CloseArchive {
  void operator()(archive* reader) const { archive_read_free(reader); }
};
using Reader = std::unique_ptr<archive, CloseArchive>;

Error broken(const fs::path& path, const std::string& why) {
  return Error(ErrorCode::data_corrupted,
               "the archive " + path.filename().string() + " cannot be unpacked: " + why);
}

Error too_large(const fs::path& path, const std::string& what) {
  return Error(ErrorCode::resource_exhausted, "the archive " + path.filename().string() +
                                                  " holds more than " + what +
                                                  "; it was not unpacked");
}

// Relative, below the directory, without "..".
fs::path safe_path(const fs::path& archive_path, const char* name) {
  if (name == nullptr || *name == '\0') throw broken(archive_path, "an entry has no name");
  const fs::path entry(name);
  const bool climbs = std::ranges::any_of(entry, [](const fs::path& part) { return part == ".."; });
  if (entry.is_absolute() || climbs || entry.string().find('\\') != std::string::npos) {
    throw broken(archive_path, "an entry would be written outside of its directory");
  }
  return entry.lexically_normal();
}

class Unpacker {
 public:
  Unpacker(const fs::path& path, fs::path directory, unsigned file_mode, const UnpackLimits& limits)
      : path_(path), directory_(std::move(directory)), file_mode_(file_mode), limits_(limits) {
    const std::uint64_t size = fs::file_size(path);
    max_bytes_ = std::min(limits.max_bytes, std::max(kAlwaysAllowedBytes, size * limits.max_ratio));
    reader_.reset(archive_read_new());
    archive_read_support_format_zip_seekable(reader_.get());
    if (archive_read_open_filename(reader_.get(), path.c_str(), kBlockBytes) != ARCHIVE_OK) {
      throw broken(path, "it is not a ZIP archive");
    }
  }

  void run() {
    base::make_directories(directory_, 0755);
    std::uint64_t entries = 0;
    archive_entry* entry = nullptr;
    for (;;) {
      const int result = archive_read_next_header(reader_.get(), &entry);
      if (result == ARCHIVE_EOF) break;
      if (result != ARCHIVE_OK) throw broken(path_, "it is damaged");
      if (++entries > limits_.max_entries) {
        throw too_large(path_, std::to_string(limits_.max_entries) + " entries");
      }
      unpack(entry);
    }
  }

 private:
  void unpack(archive_entry* entry) {
    const fs::path target = directory_ / safe_path(path_, archive_entry_pathname(entry));
    const auto type = archive_entry_filetype(entry);
    if (type == AE_IFDIR) return base::make_directories(target, 0755);
    if (type != AE_IFREG || archive_entry_hardlink(entry) != nullptr) {
      throw broken(path_, "an entry is neither a file nor a directory");
    }
    base::make_directories(target.parent_path(), 0755);
    // O_EXCL: an archive may not name a file twice, nor write through anything.
    const base::UniqueFd file =
        base::open_file(target, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, file_mode_ | 0200U);
    std::array<char, kBlockBytes> buffer;
    for (;;) {
      const la_ssize_t got = archive_read_data(reader_.get(), buffer.data(), buffer.size());
      if (got == 0) break;
      if (got < 0) throw broken(path_, "the content of an entry is damaged or encrypted");
      const auto count = static_cast<std::size_t>(got);
      bytes_ += count;
      if (bytes_ > max_bytes_) {
        throw too_large(path_, std::to_string(max_bytes_ >> 20U) + " MiB");
      }
      base::write_all(file.get(), {buffer.data(), count}, target);
    }
    if (fchmod(file.get(), file_mode_) != 0) {
      throw base::system_error("cannot set the mode of " + target.string(), errno);
    }
  }

  const fs::path& path_;
  fs::path directory_;
  unsigned file_mode_;
  const UnpackLimits& limits_;
  std::uint64_t max_bytes_ = 0;
  std::uint64_t bytes_ = 0;
  Reader reader_;
};

}  // namespace

void unpack_zip(const fs::path& path, const fs::path& directory, unsigned file_mode,
                const UnpackLimits& limits) {
  if (fs::exists(directory)) {
    throw Error(ErrorCode::already_exists, directory.string() + " is there already");
  }
  Unpacker(path, directory, file_mode, limits).run();
}

}  // namespace andon::edge
