// SPDX-License-Identifier: Apache-2.0
// The environment that scripts of components begin with: nothing of the agent's, but the variables
// that its operator passes on by name. Any thread.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/os/file.hpp"
#include "edge/process/run_as.hpp"

namespace andon::edge {

// A component can install what it needs below its work directory: HOME, PATH and Python's user
// directory are there. A step with all rights gets root's HOME and a PATH of the system alone, as
// the work directory belongs to somebody else. `passed` names variables of the agent's environment;
// those that are not set are left out.
[[nodiscard]] std::map<std::string, std::string> script_environment(
    const RunAs& who, const base::fs::path& work_directory, const std::vector<std::string>& passed);

}  // namespace andon::edge
