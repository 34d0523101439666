// SPDX-License-Identifier: Apache-2.0
#include "api/table/catalogue/honoured_members.hpp"

#include <algorithm>
#include <string>

#include "api/table/catalogue/honoured_rows.hpp"
#include "base/error/error.hpp"

namespace andon::api {
namespace {

namespace json = base::json;
using base::Error;
using base::ErrorCode;

struct Member {
  std::string_view name;
  std::string_view inside;  // "" where anything may be in it
};

// Takes the first member off `list`: a name, and what stands in braces behind it.
Member take_member(std::string_view& list) {
  list.remove_prefix(std::min(list.find_first_not_of(' '), list.size()));
  const std::size_t end = std::min(list.find_first_of(" {"), list.size());
  Member member{list.substr(0, end), {}};
  list.remove_prefix(end);
  if (!list.starts_with('{')) return member;
  std::size_t depth = 0;
  std::size_t at = 0;
  do {
    if (list[at] == '{') ++depth;
    if (list[at] == '}') --depth;
    ++at;
  } while (depth > 0);
  member.inside = list.substr(1, at - 2);
  list.remove_prefix(at);
  return member;
}

const Honoured* find_row(std::string_view service, std::string_view operation) {
  for (const auto rows : {honoured_of_devices(), honoured_of_services()}) {
    const auto row = std::ranges::find_if(rows, [&](const Honoured& candidate) {
      return candidate.service == service && candidate.operation == operation;
    });
    if (row != rows.end()) return &*row;
  }
  return nullptr;
}

// As deep as the table, which has no row of more than a few levels.
void check(const json::object& object, std::string_view members, const std::string& place) {
  for (const auto& [name, inner] : object) {
    if (inner.is_null()) continue;
    Member found;
    for (std::string_view rest = members; !rest.empty() && found.name.empty();) {
      const Member member = take_member(rest);
      if (member.name == name || member.name == "*") found = member;
    }
    const std::string here = place.empty() ? std::string(name) : place + "." + std::string(name);
    if (found.name.empty()) {
      throw Error(ErrorCode::unsupported, here + ": this server does not support it; leave it out");
    }
    // A value of another type than the model's is for the handler to refuse.
    if (found.inside.empty()) continue;
    if (const auto* below = inner.if_object()) check(*below, found.inside, here);
    if (const auto* list = inner.if_array()) {
      for (const json::value& item : *list) {
        if (const auto* below = item.if_object()) check(*below, found.inside, here);
      }
    }
  }
}

}  // namespace

std::vector<std::pair<std::string_view, std::string_view>> honoured_operations() {
  std::vector<std::pair<std::string_view, std::string_view>> all;
  for (const auto rows : {honoured_of_devices(), honoured_of_services()}) {
    for (const Honoured& row : rows) all.emplace_back(row.service, row.operation);
  }
  return all;
}

bool has_honoured_members(std::string_view service, std::string_view operation) {
  return find_row(service, operation) != nullptr;
}

void check_honoured(std::string_view service, std::string_view operation,
                    const json::object& input) {
  const Honoured* row = find_row(service, operation);
  if (row == nullptr) {
    throw Error(ErrorCode::internal, "operation " + std::string(operation) + " of " +
                                         std::string(service) +
                                         " is not in the table of honoured members");
  }
  check(input, row->members, "");
}

}  // namespace andon::api
