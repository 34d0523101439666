// SPDX-License-Identifier: Apache-2.0
// A component's work directory: its user's, closed to others. Any thread; may take a while where it
// changes hands.
#pragma once

#include "base/os/file.hpp"
#include "edge/process/run_as.hpp"

namespace andon::edge {

// Makes it where it is missing. Where it belonged to somebody else, what that one owned in it goes
// to `owner`; links are not followed, other file systems left alone. Throws resource_exhausted for
// one with too many or too deep directories, what the system says else.
void prepare_work_directory(const base::fs::path& directory, const RunAs& owner);

}  // namespace andon::edge
