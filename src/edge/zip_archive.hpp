// SPDX-License-Identifier: Apache-2.0
// Unpacks a ZIP archive that has been verified, still trusting nothing in it: only plain files and
// directories below a fresh directory, and not more than the limits. Blocking; any thread.
// After a crash the directory may be half full: the caller unpacks into one that it can throw away.
#pragma once

#include <cstdint>

#include "base/file.hpp"

namespace andon::edge {

struct UnpackLimits {
  std::uint64_t max_bytes = 8ULL << 30U;
  std::uint64_t max_entries = 100'000;
  // How many times larger than the archive its content may be; 1 MiB is always allowed.
  std::uint64_t max_ratio = 200;
};

// `directory` must not exist. Files get `file_mode`. Throws data_corrupted for a broken archive, an
// entry that would leave the directory or is not a file or directory; resource_exhausted for one
// over the limits or a full disk.
void unpack_zip(const base::fs::path& archive, const base::fs::path& directory, unsigned file_mode,
                const UnpackLimits& limits = {});

}  // namespace andon::edge
