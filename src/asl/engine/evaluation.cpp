// SPDX-License-Identifier: Apache-2.0
#include "asl/engine/evaluation.hpp"

#include <cmath>

#include "asl/data/path_lookup.hpp"
#include "asl/engine/step_writer.hpp"
#include "base/text/number.hpp"

namespace andon::asl {
namespace {

std::size_t string_size(std::string_view text) {
  std::size_t size = 2 + text.size();
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\' || (byte >= 8 && byte <= 13 && byte != 11)) {
      ++size;  // \" and its like
    } else if (byte < 0x20) {
      size += 5;  // \u0001
    }
  }
  return size;
}

// What a context object that is given has in the place of the engine's own.
void put_in_place(ContextObject::Parts& parts, const json::object& given) {
  const auto section = [&given](std::string_view name) -> const json::object* {
    const auto* found = given.if_contains(name);
    return found == nullptr ? nullptr : found->if_object();
  };
  const auto copy = [](const json::object* from, json::object& to) {
    if (from == nullptr) return;
    for (const auto& member : *from) {
      if (member.key() != "Input") to[member.key()] = member.value();
    }
  };
  const json::object* execution = section("Execution");
  copy(execution, parts.execution);
  if (execution != nullptr) {
    if (const auto* input = execution->if_contains("Input")) {
      parts.execution_input = make_data(*input);
    }
  }
  copy(section("StateMachine"), parts.state_machine);
  copy(section("State"), parts.state);
  if (const json::object* task = section("Task")) {
    const auto* token = task->if_contains("Token");
    if (token != nullptr && token->is_string()) parts.task_token = token->get_string();
  }
}

}  // namespace

std::size_t text_size(const json::value& value, std::size_t limit, std::size_t depth) {
  if (depth > kMaxDataDepth) {
    throw failure(kDataLimitExceeded,
                  "The data is nested deeper than " + std::to_string(kMaxDataDepth) + " levels.");
  }
  std::size_t size = 2;
  switch (value.kind()) {
    case json::kind::object:
      for (const auto& member : value.get_object()) {
        size += string_size(member.key()) + 1 + text_size(member.value(), limit, depth + 1);
        if (size > limit) return size;
      }
      return size + (value.get_object().size() > 1 ? value.get_object().size() - 1 : 0);
    case json::kind::array:
      for (const auto& item : value.get_array()) {
        size += text_size(item, limit, depth + 1);
        if (size > limit) return size;
      }
      return size + (value.get_array().size() > 1 ? value.get_array().size() - 1 : 0);
    case json::kind::string:
      return string_size(value.get_string());
    default:
      return base::to_text(value).size();
  }
}

void Evaluation::make_context(const Branch& branch) {
  ContextObject::Parts parts;
  parts.execution = {{"Id", execution_.arn},
                     {"Name", execution_.name},
                     {"RoleArn", execution_.role_arn},
                     {"StartTime", base::to_iso8601(execution_.started_at)},
                     {"RedriveCount", execution_.redrive_count}};
  if (execution_.redriven_at) {
    parts.execution["RedriveTime"] = base::to_iso8601(*execution_.redriven_at);
  }
  parts.execution_input = execution_.input;
  parts.state_machine = {{"Id", execution_.machine_arn}, {"Name", execution_.machine_name}};
  parts.state = {{"Name", branch.state}, {"EnteredTime", base::to_iso8601(branch.entered_at)}};
  const StateType type = step_.state_of(branch).type();
  if (type == StateType::task || type == StateType::parallel || type == StateType::map) {
    parts.state["RetryCount"] = branch.retry_count;
  }
  if (!branch.task_token.empty()) parts.task_token = branch.task_token;
  for (const Branch* at = &branch; at != nullptr; at = execution_.find(at->parent)) {
    if (at->item) {
      parts.item = at->item;
      break;
    }
  }
  if (const Inspection* inspection = step_.limits().inspection) {
    put_in_place(parts, inspection->context);
  }
  context_ = std::make_unique<ContextObject>(std::move(parts));
}

Scope Evaluation::scope_of(const Branch& branch, Held input) {
  Scope scope;
  scope.input = std::move(input);
  if (context_ == nullptr) make_context(branch);
  scope.context = context_.get();
  for (const Branch* at = &branch; at != nullptr; at = execution_.find(at->parent)) {
    if (!at->variables.empty()) scope.variables.push_back(&at->variables);
  }
  scope.random = &step_.random();
  scope.now = step_.now();
  return scope;
}

void Evaluation::show(std::string_view stage, const Data& data) const {
  Inspection* inspection = step_.limits().inspection;
  if (inspection != nullptr) inspection->seen[stage] = base::to_text(*data);
}

Held Evaluation::effective_input(const Branch& branch, const State& state) {
  Held input = after_input_path(branch, state);
  if (step_.limits().inspection != nullptr && state.language == QueryLanguage::json_path) {
    show("afterInputPath", input.get());
  }
  return input;
}

Held Evaluation::after_input_path(const Branch& branch, const State& state) {
  if (state.language == QueryLanguage::jsonata || state.input_path.kind == DataPath::Kind::whole) {
    return branch.input;
  }
  if (state.input_path.kind == DataPath::Kind::nothing) return make_data(json::object());
  const query::JsonPath& path = state.input_path.path;
  if (auto found = look_up(path, scope_of(branch, branch.input))) return *std::move(found);
  throw failure(kRuntime, "Invalid path '" + path.text() +
                              "' : No results for path: " + query::normalised_path_text(path));
}

Data Evaluation::apply_output_path(const Branch& branch, const State& state, const Data& output) {
  if (state.output_path.kind == DataPath::Kind::whole) return output;
  if (state.output_path.kind == DataPath::Kind::nothing) return make_data(json::object());
  const query::JsonPath& path = state.output_path.path;
  if (auto found = look_up(path, scope_of(branch, output))) return *std::move(found);
  throw failure(kRuntime, "Invalid path '" + path.text() +
                              "' : No results for path: " + query::normalised_path_text(path));
}

Assigned Evaluation::evaluate_assignments(const Assignments& assignments, const Scope& scope) {
  const auto too_large = [](const std::string& subject) {
    return failure(kDataLimitExceeded,
                   subject + " with a size exceeding the maximum number of bytes service limit.");
  };
  Assigned values;
  std::size_t together = 0;
  for (const auto& [name, payload] : assignments) {
    const Data holder = payload.evaluate(scope);
    Data value = part_of(holder, holder->as_object().at(name));
    const std::size_t size = text_size(*value, step_.limits().data_bytes);
    if (size > step_.limits().data_bytes) {
      throw too_large("The variable '" + name + "' was assigned a value");
    }
    together += size;
    values.emplace_back(name, std::move(value));
  }
  if (together > step_.limits().data_bytes) {
    throw too_large("The variables of the field 'Assign' were assigned values");
  }
  return values;
}

void Evaluation::check_variables(const Branch& branch, const Assigned& values) const {
  if (values.empty()) return;
  std::int64_t bytes = execution_.variable_bytes;
  for (const auto& [name, value] : values) {
    bytes += static_cast<std::int64_t>(text_size(*value, step_.limits().data_bytes));
    if (const auto old = branch.variables.find(name); old != branch.variables.end()) {
      bytes -= static_cast<std::int64_t>(text_size(*old->second.get(), step_.limits().data_bytes));
    }
  }
  if (bytes > static_cast<std::int64_t>(step_.limits().variable_bytes)) {
    throw failure(kDataLimitExceeded,
                  "The variables of the execution have a size exceeding the maximum number of "
                  "bytes service limit.");
  }
}

void Evaluation::assign(Branch& branch, const Assigned& values) {
  for (const auto& [name, value] : values) {
    Held& place = branch.variables[name];
    auto more = static_cast<std::int64_t>(text_size(*value, step_.limits().data_bytes));
    if (!place.empty()) {
      more -= static_cast<std::int64_t>(text_size(*place.get(), step_.limits().data_bytes));
    }
    place = value;
    branch.variable_bytes += more;
    execution_.variable_bytes += more;
  }
}

void Evaluation::check_size(const Data& data, const std::string& subject) const {
  if (text_size(*data, step_.limits().data_bytes) <= step_.limits().data_bytes) return;
  throw failure(kDataLimitExceeded,
                "The state/task '" + subject +
                    "' returned a result with a size exceeding the maximum number of bytes "
                    "service limit.");
}

std::int64_t Evaluation::map_number(const Setting& setting, const Scope& scope) {
  const query::JsonPath* path = setting.path();
  if (path == nullptr) return whole_number(setting, scope);
  const Data value = setting.evaluate(scope);
  const auto* text = value->if_string();
  if (text != nullptr) {
    if (const auto number = base::parse_int64(*text)) return *number;
  } else if (value->is_int64()) {
    return value->get_int64();
  }
  throw failure(kRuntime, "The " + setting.field + " field refers to value \"" +
                              (text != nullptr ? std::string(*text) : base::to_text(*value)) +
                              "\" which is not a valid integer: " + path->text());
}

std::int64_t Evaluation::whole_number(const Setting& setting, const Scope& scope) {
  const Data value = setting.evaluate(scope);
  const double number = value->is_number() ? value->to_number<double>() : std::nan("");
  if (std::isfinite(number) && number == std::trunc(number) && std::abs(number) < 1e15) {
    return static_cast<std::int64_t>(number);
  }
  if (const QueryExpression* expression = setting.expression()) {
    throw expression->wrong_type("integer", *value);
  }
  throw failure(kRuntime, "The " + setting.field + " field refers to value \"" +
                              (value->is_string() ? std::string(value->get_string())
                                                  : base::to_text(*value)) +
                              "\" which is not a valid integer");
}

}  // namespace andon::asl
