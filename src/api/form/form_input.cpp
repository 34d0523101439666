// SPDX-License-Identifier: Apache-2.0
#include "api/form/form_input.hpp"

#include <map>
#include <optional>
#include <utility>

#include "base/error/error.hpp"
#include "base/text/number.hpp"
#include "base/text/split.hpp"
#include "base/text/utf8.hpp"
#include "wire/http/http.hpp"

namespace andon::api {
namespace {

namespace json = base::json;
using base::Error;
using base::ErrorCode;

constexpr std::size_t kMostItems = 2'000;
constexpr std::size_t kMostDepth = 8;
constexpr std::size_t kMostIndex = 2'000;

// A value, or what stands below it; in the order of the names.
struct Node {
  std::optional<std::string> text;
  std::map<std::string, Node, std::less<>> below;
};

[[noreturn]] void refuse(std::string_view name, std::string_view what) {
  throw Error(ErrorCode::invalid_argument,
              std::string(name.substr(0, 100)) + ": " + std::string(what));
}

void put(Node& root, std::string_view name, std::string value) {
  Node* node = &root;
  std::size_t depth = 0;
  for (const std::string_view part : base::split(name, '.')) {
    if (part.empty() || ++depth > kMostDepth) refuse(name, "is not the name of a member");
    node = &node->below[std::string(part)];
    if (node->text) refuse(name, "is there twice");
  }
  if (!node->below.empty()) refuse(name, "is there twice");
  node->text = std::move(value);
}

json::value to_json(const Node& node, std::string_view name) {
  if (node.text) return json::value(*node.text);
  const auto member = node.below.find("member");
  if (member == node.below.end() || node.below.size() > 1 || member->second.text) {
    json::object object;
    for (const auto& [key, below] : node.below) object[key] = to_json(below, key);
    return object;
  }
  std::map<std::size_t, const Node*> sorted;
  for (const auto& [key, below] : member->second.below) {
    const auto index = base::parse_integer<std::size_t>(key, 1, kMostIndex);
    if (!index) refuse(name, "has a member that is not numbered from 1 on");
    sorted[*index] = &below;
  }
  json::array list;
  for (const auto& [index, below] : sorted) list.push_back(to_json(*below, name));
  return list;
}

}  // namespace

FormInput read_form(std::string_view text) {
  if (text.size() > kMostFormBytes) {
    throw Error(ErrorCode::invalid_argument, "the request is larger than 256 KiB");
  }
  const auto items = wire::parse_query(text);
  if (!items || items->size() > kMostItems) {
    throw Error(ErrorCode::invalid_argument, "the request is not a form of up to 2000 members");
  }
  Node root;
  for (const auto& [name, value] : *items) {
    if (name.starts_with("X-Amz-")) continue;  // of the signature, where it is in the query
    if (!base::is_utf8(name) || !base::is_utf8(value)) refuse(name, "is not UTF-8");
    put(root, name, value);
  }
  FormInput input;
  for (const auto& [name, node] : root.below) {
    if (name == "Action") {
      input.action = node.text.value_or("");
    } else if (name == "Version") {
      input.version = node.text.value_or("");
    } else {
      input.members[name] = to_json(node, name);
    }
  }
  return input;
}

}  // namespace andon::api
