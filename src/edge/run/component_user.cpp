// SPDX-License-Identifier: Apache-2.0
#include "edge/run/component_user.hpp"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <chrono>

#include "base/error/error.hpp"
#include "base/log/log.hpp"
#include "base/os/process.hpp"
#include "edge/process/run_as.hpp"

namespace andon::edge {
namespace {

constexpr const char* kGreengrassUser = "ggc_user";
constexpr const char* kGreengrassGroup = "ggc_group";
// Not "andon", which may well be the user that a server on the same machine runs as.
constexpr const char* kOwnUser = "andon-component";
constexpr std::chrono::seconds kLimit{30};

void make_own_user() {
  std::string why;
  try {
    base::Process process(
        {.arguments = {"useradd", "--system", "--user-group", "--no-create-home", "--home-dir",
                       "/nonexistent", "--shell", "/usr/sbin/nologin", "--comment",
                       "andon's components", kOwnUser}});
    const auto ended = process.wait(kLimit);
    why = ended ? base::to_string(*ended) : "it did not end";
  } catch (const base::Error& error) {
    why = error.message();
  }
  if (getpwnam(kOwnUser) != nullptr) {
    base::log_info("made the user that components run as", {{"user", kOwnUser}});
    return;
  }
  throw base::Error(base::ErrorCode::failed_precondition,
                    std::string("there is no user for components to run as, and ") + kOwnUser +
                        " could not be made (useradd: " + why +
                        "); make it, or name another with --component-user (root: as before)");
}

}  // namespace

std::string component_user(std::string_view wanted) {
  if (!wanted.empty()) {
    static_cast<void>(resolve_run_as(wanted));
    return geteuid() == 0 ? std::string(wanted) : "";
  }
  if (geteuid() != 0) return "";
  if (getpwnam(kGreengrassUser) != nullptr) {
    const bool has_group = getgrnam(kGreengrassGroup) != nullptr;
    return std::string(kGreengrassUser) + (has_group ? std::string(":") + kGreengrassGroup : "");
  }
  if (getpwnam(kOwnUser) == nullptr) make_own_user();
  return kOwnUser;
}

}  // namespace andon::edge
