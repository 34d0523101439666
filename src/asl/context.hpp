// SPDX-License-Identifier: Apache-2.0
// The context object of a state ($$ and $states.context), put together only as far as somebody
// asks: the execution's input in it is never copied. Lives for one step.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "asl/json_path.hpp"
#include "asl/jsonata.hpp"

namespace andon::asl {

struct MapItem {
  std::int64_t index = 0;
  Data value;
  std::optional<std::string> key;     // where the items are the members of an object
  std::optional<std::string> source;  // where they were read from
};

class ContextObject {
 public:
  struct Parts {
    json::object execution;  // without Input
    Data execution_input;
    json::object state_machine;
    json::object state;
    std::optional<std::string> task_token;
    std::optional<MapItem> item;
  };
  explicit ContextObject(Parts parts);

  [[nodiscard]] std::optional<Data> find(const JsonPath& path) const;
  [[nodiscard]] Data whole() const;
  // Points into this object.
  [[nodiscard]] const jsonata::Environment::Context& for_jsonata() const { return jsonata_; }

 private:
  [[nodiscard]] json::object item_without_value() const;

  Data execution_input_;
  std::optional<MapItem> item_;
  json::value execution_;
  json::value state_machine_;
  json::value state_;
  json::value task_;
  json::value map_item_;
  jsonata::Environment::Context jsonata_;
};

}  // namespace andon::asl
