// SPDX-License-Identifier: Apache-2.0
// Unpacks an archive, trusting nothing in it: only plain files and directories below a fresh
// directory, and not more than the limits. Names of a ZIP become UTF-8, from UTF-8 where the entry
// has the flag for it and else from code page 437, whatever the program's locale. Blocking; any
// thread. After a crash the directory may be half full: the caller unpacks into one that it can
// throw away. What archives are made of and called is in zip_archive.hpp and tar_archive.hpp.
#pragma once

#include <cstdint>

#include "base/os/file.hpp"

namespace andon::store {

struct UnpackLimits {
  std::uint64_t max_bytes = 8ULL << 30U;
  std::uint64_t max_entries = 100'000;
  // How many times larger than the archive its content may be; 1 MiB is always allowed.
  std::uint64_t max_ratio = 200;
};

// The files' mode: those of the archive, readable by all and writable by their owner alone.
inline constexpr unsigned kArchivesModes = 0xFFFF'FFFF;

enum class ArchiveFormat : std::uint8_t { zip, tar, tar_gz, tar_zst };

// `directory` must not exist. Files get `file_mode`. Throws data_corrupted for a broken archive, an
// entry that would leave the directory or is not a file or directory, naming it; resource_exhausted
// for one over the limits or a full disk; unavailable where this system's libarchive lacks a
// format.
void unpack(ArchiveFormat format, const base::fs::path& archive, const base::fs::path& directory,
            unsigned file_mode, const UnpackLimits& limits);

}  // namespace andon::store
