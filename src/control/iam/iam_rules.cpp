// SPDX-License-Identifier: Apache-2.0
#include "control/iam/iam_rules.hpp"

#include <algorithm>

#include "base/error/error.hpp"
#include "base/text/ascii.hpp"
#include "base/text/id.hpp"

namespace andon::control {

using base::Error;
using base::ErrorCode;

std::string_view to_string(EntityKind kind) {
  switch (kind) {
    case EntityKind::user:
      return "user";
    case EntityKind::group:
      return "group";
    case EntityKind::role:
      break;
  }
  return "role";
}

void check_iam_name(std::string_view name, std::string_view member, std::size_t most) {
  if (name.size() <= most && base::is_name_of(name, "_+=,.@-")) return;
  throw Error(ErrorCode::invalid_argument, std::string(member) + ": must have 1 to " +
                                               std::to_string(most) +
                                               " letters, digits and characters of _+=,.@-");
}

void check_iam_path(std::string_view path) {
  constexpr std::size_t kMost = 512;
  const bool is_good = !path.empty() && path.size() <= kMost && path.front() == '/' &&
                       path.back() == '/' && path.find("//") == std::string_view::npos &&
                       std::ranges::all_of(path, [](char c) { return c >= '!' && c <= '~'; }) &&
                       path.find_first_of("*?:$") == std::string_view::npos;
  if (is_good) return;
  throw Error(ErrorCode::invalid_argument,
              "Path: must begin and end with '/', without blanks, '*', '?', ':' and '$'");
}

std::string make_iam_id(std::string_view prefix) {
  constexpr std::size_t kLength = 17;
  return std::string(prefix) + base::random_text(kLength, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567");
}

std::string iam_key(std::string_view name) {
  return base::to_lower(name);
}

std::string iam_arn(const std::string& account, std::string_view kind, std::string_view path,
                    std::string_view name) {
  return "arn:aws:iam::" + account + ":" + std::string(kind) + std::string(path) +
         std::string(name);
}

}  // namespace andon::control
