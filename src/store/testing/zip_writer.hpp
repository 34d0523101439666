// SPDX-License-Identifier: Apache-2.0
// Writes ZIP archives for tests, compressed, with what nobody should put into one.
#pragma once

#include <archive.h>
#include <archive_entry.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/os/file.hpp"

namespace andon::store {

struct ZipEntry {
  std::string name;
  std::string content;
  unsigned type = AE_IFREG;
};

inline void write_zip(const base::fs::path& path, const std::vector<ZipEntry>& entries) {
  archive* writer = archive_write_new();
  archive_write_set_format_zip(writer);
  ASSERT_EQ(archive_write_open_filename(writer, path.c_str()), ARCHIVE_OK);
  for (const ZipEntry& one : entries) {
    archive_entry* entry = archive_entry_new();
    archive_entry_set_pathname(entry, one.name.c_str());
    archive_entry_set_filetype(entry, one.type);
    archive_entry_set_perm(entry, 0644);
    if (one.type == AE_IFLNK) archive_entry_set_symlink(entry, one.content.c_str());
    archive_entry_set_size(entry,
                           one.type == AE_IFREG ? static_cast<la_int64_t>(one.content.size()) : 0);
    archive_write_header(writer, entry);
    if (one.type == AE_IFREG) archive_write_data(writer, one.content.data(), one.content.size());
    archive_entry_free(entry);
  }
  archive_write_close(writer);
  archive_write_free(writer);
}

}  // namespace andon::store
