// SPDX-License-Identifier: Apache-2.0
// Owners of what libarchive has made; for .cpp files alone, whose headers do without it.
#pragma once

#include <archive.h>
#include <archive_entry.h>

#include <memory>

namespace andon::store {

struct FreeArchive {
  void operator()(archive* one) const { archive_free(one); }
  void operator()(archive_entry* entry) const { archive_entry_free(entry); }
};
using ArchiveHandle = std::unique_ptr<archive, FreeArchive>;  // a reader, or a writer
using ArchiveEntryHandle = std::unique_ptr<archive_entry, FreeArchive>;

}  // namespace andon::store
