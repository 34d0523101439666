// SPDX-License-Identifier: Apache-2.0
#include "store/archive/zip_archive.hpp"

namespace andon::store {

void unpack_zip(const base::fs::path& archive, const base::fs::path& directory, unsigned file_mode,
                const UnpackLimits& limits) {
  unpack(ArchiveFormat::zip, archive, directory, file_mode, limits);
}

}  // namespace andon::store
