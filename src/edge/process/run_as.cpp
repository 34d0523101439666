// SPDX-License-Identifier: Apache-2.0
#include "edge/process/run_as.hpp"

#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>

#include "base/error/error.hpp"
#include "base/os/file.hpp"
#include "base/os/process.hpp"
#include "base/text/number.hpp"

namespace andon::edge {
namespace {

constexpr std::size_t kMostBytes = 4U << 20U;  // of an entry: a group may have many members
constexpr int kMostGroups = 1024;

base::Error unknown(std::string_view kind, const std::string& name) {
  return base::Error(base::ErrorCode::invalid_argument,
                     "the component is to run as the " + std::string(kind) + " '" + name +
                         "', which this device does not have; add it, or change runWith.posixUser "
                         "of the deployment (or --component-user of the agent)");
}

// One of the functions get(pw|gr)(nam|id)_r with a buffer that is large enough; empty where there
// is no such entry.
template <typename Entry, typename Key>
std::optional<Entry> look_up(int (*function)(Key, Entry*, char*, std::size_t, Entry**), Key key,
                             std::vector<char>& buffer) {
  for (buffer.resize(4096); buffer.size() <= kMostBytes; buffer.resize(buffer.size() * 4)) {
    Entry entry{};
    Entry* found = nullptr;
    const int error = function(key, &entry, buffer.data(), buffer.size(), &found);
    if (error == ERANGE) continue;
    if (found == nullptr) return std::nullopt;
    return entry;
  }
  return std::nullopt;
}

// -1 means "leave it as it is" to the kernel.
std::optional<std::uint32_t> id_number(std::string_view text) {
  const auto id = base::parse_integer<std::uint32_t>(text);
  if (!id || *id == UINT32_MAX) return std::nullopt;
  return id;
}

gid_t group_named(const std::string& name) {
  if (const auto id = id_number(name)) return *id;
  std::vector<char> buffer;
  const auto entry = look_up<group, const char*>(getgrnam_r, name.c_str(), buffer);
  if (!entry) throw unknown("group", name);
  return entry->gr_gid;
}

std::vector<gid_t> groups_of(const std::string& user, gid_t group) {
  std::vector<gid_t> groups(kMostGroups);
  int count = kMostGroups;
  if (getgrouplist(user.c_str(), group, groups.data(), &count) < 0) count = kMostGroups;
  groups.resize(static_cast<std::size_t>(count));
  std::erase(groups, group);
  return groups;
}

RunAs look_up_user(const std::string& user_name, const std::optional<std::string>& group_name) {
  RunAs result;
  std::vector<char> buffer;
  std::optional<passwd> user;
  if (const auto id = id_number(user_name)) {
    result.user = *id;
    user = look_up<passwd, uid_t>(getpwuid_r, *id, buffer);
  } else {
    user = look_up<passwd, const char*>(getpwnam_r, user_name.c_str(), buffer);
    if (!user) throw unknown("user", user_name);
    result.user = user->pw_uid;
  }
  result.group = user ? user->pw_gid : base::kNoGroup;
  if (group_name) result.group = group_named(*group_name);
  if (user) {
    result.name = user->pw_name;
    result.groups = groups_of(result.name, *result.group);
  }
  return result;
}

}  // namespace

RunAs resolve_run_as(std::string_view text) {
  if (text.empty()) return {};
  const std::size_t colon = text.find(':');
  std::optional<std::string> group;
  if (colon != std::string_view::npos) group = text.substr(colon + 1);
  RunAs named = look_up_user(std::string(text.substr(0, colon)), group);
  if (geteuid() == 0) return named;
  if (named.user == geteuid()) return {};
  throw base::Error(base::ErrorCode::failed_precondition,
                    "the component is to run as '" + std::string(text) +
                        "', but only an agent that is root can start it as another user");
}

bool is_privileged(const RunAs& who) {
  return geteuid() == 0 && who.user.value_or(0) == 0;
}

std::string closed_directory(const std::string& path, const RunAs& who) {
  if (!who.user || *who.user == 0) return {};
  base::fs::path so_far;
  for (const base::fs::path& part : base::fs::path(path)) {
    so_far /= part;
    struct stat status {};
    if (stat(so_far.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) return {};
    const bool in_group = status.st_gid == who.group ||
                          std::ranges::find(who.groups, status.st_gid) != who.groups.end();
    const mode_t needed = status.st_uid == *who.user ? S_IXUSR : in_group ? S_IXGRP : S_IXOTH;
    if ((status.st_mode & needed) == 0) return so_far.string();
  }
  return {};
}

}  // namespace andon::edge
