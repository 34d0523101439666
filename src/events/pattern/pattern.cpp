// SPDX-License-Identifier: Apache-2.0
#include "events/pattern/pattern.hpp"

#include <algorithm>
#include <utility>

#include "base/error/error.hpp"
#include "base/text/split.hpp"

namespace andon::events {
namespace {

constexpr std::string_view kOr = "$or";
// What cannot be a field below an $or: then it is a field itself.
constexpr std::array<std::string_view, 9> kMatchers = {
    "exactly", "prefix", "suffix", "equals-ignore-case", "wildcard", "anything-but",
    "numeric", "cidr",   "exists"};

bool is_choice(const json::value& value) {
  const auto* list = value.if_array();
  if (list == nullptr || list->size() < 2) return false;
  return std::ranges::all_of(*list, [](const json::value& one) {
    const auto* object = one.if_object();
    return object != nullptr && std::ranges::none_of(*object, [](const auto& member) {
             return std::ranges::find(kMatchers, std::string_view(member.key())) != kMatchers.end();
           });
  });
}

void check_count(std::size_t alternatives) {
  if (alternatives > Pattern::kMostAlternatives) {
    refuse_pattern("Rule is too complex - it has more than " +
                   std::to_string(Pattern::kMostAlternatives) + " alternatives");
  }
}

bool has_dots(const json::value& value) {
  if (const auto* list = value.if_array()) return std::ranges::any_of(*list, has_dots);
  const auto* object = value.if_object();
  return object != nullptr && std::ranges::any_of(*object, [](const auto& member) {
           return std::string_view(member.key()).find('.') != std::string_view::npos ||
                  has_dots(member.value());
         });
}

json::value without_dots(const json::value& value);

// Puts `value` where "a.b.c" leads to; what is there already stays beside it.
void put_at(json::object& object, std::string_view key, json::value value) {
  const std::size_t dot = key.find('.');
  const std::string_view name = key.substr(0, dot);
  json::value* there = object.if_contains(name);
  if (dot == std::string_view::npos) {
    if (there == nullptr) {
      object[name] = std::move(value);
    } else if (there->is_object() && value.is_object()) {
      for (auto& member : value.get_object()) {
        put_at(there->get_object(), member.key(), std::move(member.value()));
      }
    } else {
      *there = json::array{std::move(*there), std::move(value)};
    }
    return;
  }
  json::object below;
  put_at(below, key.substr(dot + 1), std::move(value));
  put_at(object, name, std::move(below));
}

// {"a.b": 1} as {"a": {"b": 1}}.
json::value without_dots(const json::value& value) {
  if (const auto* list = value.if_array()) {
    json::array made;
    for (const json::value& one : *list) made.push_back(without_dots(one));
    return made;
  }
  const auto* object = value.if_object();
  if (object == nullptr) return value;
  json::object made;
  for (const auto& member : *object) put_at(made, member.key(), without_dots(member.value()));
  return made;
}

}  // namespace

struct Pattern::Leaf {
  Path path;
  std::vector<Matcher> matchers;
  bool takes_absence = false;
};

struct Pattern::Node {
  std::vector<std::shared_ptr<const Leaf>> leaves;
  std::map<std::string, Node> below;
};

Pattern::Pattern(std::string_view text) {
  if (text.size() > kMostBytes) {
    refuse_pattern("it is longer than " + std::to_string(kMostBytes) + " bytes");
  }
  json::value written;
  try {
    written = base::parse_json(text, "the pattern", {.max_depth = kMostDepth});
  } catch (const base::Error&) {
    refuse_pattern("Invalid JSON");
  }
  const auto* object = written.if_object();
  if (object == nullptr) refuse_pattern("Filter is not an object");
  for (const Alternative& alternative : read(*object, {})) {
    auto root = std::make_shared<Node>();
    for (const Field& field : alternative) {
      Node* node = root.get();
      for (const std::string& name : field.path) node = &node->below[name];
      node->leaves.push_back(field.leaf);
    }
    alternatives_.push_back(std::move(root));
  }
}

std::shared_ptr<const Pattern::Leaf> Pattern::read_leaf(const json::array& list, const Path& path) {
  if (list.empty()) refuse_pattern("Empty arrays are not allowed");
  auto leaf = std::make_shared<Leaf>();
  leaf->path = path;
  for (const json::value& one : list) {
    const Matcher& made = leaf->matchers.emplace_back(one);
    leaf->takes_absence = leaf->takes_absence || made.is_absence();
  }
  return leaf;
}

Pattern::Alternatives Pattern::read_or(const json::array& choices, const Path& path) {
  Alternatives all;
  for (const json::value& choice : choices) {
    for (Alternative& one : read(choice.get_object(), path)) all.push_back(std::move(one));
    check_count(all.size());
  }
  return all;
}

Pattern::Alternatives Pattern::read(const json::object& object, const Path& path) {
  if (object.empty()) refuse_pattern("Empty objects are not allowed");
  Alternatives all(1);
  for (const auto& member : object) {
    const std::string_view name = member.key();
    const json::value& value = member.value();
    Alternatives more;
    if (name == kOr && is_choice(value)) {
      more = read_or(value.get_array(), path);
    } else {
      Path below = path;
      for (const std::string_view part : base::split(name, '.')) below.emplace_back(part);
      if (below.size() > kMostDepth) refuse_pattern("Path is too deep");
      if (const auto* inner = value.if_object()) {
        more = read(*inner, below);
      } else if (const auto* list = value.if_array()) {
        more = {{{below, read_leaf(*list, below)}}};
      } else {
        refuse_pattern("\"" + std::string(name) + "\" must be an object or an array");
      }
    }
    check_count(all.size() * more.size());
    Alternatives product;
    for (const Alternative& left : all) {
      for (const Alternative& right : more) {
        Alternative& both = product.emplace_back(left);
        both.insert(both.end(), right.begin(), right.end());
      }
    }
    all = std::move(product);
  }
  return all;
}

bool Pattern::has_leaf(const json::value& value, const Path& path, std::size_t at) {
  if (const auto* list = value.if_array()) {
    return std::ranges::any_of(*list,
                               [&](const json::value& one) { return has_leaf(one, path, at); });
  }
  const auto* object = value.if_object();
  if (object == nullptr) return at == path.size();
  if (at == path.size()) return false;
  const auto* below = object->if_contains(path[at]);
  return below != nullptr && has_leaf(*below, path, at + 1);
}

bool Pattern::matches_leaf(const Leaf& leaf, const json::value* value, const json::value& event) {
  if (leaf.takes_absence && !has_leaf(event, leaf.path, 0)) return true;
  if (value == nullptr || value->is_object()) return false;
  if (const auto* list = value->if_array()) {
    return std::ranges::any_of(*list, [&](const json::value& one) {
      return !one.is_object() && matches_leaf(leaf, &one, event);
    });
  }
  return std::ranges::any_of(leaf.matchers, [&](const Matcher& matcher) {
    return !matcher.is_absence() && matcher.matches(*value);
  });
}

bool Pattern::matches(const Node& node, const json::value* value, const json::value& event) {
  if (!std::ranges::all_of(node.leaves,
                           [&](const auto& leaf) { return matches_leaf(*leaf, value, event); })) {
    return false;
  }
  if (node.below.empty()) return true;
  const auto fits = [&](const json::value* one) {
    const auto* object = one == nullptr ? nullptr : one->if_object();
    return std::ranges::all_of(node.below, [&](const auto& below) {
      return matches(below.second, object == nullptr ? nullptr : object->if_contains(below.first),
                     event);
    });
  };
  const auto* list = value == nullptr ? nullptr : value->if_array();
  if (list == nullptr || list->empty()) return fits(value);
  return std::ranges::any_of(*list, [&](const json::value& one) {
    // A list within a list is looked through as well.
    return one.is_array() ? matches(node, &one, event) : fits(&one);
  });
}

bool Pattern::matches(const json::object& event) const {
  json::value whole = event;
  if (has_dots(whole)) whole = without_dots(whole);
  return std::ranges::any_of(
      alternatives_, [&](const auto& alternative) { return matches(*alternative, &whole, whole); });
}

}  // namespace andon::events
