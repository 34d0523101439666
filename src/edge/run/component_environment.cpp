// SPDX-License-Identifier: Apache-2.0
#include "edge/run/component_environment.hpp"

#include <cstdlib>

namespace andon::edge {
namespace {

constexpr const char* kSystemPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

}  // namespace

std::map<std::string, std::string> script_environment(const RunAs& who,
                                                      const base::fs::path& work_directory,
                                                      const std::vector<std::string>& passed) {
  // Debian's pip refuses to install beside the system's packages unless it is told that this is
  // meant.
  std::map<std::string, std::string> environment{{"LANG", "C.UTF-8"},
                                                 {"PIP_BREAK_SYSTEM_PACKAGES", "1"}};
  if (is_privileged(who)) {
    environment["HOME"] = "/root";
    environment["PATH"] = kSystemPath;
    environment["USER"] = environment["LOGNAME"] = "root";
  } else {
    const std::string own = (work_directory / ".local").string();
    environment["HOME"] = work_directory.string();
    environment["PATH"] = own + "/bin:" + kSystemPath;
    environment["PYTHONUSERBASE"] = own;
    if (!who.name.empty()) environment["USER"] = environment["LOGNAME"] = who.name;
  }
  for (const std::string& name : passed) {
    const char* const value = std::getenv(name.c_str());
    if (value != nullptr) environment[name] = value;
  }
  return environment;
}

}  // namespace andon::edge
