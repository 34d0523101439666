// SPDX-License-Identifier: Apache-2.0
#include "store/archive/unpacker.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <locale.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <string>
#include <string_view>

#include "base/error/error.hpp"
#include "base/os/blocking.hpp"
#include "base/text/escape.hpp"
#include "base/text/utf8.hpp"

namespace andon::store {
namespace {

namespace fs = base::fs;
using base::Error;
using base::ErrorCode;

constexpr std::uint64_t kAlwaysAllowedBytes = 1U << 20U;
constexpr std::size_t kBlockBytes = 64U << 10U;
constexpr std::size_t kMaxNameBytes = 255;

struct CloseArchive {
  void operator()(archive* reader) const { archive_read_free(reader); }
};
using Reader = std::unique_ptr<archive, CloseArchive>;

const char* name_of(ArchiveFormat format) {
  switch (format) {
    case ArchiveFormat::zip:
      return "ZIP archive";
    case ArchiveFormat::tar:
      return "tar archive";
    case ArchiveFormat::tar_gz:
      return "gzipped tar archive";
    case ArchiveFormat::tar_zst:
      return "tar archive compressed by zstd";
  }
  return "archive";
}

Error broken(const fs::path& path, const std::string& why) {
  return Error(ErrorCode::data_corrupted,
               "the archive " + path.filename().string() + " cannot be unpacked: " + why);
}

Error too_large(const fs::path& path, const std::string& what) {
  return Error(ErrorCode::resource_exhausted, "the archive " + path.filename().string() +
                                                  " holds more than " + what +
                                                  "; it was not unpacked");
}

// An entry as people are told of it: its name in quotes, or its place where it has none.
std::string shown(const char* name, std::uint64_t number) {
  constexpr std::size_t kShownBytes = 200;
  if (name == nullptr || *name == '\0') return "entry " + std::to_string(number);
  const std::string text = base::to_valid_utf8(name);
  return "entry " + std::to_string(number) + " (\"" +
         base::escape_controls(base::utf8_prefix(text, kShownBytes)) +
         (text.size() > kShownBytes ? "...\")" : "\")");
}

// libarchive converts names to the character set of the thread's locale: UTF-8 while this lives,
// whatever the program's own is. C.UTF-8 is part of the C library.
class NamesInUtf8 {
 public:
  NamesInUtf8() : locale_(newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)) {
    if (locale_ == nullptr) throw base::system_error("there is no locale C.UTF-8", errno);
    before_ = uselocale(locale_);
  }
  NamesInUtf8(const NamesInUtf8&) = delete;
  NamesInUtf8& operator=(const NamesInUtf8&) = delete;
  ~NamesInUtf8() {
    uselocale(before_);
    freelocale(locale_);
  }

 private:
  locale_t locale_;
  locale_t before_ = nullptr;
};

class Unpacker {
 public:
  Unpacker(ArchiveFormat format, const fs::path& path, fs::path directory, unsigned file_mode,
           const UnpackLimits& limits)
      : format_(format),
        path_(path),
        directory_(std::move(directory)),
        file_mode_(file_mode),
        limits_(limits) {
    const std::uint64_t size = fs::file_size(path);
    max_bytes_ = std::min(limits.max_bytes, std::max(kAlwaysAllowedBytes, size * limits.max_ratio));
    reader_.reset(archive_read_new());
    if (format == ArchiveFormat::zip) {
      archive_read_support_format_zip_seekable(reader_.get());
      // Names without the flag for UTF-8 are in the character set of DOS, by the format's
      // definition.
      if (archive_read_set_options(reader_.get(), "zip:hdrcharset=CP437") != ARCHIVE_OK) {
        throw Error(ErrorCode::unavailable,
                    "this system's C library cannot read names in code page 437 (no gconv module "
                    "IBM437)");
      }
    } else {
      archive_read_support_format_tar(reader_.get());
      support_filter();
    }
    if (archive_read_open_filename(reader_.get(), path.c_str(), kBlockBytes) != ARCHIVE_OK) {
      throw not_such_an_archive();
    }
  }

  void run() {
    base::make_directories(directory_, 0755);
    archive_entry* entry = nullptr;
    for (;;) {
      const int result = archive_read_next_header(reader_.get(), &entry);
      if (result == ARCHIVE_EOF) break;
      // A warning is about what can be done without: times, extra fields, and names, which are
      // looked at below.
      if (result != ARCHIVE_OK && result != ARCHIVE_WARN) {
        if (entries_ == 0) throw not_such_an_archive();
        throw broken(path_, "it is damaged after " + std::to_string(entries_) + " entries");
      }
      if (++entries_ > limits_.max_entries) {
        throw too_large(path_, std::to_string(limits_.max_entries) + " entries");
      }
      unpack(entry);
    }
  }

 private:
  Error not_such_an_archive() const {
    return broken(path_, std::string("it is not a ") + name_of(format_) + ", or damaged at once");
  }

  void support_filter() {
    int result = ARCHIVE_OK;
    if (format_ == ArchiveFormat::tar_gz) result = archive_read_support_filter_gzip(reader_.get());
    if (format_ == ArchiveFormat::tar_zst) result = archive_read_support_filter_zstd(reader_.get());
    // Without the library it would run a program, which nobody has asked for.
    if (result != ARCHIVE_OK) {
      throw Error(ErrorCode::unavailable,
                  std::string("this system's libarchive cannot read a ") + name_of(format_));
    }
  }

  Error bad_entry(archive_entry* entry, const std::string& why) const {
    return broken(path_, shown(archive_entry_pathname(entry), entries_) + ' ' + why);
  }

  // Relative, below the directory, without "..".
  fs::path safe_path(archive_entry* entry) const {
    const char* name = archive_entry_pathname(entry);
    // What libarchive makes of a name that it cannot convert.
    if (name == nullptr || !base::is_utf8(name)) {
      throw bad_entry(entry, "has a name that is marked as UTF-8 and is not");
    }
    const std::string_view text(name);
    if (text.empty()) throw bad_entry(entry, "has no name");
    if (text.find('\\') != text.npos) throw bad_entry(entry, "has a backslash in its name");
    const fs::path relative(name);
    const bool climbs =
        std::ranges::any_of(relative, [](const fs::path& part) { return part == ".."; });
    if (relative.is_absolute() || climbs) {
      throw bad_entry(entry, "would be written outside of its directory");
    }
    if (std::ranges::any_of(
            relative, [](const fs::path& part) { return part.native().size() > kMaxNameBytes; })) {
      throw bad_entry(entry, "has a name of more than 255 bytes, which no file can have");
    }
    return relative.lexically_normal();
  }

  void unpack(archive_entry* entry) {
    const fs::path target = directory_ / safe_path(entry);
    const auto type = archive_entry_filetype(entry);
    if (type == AE_IFDIR) return base::make_directories(target, 0755);
    if (type != AE_IFREG || archive_entry_hardlink(entry) != nullptr) {
      throw bad_entry(entry, "is neither a file nor a directory");
    }
    if (archive_entry_is_encrypted(entry) != 0) {
      throw bad_entry(entry, "is encrypted; make the archive without a password");
    }
    if (fs::exists(fs::symlink_status(target))) {
      throw bad_entry(entry, "is there twice");
    }
    base::make_directories(target.parent_path(), 0755);
    constexpr unsigned kReadable = 0444;
    constexpr unsigned kOwnersToWrite = 0755;
    const unsigned mode = file_mode_ == kArchivesModes
                              ? (archive_entry_perm(entry) & kOwnersToWrite) | kReadable
                              : file_mode_;
    // O_EXCL: an archive may not name a file twice, nor write through anything.
    const base::UniqueFd file =
        base::open_file(target, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode | 0200U);
    std::array<char, kBlockBytes> buffer;
    for (;;) {
      const la_ssize_t got = archive_read_data(reader_.get(), buffer.data(), buffer.size());
      if (got == 0) break;
      if (got < 0) {
        throw bad_entry(entry, "is damaged, or compressed in a way that cannot be read here");
      }
      const auto count = static_cast<std::size_t>(got);
      bytes_ += count;
      if (bytes_ > max_bytes_) {
        throw too_large(path_, std::to_string(max_bytes_ >> 20U) + " MiB");
      }
      base::write_all(file.get(), {buffer.data(), count}, target);
    }
    if (fchmod(file.get(), mode) != 0) {
      throw base::system_error("cannot set the mode of " + target.string(), errno);
    }
  }

  ArchiveFormat format_;
  const fs::path& path_;
  fs::path directory_;
  unsigned file_mode_;
  const UnpackLimits& limits_;
  std::uint64_t max_bytes_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t entries_ = 0;
  Reader reader_;
};

}  // namespace

void unpack(ArchiveFormat format, const fs::path& path, const fs::path& directory,
            unsigned file_mode, const UnpackLimits& limits) {
  base::may_block("unpacking an archive");
  if (fs::exists(directory)) {
    throw Error(ErrorCode::already_exists, directory.string() + " is there already");
  }
  const NamesInUtf8 utf8;
  Unpacker(format, path, directory, file_mode, limits).run();
}

}  // namespace andon::store
