// SPDX-License-Identifier: Apache-2.0
#include "edge/run_as.hpp"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <string>

#include "base/error.hpp"

namespace andon::edge {
namespace {

std::optional<unsigned> parse_id(std::string_view text) {
  unsigned id = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), id);
  if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size()) return std::nullopt;
  return id;
}

base::Error unknown(std::string_view kind, const std::string& name) {
  return base::Error(base::ErrorCode::invalid_argument,
                     "runWith.posixUser names the " + std::string(kind) + " '" + name +
                         "', which this device does not have; add it or change the deployment");
}

}  // namespace

RunAs resolve_run_as(std::string_view text) {
  if (text.empty() || geteuid() != 0) return {};
  const std::size_t colon = text.find(':');
  const std::string user_name(text.substr(0, colon));
  RunAs result;
  std::array<char, 4096> buffer{};
  passwd user{};
  passwd* user_found = nullptr;
  if (const auto id = parse_id(user_name)) {
    result.user = *id;
    getpwuid_r(*id, &user, buffer.data(), buffer.size(), &user_found);
  } else {
    getpwnam_r(user_name.c_str(), &user, buffer.data(), buffer.size(), &user_found);
    if (user_found == nullptr) throw unknown("user", user_name);
    result.user = user_found->pw_uid;
  }
  if (user_found != nullptr) result.group = user_found->pw_gid;
  if (colon == std::string_view::npos) return result;
  const std::string group_name(text.substr(colon + 1));
  if (const auto id = parse_id(group_name)) {
    result.group = *id;
    return result;
  }
  group entry{};
  group* group_found = nullptr;
  getgrnam_r(group_name.c_str(), &entry, buffer.data(), buffer.size(), &group_found);
  if (group_found == nullptr) throw unknown("group", group_name);
  result.group = group_found->gr_gid;
  return result;
}

}  // namespace andon::edge
