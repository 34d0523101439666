// SPDX-License-Identifier: Apache-2.0
#include "asl/data/context.hpp"

namespace andon::asl {

ContextObject::ContextObject(Parts parts)
    : execution_input_(std::move(parts.execution_input)),
      item_(std::move(parts.item)),
      execution_(std::move(parts.execution)),
      state_machine_(std::move(parts.state_machine)),
      state_(std::move(parts.state)) {
  jsonata_.execution = &execution_;
  jsonata_.state_machine = &state_machine_;
  jsonata_.state = &state_;
  if (parts.task_token) {
    task_ = json::object{{"Token", *parts.task_token}};
    jsonata_.task = &task_;
  }
  if (item_) {
    map_item_ = item_without_value();
    jsonata_.map_item = &map_item_;
  }
}

const query::jsonata::Environment::Context& ContextObject::for_jsonata() const {
  jsonata_.execution_input = execution_input_.get().get();
  if (item_) jsonata_.map_value = item_->value.get().get();
  return jsonata_;
}

json::object ContextObject::item_without_value() const {
  json::object item{{"Index", item_->index}};
  if (item_->key) item["Key"] = *item_->key;
  if (item_->source) item["Source"] = *item_->source;
  return item;
}

Data ContextObject::whole() const {
  json::object all;
  json::object execution = execution_.get_object();
  execution["Input"] = *execution_input_.get();
  all["Execution"] = std::move(execution);
  all["StateMachine"] = state_machine_;
  all["State"] = state_;
  if (jsonata_.task != nullptr) all["Task"] = task_;
  if (item_) {
    json::object item = map_item_.get_object();
    item["Value"] = *item_->value.get();
    all["Map"] = json::object{{"Item", std::move(item)}};
  }
  return make_data(std::move(all));
}

std::optional<Data> ContextObject::find(const query::JsonPath& path) const {
  const auto name_at = [&path](std::size_t index) -> std::string_view {
    if (index >= path.segments().size()) return {};
    const query::JsonPath::Segment& segment = path.segments()[index];
    const auto* name = std::get_if<query::JsonPath::Name>(&segment.step);
    return !segment.descend && name != nullptr && name->names.size() == 1
               ? std::string_view(name->names.front())
               : std::string_view();
  };
  // The two large documents are looked at where they are.
  if (name_at(0) == "Execution" && name_at(1) == "Input") {
    return path.without_front(2).evaluate(execution_input_.get());
  }
  if (item_ && name_at(0) == "Map" && name_at(1) == "Item" && name_at(2) == "Value") {
    return path.without_front(3).evaluate(item_->value.get());
  }
  const json::value* section = nullptr;
  if (name_at(0) == "Execution" && !name_at(1).empty()) section = &execution_;
  if (name_at(0) == "StateMachine") section = &state_machine_;
  if (name_at(0) == "State") section = &state_;
  if (name_at(0) == "Task" && jsonata_.task != nullptr) section = &task_;
  if (section != nullptr) return path.without_front(1).evaluate(make_data(*section));
  return path.evaluate(whole());
}

}  // namespace andon::asl
