// SPDX-License-Identifier: Apache-2.0
// Room: pattern. The language of event patterns, as EventBridge has it: which events a rule takes.
//
// A pattern is read once and asked often; it decides on an event as a whole, without I/O. What
// begins as several alternatives ($or) is spread out while it is read, so a pattern of too many
// is refused. Arrays of an event are looked through; fields below an array of objects must match
// in one of its elements. Pure; any thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "events/pattern/matcher.hpp"

namespace andon::events {

class Pattern {
 public:
  static constexpr std::size_t kMostBytes = 4096;
  static constexpr std::size_t kMostAlternatives = 1000;
  static constexpr std::size_t kMostDepth = 64;

  // Throws invalid_argument: "Event pattern is not valid. Reason: ...".
  explicit Pattern(std::string_view text);

  [[nodiscard]] bool matches(const json::object& event) const;

 private:
  struct Leaf;
  struct Node;
  using Path = std::vector<std::string>;
  struct Field {
    Path path;
    std::shared_ptr<const Leaf> leaf;
  };
  using Alternative = std::vector<Field>;
  using Alternatives = std::vector<Alternative>;
  // The event as a whole is asked where a field must not be there.
  static bool has_leaf(const json::value& value, const Path& path, std::size_t at);
  static bool matches(const Node& node, const json::value* value, const json::value& event);
  static bool matches_leaf(const Leaf& leaf, const json::value* value, const json::value& event);
  static Alternatives read(const json::object& object, const Path& path);
  static Alternatives read_or(const json::array& choices, const Path& path);
  static std::shared_ptr<const Leaf> read_leaf(const json::array& list, const Path& path);

  std::vector<std::shared_ptr<const Node>> alternatives_;
};

}  // namespace andon::events
