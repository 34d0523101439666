// SPDX-License-Identifier: Apache-2.0
// Tar archives, plain and compressed: whatever is in them, nothing appears outside of the
// directory.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/error/error.hpp"
#include "base/os/file.hpp"
#include "store/archive/unpacker.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace fs = andon::base::fs;
  const andon::base::TemporaryDirectory directory;
  const fs::path archive = directory.path() / "a.tar";
  andon::base::write_file_atomically(archive, std::string(data, data + size));
  using andon::store::ArchiveFormat;
  for (const auto format : {ArchiveFormat::tar, ArchiveFormat::tar_gz, ArchiveFormat::tar_zst}) {
    fs::remove_all(directory.path() / "out");
    try {
      andon::store::unpack(format, archive, directory.path() / "out", 0440,
                           {.max_bytes = 1U << 20U, .max_entries = 100, .max_ratio = 100});
    } catch (const andon::base::Error&) {
    }
  }
  for (const fs::directory_entry& entry : fs::directory_iterator(directory.path())) {
    if (entry.path().filename() != "a.tar" && entry.path().filename() != "out") std::abort();
  }
  return 0;
}
