// SPDX-License-Identifier: Apache-2.0
#include "store/archive/tar_archive.hpp"

#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/error/error.hpp"
#include "base/os/blocking.hpp"
#include "store/archive/archive_handle.hpp"

namespace andon::store {
namespace {

using base::TreeEntry;

class Packer {
 public:
  explicit Packer(const base::fs::path& path) : path_(path), writer_(archive_write_new()) {
    check(archive_write_add_filter_gzip(writer_.get()));
    // No time of its own in it: the same files are the same archive.
    check(archive_write_set_filter_option(writer_.get(), "gzip", "timestamp", nullptr));
    check(archive_write_set_format_pax_restricted(writer_.get()));
    check(archive_write_set_format_option(writer_.get(), "pax", "hdrcharset", "BINARY"));
    check(archive_write_open_filename(writer_.get(), path.c_str()));
  }

  void add(const TreeEntry& found) {
    const ArchiveEntryHandle entry(archive_entry_new());
    archive_entry_set_pathname(entry.get(), found.path.c_str());
    archive_entry_set_mtime(entry.get(), found.modified_s, 0);
    const bool is_file = found.kind == TreeEntry::Kind::file;
    if (found.kind == TreeEntry::Kind::link) {
      archive_entry_set_filetype(entry.get(), AE_IFLNK);
      archive_entry_set_symlink(entry.get(), found.target.c_str());
      archive_entry_set_perm(entry.get(), 0777);
    } else {
      archive_entry_set_filetype(entry.get(), is_file ? AE_IFREG : AE_IFDIR);
      archive_entry_set_perm(entry.get(), found.mode);
    }
    archive_entry_set_size(entry.get(), is_file ? static_cast<la_int64_t>(found.size) : 0);
    check(archive_write_header(writer_.get(), entry.get()));
    if (is_file) add_content(found);
  }

  void close() { check(archive_write_close(writer_.get())); }

 private:
  void check(int result) {
    if (result == ARCHIVE_OK || result == ARCHIVE_WARN) return;
    const int number = archive_errno(writer_.get());
    if (number == ENOSPC || number == EDQUOT) {
      throw base::system_error("cannot write '" + path_.string() + "'", number);
    }
    const char* why = archive_error_string(writer_.get());
    throw base::Error(base::ErrorCode::internal,
                      "cannot write '" + path_.string() + "': " + (why == nullptr ? "" : why));
  }

  // No more than the size that was announced; what is missing becomes zeros, as tar has it.
  void add_content(const TreeEntry& found) {
    std::array<char, 65'536> buffer;
    std::uint64_t left = found.size;
    while (left > 0) {
      const ssize_t got =
          read(found.fd, buffer.data(),
               static_cast<std::size_t>(std::min<std::uint64_t>(left, buffer.size())));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) throw base::system_error("cannot read '" + found.path + "'", errno);
      if (got == 0) break;
      if (archive_write_data(writer_.get(), buffer.data(), static_cast<std::size_t>(got)) != got) {
        check(ARCHIVE_FATAL);
      }
      left -= static_cast<std::uint64_t>(got);
    }
  }

  const base::fs::path& path_;
  ArchiveHandle writer_;
};

}  // namespace

void unpack_tar_gz(const base::fs::path& archive, const base::fs::path& directory,
                   unsigned file_mode, const UnpackLimits& limits) {
  unpack(ArchiveFormat::tar_gz, archive, directory, file_mode, limits);
}

void pack_tar_gz(int top, const base::fs::path& archive, const base::TreeLimits& limits) {
  base::may_block("packing an archive");
  Packer packer(archive);
  base::walk_tree(top, limits, [&packer](const TreeEntry& entry) { packer.add(entry); });
  packer.close();
}

}  // namespace andon::store
