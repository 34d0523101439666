// SPDX-License-Identifier: Apache-2.0
// Gzipped tar archives: unpacked like any archive that trusts nothing (unpacker.hpp), and made of a
// directory that a stranger has filled. Blocking; any thread.
#pragma once

#include "base/os/file.hpp"
#include "base/os/tree_walk.hpp"
#include "store/archive/unpacker.hpp"

namespace andon::store {

// As unpack_zip().
void unpack_tar_gz(const base::fs::path& archive, const base::fs::path& directory,
                   unsigned file_mode, const UnpackLimits& limits = {});

// Files, directories and links (as they are) below the open directory `top`, in the order of their
// names; the same content gives the same bytes. `archive` is made or replaced. Throws
// resource_exhausted beyond the limits.
void pack_tar_gz(int top, const base::fs::path& archive, const base::TreeLimits& limits = {});

}  // namespace andon::store
