// SPDX-License-Identifier: Apache-2.0
#include "edge/streams/server/input_file.hpp"

#include <fcntl.h>

#include "edge/process/as_user.hpp"

namespace andon::edge {

base::UniqueFd open_input_file(const base::fs::path& file, const std::string& user) {
  base::UniqueFd opened;
  with_rights_of(user, [&] { opened = base::open_file(file, O_RDONLY | O_NONBLOCK | O_NOCTTY); });
  return opened;
}

}  // namespace andon::edge
