// SPDX-License-Identifier: Apache-2.0
// What base::write_file_atomically() leaves beside a file where its process is killed before the
// new content has its name. Without it each death would leave one more.
#pragma once

#include "base/os/file.hpp"

namespace andon::edge {

// Removes such files of `directory`, none below it. For who alone writes there. What cannot be
// removed stays.
void remove_unfinished_files(const base::fs::path& directory);

}  // namespace andon::edge
