// SPDX-License-Identifier: Apache-2.0
// A ZIP archive of the plain files below a directory, in the order of their names and without
// times: the same files give the same bytes. Links and what is no file are left out. Blocking; any
// thread.
#pragma once

#include <cstdint>

#include "base/os/file.hpp"

namespace andon::store {

// Throws resource_exhausted where the files have more bytes than that.
void pack_zip(const base::fs::path& directory, const base::fs::path& archive,
              std::uint64_t most_bytes);

}  // namespace andon::store
