// SPDX-License-Identifier: Apache-2.0
#include "edge/artifacts/plain_file.hpp"

#include <fcntl.h>

namespace andon::edge {

void replace_file(const fs::path& path, std::string_view content, unsigned mode) {
  const fs::path fresh = path.string() + ".new";
  const base::UniqueFd file = base::open_file(fresh, O_WRONLY | O_CREAT | O_TRUNC, mode);
  base::write_all(file.get(), content, fresh);
  fs::rename(fresh, path);
}

}  // namespace andon::edge
