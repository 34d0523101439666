// SPDX-License-Identifier: Apache-2.0
// Unpacks a ZIP archive that has been verified, still trusting nothing in it (unpacker.hpp).
// Blocking; any thread.
#pragma once

#include "store/archive/unpacker.hpp"

namespace andon::store {

// `directory` must not exist. Files get `file_mode`. Throws data_corrupted for a broken archive, an
// entry that would leave the directory or is not a file or directory, naming it; resource_exhausted
// for one over the limits or a full disk.
void unpack_zip(const base::fs::path& archive, const base::fs::path& directory, unsigned file_mode,
                const UnpackLimits& limits = {});

}  // namespace andon::store
