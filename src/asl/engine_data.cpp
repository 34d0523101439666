// SPDX-License-Identifier: Apache-2.0
#include "asl/engine.hpp"
#include "asl/path_lookup.hpp"

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

const ContextObject& Engine::context_of(const Branch& branch) {
  ContextObject::Parts parts;
  parts.execution = {{"Id", execution_.arn},
                     {"Name", execution_.name},
                     {"RoleArn", execution_.role_arn},
                     {"StartTime", base::to_iso8601(execution_.started_at)},
                     {"RedriveCount", 0}};
  parts.execution_input = execution_.input;
  parts.state_machine = {{"Id", execution_.machine_arn}, {"Name", execution_.machine_name}};
  parts.state = {{"Name", branch.state}, {"EnteredTime", base::to_iso8601(branch.entered_at)}};
  const StateType type = state_of(branch).type;
  if (type == StateType::task || type == StateType::parallel || type == StateType::map) {
    parts.state["RetryCount"] = branch.retry_count;
  }
  if (!branch.task_token.empty()) parts.task_token = branch.task_token;
  for (const Branch* at = &branch; at != nullptr; at = find(at->parent)) {
    if (at->item) {
      parts.item = at->item;
      break;
    }
  }
  context_ = std::make_unique<ContextObject>(std::move(parts));
  return *context_;
}

Scope Engine::scope_of(const Branch& branch, Data input) {
  Scope scope;
  scope.input = std::move(input);
  if (context_ == nullptr) (void)context_of(branch);
  scope.context = context_.get();
  for (const Branch* at = &branch; at != nullptr; at = find(at->parent)) {
    if (!at->variables.empty()) scope.variables.push_back(&at->variables);
  }
  scope.random = &random_;
  scope.now = now_;
  return scope;
}

Data Engine::effective_input(const Branch& branch, const State& state) {
  if (state.language == QueryLanguage::jsonata || state.input_path.kind == DataPath::Kind::whole) {
    return branch.input;
  }
  if (state.input_path.kind == DataPath::Kind::nothing) return make_data(json::object());
  const JsonPath& path = state.input_path.path;
  if (auto found = look_up(path, scope_of(branch, branch.input))) return *std::move(found);
  throw failure(kRuntime, "Invalid path '" + path.text() +
                              "' : No results for path: " + normalised_path_text(path));
}

Data Engine::apply_output_path(const Branch& branch, const State& state, const Data& output) {
  if (state.output_path.kind == DataPath::Kind::whole) return output;
  if (state.output_path.kind == DataPath::Kind::nothing) return make_data(json::object());
  const JsonPath& path = state.output_path.path;
  if (auto found = look_up(path, scope_of(branch, output))) return *std::move(found);
  throw failure(kRuntime, "Invalid path '" + path.text() +
                              "' : No results for path: " + normalised_path_text(path));
}

Assigned Engine::evaluate_assignments(const Assignments& assignments, const Scope& scope) {
  const auto too_large = [](const std::string& subject) {
    return failure(kDataLimitExceeded,
                   subject + " with a size exceeding the maximum number of bytes service limit.");
  };
  Assigned values;
  std::size_t together = 0;
  for (const auto& [name, payload] : assignments) {
    const Data holder = payload.evaluate(scope);
    Data value = part_of(holder, holder->as_object().at(name));
    const std::size_t size = text_size(*value, limits_.data_bytes);
    if (size > limits_.data_bytes) {
      throw too_large("The variable '" + name + "' was assigned a value");
    }
    together += size;
    values.emplace_back(name, std::move(value));
  }
  if (together > limits_.data_bytes) {
    throw too_large("The variables of the field 'Assign' were assigned values");
  }
  return values;
}

void Engine::check_variables(const Branch& branch, const Assigned& values) const {
  if (values.empty()) return;
  std::int64_t bytes = 0;
  for (const auto& [id, other] : execution_.branches) bytes += other.variable_bytes;
  for (const auto& [name, value] : values) {
    bytes += static_cast<std::int64_t>(text_size(*value, limits_.data_bytes));
    if (const auto old = branch.variables.find(name); old != branch.variables.end()) {
      bytes -= static_cast<std::int64_t>(text_size(*old->second, limits_.data_bytes));
    }
  }
  if (bytes > static_cast<std::int64_t>(limits_.variable_bytes)) {
    throw failure(kDataLimitExceeded,
                  "The variables of the execution have a size exceeding the maximum number of "
                  "bytes service limit.");
  }
}

void Engine::assign(Branch& branch, const Assigned& values) {
  for (const auto& [name, value] : values) {
    Data& place = branch.variables[name];
    if (place != nullptr) {
      branch.variable_bytes -= static_cast<std::int64_t>(text_size(*place, limits_.data_bytes));
    }
    place = value;
    branch.variable_bytes += static_cast<std::int64_t>(text_size(*place, limits_.data_bytes));
  }
}

void Engine::check_size(const Data& data, const std::string& subject) const {
  if (text_size(*data, limits_.data_bytes) <= limits_.data_bytes) return;
  throw failure(kDataLimitExceeded,
                "The state/task '" + subject +
                    "' returned a result with a size exceeding the maximum number of bytes "
                    "service limit.");
}

}  // namespace andon::asl
