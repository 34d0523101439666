// SPDX-License-Identifier: Apache-2.0
#include "edge/process/as_user.hpp"

#include <sys/fsuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "base/error/error.hpp"
#include "edge/process/run_as.hpp"

namespace andon::edge {
namespace {

// The C library sets groups of all threads; the kernel those of one.
void set_groups_of_thread(const std::vector<gid_t>& groups) {
  if (syscall(SYS_setgroups, groups.size(), groups.data()) != 0) {
    throw base::system_error("cannot take a component's groups", errno);
  }
}

std::vector<gid_t> own_groups() {
  std::vector<gid_t> groups(static_cast<std::size_t>(std::max(0, getgroups(0, nullptr))));
  const int count = getgroups(static_cast<int>(groups.size()), groups.data());
  groups.resize(static_cast<std::size_t>(std::max(0, count)));
  return groups;
}

// The calling thread looks at files as somebody else while it lives.
class AsUser {
 public:
  explicit AsUser(const RunAs& who) : groups_(own_groups()) {
    set_groups_of_thread(who.groups);
    before_group_ = setfsgid(who.group.value_or(getegid()));
    before_user_ = setfsuid(*who.user);  // takes the rights over all files away, too
  }
  AsUser(const AsUser&) = delete;
  AsUser& operator=(const AsUser&) = delete;
  ~AsUser() {
    setfsuid(static_cast<uid_t>(before_user_));
    setfsgid(static_cast<gid_t>(before_group_));
    syscall(SYS_setgroups, groups_.size(), groups_.data());
  }

 private:
  std::vector<gid_t> groups_;
  int before_user_ = 0;
  int before_group_ = 0;
};

}  // namespace

void with_rights_of(const std::string& user, const std::function<void()>& work) {
  const RunAs who = resolve_run_as(user);
  if (is_privileged(who) || !who.user || *who.user == geteuid()) return work();
  const AsUser as_user(who);
  work();
}

}  // namespace andon::edge
