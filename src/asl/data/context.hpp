// SPDX-License-Identifier: Apache-2.0
// The context object of a state ($$ and $states.context), put together only as far as somebody
// asks: the execution's input in it is never copied, and read only when it is looked at. Lives for
// one step.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "asl/data/held.hpp"
#include "query/jsonata/evaluate/jsonata.hpp"
#include "query/jsonpath/json_path.hpp"

namespace andon::asl {

struct MapItem {
  std::int64_t index = 0;
  Held value;
  std::optional<std::string> key;     // where the items are the members of an object
  std::optional<std::string> source;  // where they were read from
};

class ContextObject {
 public:
  struct Parts {
    json::object execution;  // without Input
    Held execution_input;
    json::object state_machine;
    json::object state;
    std::optional<std::string> task_token;
    std::optional<MapItem> item;
  };
  explicit ContextObject(Parts parts);

  [[nodiscard]] std::optional<Data> find(const query::JsonPath& path) const;
  [[nodiscard]] Data whole() const;
  // Points into this object.
  [[nodiscard]] const query::jsonata::Environment::Context& for_jsonata() const;

 private:
  [[nodiscard]] json::object item_without_value() const;

  Held execution_input_;
  std::optional<MapItem> item_;
  json::value execution_;
  json::value state_machine_;
  json::value state_;
  json::value task_;
  json::value map_item_;
  mutable query::jsonata::Environment::Context jsonata_;
};

}  // namespace andon::asl
