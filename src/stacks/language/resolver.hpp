// SPDX-License-Identifier: Apache-2.0
// What the functions of a template come to: Ref, GetAtt, Sub, Join, Select, Split, If and the
// conditions, FindInMap, Base64, ImportValue, Length, ToJsonString. What a resource is called and
// what it has is asked of the World. With limits on depth and size. Pure; any thread.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "stacks/language/template.hpp"

namespace andon::stacks {

// All may be empty: then there is nothing of that kind.
struct World {
  // Of a resource: its physical id, and an attribute. Nothing where it has none of that name.
  std::function<std::optional<json::value>(const std::string& id)> reference;
  std::function<std::optional<json::value>(const std::string& id, const std::string& name)>
      attribute;
  // What another stack exports under this name.
  std::function<std::optional<std::string>(const std::string& name)> imported;
  // A parameter of the parameter store ("{{resolve:ssm:name}}").
  std::function<std::optional<std::string>(const std::string& name)> stored;
};

inline constexpr std::size_t kMostResolvedBytes = 4U << 20U;

class Resolver {
 public:
  // `values` are those of parameters and pseudo parameters. `read` must outlive it.
  Resolver(const Template& read, json::object values, World world);

  // A value with its functions carried out; nothing for AWS::NoValue. `place` is for messages.
  // Throws invalid_argument.
  [[nodiscard]] std::optional<json::value> resolve(const json::value& value,
                                                   const std::string& place) const;
  [[nodiscard]] json::object resolve_object(const json::object& object,
                                            const std::string& place) const;
  // A text, also of a number or flag.
  [[nodiscard]] std::string resolve_text(const json::value& value, const std::string& place) const;
  // Empty: always.
  [[nodiscard]] bool holds(const std::string& condition) const;

 private:
  using Value = std::optional<json::value>;
  struct Depth;
  [[nodiscard]] Value walk(const json::value& value, const std::string& place,
                           std::size_t depth) const;
  [[nodiscard]] Value call(const std::string& function, const json::value& argument,
                           const std::string& place, std::size_t depth) const;
  [[nodiscard]] Value refer(const std::string& name, const std::string& place) const;
  [[nodiscard]] json::value attribute(const std::string& id, const std::string& name,
                                      const std::string& place) const;
  [[nodiscard]] std::string substitute(const json::value& argument, const std::string& place,
                                       std::size_t depth) const;
  [[nodiscard]] std::string with_stored(const std::string& text, const std::string& place) const;
  [[nodiscard]] json::value must(const json::value& value, const std::string& place,
                                 std::size_t depth) const;
  [[nodiscard]] std::string text(const json::value& value, const std::string& place,
                                 std::size_t depth) const;
  [[nodiscard]] json::array list(const json::value& value, const std::string& place,
                                 std::size_t depth) const;
  [[nodiscard]] bool truth(const json::value& value, const std::string& place,
                           std::size_t depth) const;

  const Template& template_;
  const json::object values_;
  const World world_;
  mutable std::map<std::string, bool> conditions_;
  mutable std::set<std::string> in_hand_;  // conditions that are being worked out
  mutable std::size_t bytes_ = 0;
};

// Those that the properties of a resource name, and those that it depends on besides; each once, in
// order. Of `If` only the branch that is taken counts.
[[nodiscard]] std::vector<std::string> dependencies(const Template& read, const Resource& resource,
                                                    const json::object& values, const World& world);

// What stands for something that is not known yet: "${Role.Arn}".
[[nodiscard]] std::string placeholder(const std::string& id, const std::string& attribute = {});

}  // namespace andon::stacks
