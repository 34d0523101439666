// SPDX-License-Identifier: Apache-2.0
#include "asl/machine.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "asl/path_lookup.hpp"
#include "asl/validator.hpp"
#include "base/error.hpp"

namespace andon::asl {

std::string_view to_string(StateType type) {
  switch (type) {
    case StateType::task:
      return "Task";
    case StateType::pass:
      return "Pass";
    case StateType::choice:
      return "Choice";
    case StateType::wait:
      return "Wait";
    case StateType::succeed:
      return "Succeed";
    case StateType::fail:
      return "Fail";
    case StateType::parallel:
      return "Parallel";
    case StateType::map:
      return "Map";
  }
  return "";
}

Data Setting::evaluate(const Scope& scope) const {
  struct Evaluate {
    const Scope& scope;
    const std::string& field;
    Data operator()(std::monostate /*none*/) const { return make_data(nullptr); }
    Data operator()(const json::value& literal) const { return make_data(literal); }
    Data operator()(const JsonPath& path) const { return require(path, scope, field); }
    Data operator()(const std::shared_ptr<const Intrinsic>& call) const {
      return make_data(call->evaluate(scope));
    }
    Data operator()(const std::shared_ptr<const QueryExpression>& expression) const {
      return make_data(expression->evaluate(scope));
    }
  };
  return std::visit(Evaluate{scope, field}, source);
}

const QueryExpression* Setting::expression() const {
  const auto* held = std::get_if<std::shared_ptr<const QueryExpression>>(&source);
  return held != nullptr ? held->get() : nullptr;
}

Resource Resource::parse(std::string_view arn) {
  Resource resource;
  resource.text = arn;
  std::vector<std::string> parts(1);
  for (const char c : arn) {
    if (c == ':' && parts.size() < 8) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  parts.resize(8);
  if (parts[2] == "lambda") {
    resource.kind = Kind::lambda;
    resource.type = "lambda";
    resource.action = "invoke";
    return resource;
  }
  if (parts[2] == "states" && parts[5] == "activity") {
    resource.kind = Kind::activity;
    resource.type = "activity";
    return resource;
  }
  // arn:aws:states:::lambda:invoke.waitForTaskToken, arn:aws:states:::aws-sdk:iot:describeThing
  resource.type = parts[5];
  resource.action = parts[6];
  if (!parts[7].empty()) {
    if (parts[5] == "aws-sdk") {
      resource.type += ":" + parts[6];
      resource.action = parts[7];
    } else {
      resource.action += ":" + parts[7];
    }
  }
  if (resource.action.ends_with(".waitForTaskToken")) {
    resource.pattern = Pattern::task_token;
  } else if (resource.action.find(".sync") != std::string::npos) {
    resource.pattern = Pattern::sync;
  }
  return resource;
}

const State& Flow::state(std::string_view name) const {
  const auto found = places.find(name);
  if (found == places.end()) {
    throw base::Error(base::ErrorCode::internal,
                      "the state machine has no state '" + std::string(name) + "'");
  }
  return states[found->second];
}

// Turns a definition that has passed validation into flows.
class MachineCompiler {
 public:
  StateMachine compile(const json::object& definition) {
    StateMachine machine;
    if (const auto* comment = definition.if_contains("Comment")) {
      machine.comment_ = comment->as_string();
    }
    if (const auto* seconds = definition.if_contains("TimeoutSeconds")) {
      machine.timeout_seconds_ = seconds->to_number<std::int64_t>();
    }
    language_ = language_of(definition, QueryLanguage::json_path);
    compile_flow(definition);
    for (auto& flow : flows_) machine.flows_.push_back(std::move(flow));
    return machine;
  }

 private:
  static QueryLanguage language_of(const json::object& object, QueryLanguage inherited) {
    const auto* language = object.if_contains("QueryLanguage");
    if (language == nullptr) return inherited;
    return language->as_string() == "JSONata" ? QueryLanguage::jsonata : QueryLanguage::json_path;
  }

  std::size_t compile_flow(const json::object& source) {
    const std::size_t number = flows_.size();
    flows_.emplace_back();
    auto flow = std::make_unique<Flow>();
    flow->number = number;
    flow->start_at = source.at("StartAt").as_string();
    for (const auto& member : source.at("States").as_object()) {
      flow->places[member.key()] = flow->states.size();
      flow->states.push_back(compile_state(member.key(), member.value().as_object()));
    }
    flows_[number] = std::move(flow);
    return number;
  }

  static std::string text(const json::object& source, std::string_view key) {
    const auto* value = source.if_contains(key);
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
  }

  static DataPath data_path(const json::object& source, std::string_view key) {
    const auto* value = source.if_contains(key);
    if (value == nullptr) return {};
    if (value->is_null()) return {DataPath::Kind::nothing, {}};
    JsonPath path = JsonPath::parse(value->as_string());
    if (path.is_root() && path.root() == PathRoot::input) return {};
    return {DataPath::Kind::path, std::move(path)};
  }

  static std::optional<Payload> payload(const json::object& source, std::string_view key,
                                        QueryLanguage language, const std::string& prefix = "") {
    const auto* value = source.if_contains(key);
    if (value == nullptr) return std::nullopt;
    return Payload::compile(*value, language, prefix + std::string(key));
  }

  static Setting setting(const json::object& source, std::string_view key, QueryLanguage language,
                         const std::string& prefix = "") {
    Setting result;
    result.field = prefix + std::string(key);
    if (const auto* value = source.if_contains(key)) {
      const auto* text = value->if_string();
      if (text != nullptr && language == QueryLanguage::jsonata && QueryExpression::is_one(*text)) {
        result.source = std::make_shared<const QueryExpression>(*text, result.field);
      } else {
        result.source = *value;
      }
    } else if (const auto* path = source.if_contains(std::string(key) + "Path")) {
      result.field += "Path";
      const std::string_view path_text = path->as_string();
      if (Intrinsic::looks_like(path_text)) {
        result.source = std::shared_ptr<const Intrinsic>(Intrinsic::parse(path_text));
      } else {
        result.source = JsonPath::parse(path_text);
      }
    }
    return result;
  }

  static Assignments assignments(const json::object& source, QueryLanguage language,
                                 const std::string& prefix = "") {
    Assignments result;
    const auto* assign = source.if_contains("Assign");
    if (assign == nullptr) return result;
    for (const auto& member : assign->as_object()) {
      std::string name = member.key();
      // "x.$" is compiled as the only member of an object, whose value is taken out again.
      if (language == QueryLanguage::json_path && name.ends_with(".$")) {
        name.resize(name.size() - 2);
      }
      json::object single;
      single[member.key()] = member.value();
      result.emplace_back(std::move(name),
                          Payload::compile(std::move(single), language, prefix + "Assign"));
    }
    return result;
  }

  static std::vector<std::string> errors(const json::object& source) {
    std::vector<std::string> names;
    for (const auto& name : source.at("ErrorEquals").as_array()) {
      names.emplace_back(name.as_string());
    }
    return names;
  }

  static Retrier compile_retrier(const json::object& source) {
    Retrier retrier;
    retrier.errors = errors(source);
    const auto integer = [&source](std::string_view key, std::int64_t fallback) {
      const auto* value = source.if_contains(key);
      return value != nullptr ? value->to_number<std::int64_t>() : fallback;
    };
    retrier.interval_seconds = integer("IntervalSeconds", 1);
    retrier.max_attempts = integer("MaxAttempts", 3);
    if (const auto* rate = source.if_contains("BackoffRate")) {
      retrier.backoff_rate = rate->to_number<double>();
    }
    if (source.contains("MaxDelaySeconds"))
      retrier.max_delay_seconds = integer("MaxDelaySeconds", 0);
    retrier.full_jitter = text(source, "JitterStrategy") == "FULL";
    return retrier;
  }

  static Catcher compile_catcher(const json::object& source, QueryLanguage language,
                                 std::size_t index) {
    const std::string prefix = field_item("Catch", index) + "/";
    Catcher catcher;
    catcher.errors = errors(source);
    catcher.next = text(source, "Next");
    catcher.result_path = data_path(source, "ResultPath");
    catcher.output = payload(source, "Output", language, prefix);
    catcher.assign = assignments(source, language, prefix);
    return catcher;
  }

  State compile_state(std::string_view name, const json::object& source) {
    State state;
    state.name = name;
    state.language = language_of(source, language_);
    const QueryLanguage language = state.language;
    state.comment = text(source, "Comment");
    state.next = text(source, "Next");
    state.input_path = data_path(source, "InputPath");
    state.output_path = data_path(source, "OutputPath");
    state.result_path = data_path(source, "ResultPath");
    state.parameters =
        payload(source, language == QueryLanguage::jsonata ? "Arguments" : "Parameters", language);
    state.result_selector = payload(source, "ResultSelector", language);
    state.output = payload(source, "Output", language);
    state.assign = assignments(source, language);
    if (const auto* retry = source.if_contains("Retry")) {
      for (const auto& item : retry->as_array()) {
        state.retry.push_back(compile_retrier(item.as_object()));
      }
    }
    if (const auto* catches = source.if_contains("Catch")) {
      for (const auto& item : catches->as_array()) {
        state.catches.push_back(compile_catcher(item.as_object(), language, state.catches.size()));
      }
    }
    compile_kind(state, source);
    return state;
  }

  void compile_kind(State& state, const json::object& source) {
    const std::string type = text(source, "Type");
    const QueryLanguage language = state.language;
    if (type == "Task") {
      state.type = StateType::task;
      state.resource = Resource::parse(text(source, "Resource"));
      state.timeout = setting(source, "TimeoutSeconds", language);
      state.heartbeat = setting(source, "HeartbeatSeconds", language);
      state.credentials = payload(source, "Credentials", language);
    } else if (type == "Pass") {
      state.type = StateType::pass;
      if (const auto* result = source.if_contains("Result")) {
        state.result = Payload::literal(*result);
      }
    } else if (type == "Choice") {
      state.type = StateType::choice;
      state.default_next = text(source, "Default");
      for (const auto& item : source.at("Choices").as_array()) {
        state.choices.push_back(compile_rule(item.as_object(), language, state.choices.size()));
      }
    } else if (type == "Wait") {
      state.type = StateType::wait;
      state.seconds = setting(source, "Seconds", language);
      state.timestamp = setting(source, "Timestamp", language);
    } else if (type == "Succeed") {
      state.type = StateType::succeed;
    } else if (type == "Fail") {
      state.type = StateType::fail;
      state.error = setting(source, "Error", language);
      state.cause = setting(source, "Cause", language);
    } else if (type == "Parallel") {
      state.type = StateType::parallel;
      for (const auto& branch : source.at("Branches").as_array()) {
        state.branches.push_back(compile_flow(branch.as_object()));
      }
    } else {
      state.type = StateType::map;
      state.map = compile_map(state, source);
    }
  }

  static ChoiceRule compile_rule(const json::object& source, QueryLanguage language,
                                 std::size_t index) {
    const std::string prefix = field_item("Choices", index) + "/";
    ChoiceRule rule;
    rule.next = text(source, "Next");
    rule.assign = assignments(source, language, prefix);
    rule.output = payload(source, "Output", language, prefix);
    if (language == QueryLanguage::json_path) {
      rule.test = ChoiceTest::compile(source);
      return rule;
    }
    const json::value& condition = source.at("Condition");
    if (condition.is_bool()) {
      const std::string constant = condition.get_bool() ? "{% true %}" : "{% false %}";
      rule.condition = std::make_shared<const QueryExpression>(constant, prefix + "Condition");
    } else {
      rule.condition =
          std::make_shared<const QueryExpression>(condition.as_string(), prefix + "Condition");
    }
    return rule;
  }

  MapSettings compile_map(State& state, const json::object& source) {
    const QueryLanguage language = state.language;
    MapSettings map;
    const auto* processor = source.if_contains("ItemProcessor");
    if (processor == nullptr) processor = source.if_contains("Iterator");
    map.flow = compile_flow(processor->as_object());
    if (const auto* config = processor->as_object().if_contains("ProcessorConfig")) {
      map.distributed = text(config->as_object(), "Mode") == "DISTRIBUTED";
      map.express_children = text(config->as_object(), "ExecutionType") == "EXPRESS";
    }
    if (const auto* path = source.if_contains("ItemsPath")) {
      map.items_path = JsonPath::parse(path->as_string());
    }
    map.items = payload(source, "Items", language);
    map.selector = payload(source, "ItemSelector", language);
    if (!map.selector) {
      map.selector = std::move(state.parameters);
      state.parameters.reset();
    }
    map.max_concurrency = setting(source, "MaxConcurrency", language);
    map.tolerated_count = setting(source, "ToleratedFailureCount", language);
    map.tolerated_percentage = setting(source, "ToleratedFailurePercentage", language);
    map.label = text(source, "Label");
    const auto* parameters_key = language == QueryLanguage::jsonata ? "Arguments" : "Parameters";
    if (const auto* reader = source.if_contains("ItemReader")) {
      const json::object& object = reader->as_object();
      ItemReader& item_reader = map.reader.emplace();
      item_reader.resource = text(object, "Resource");
      item_reader.parameters = payload(object, parameters_key, language, "ItemReader/");
      if (const auto* config = object.if_contains("ReaderConfig")) {
        item_reader.config = config->as_object();
        item_reader.max_items =
            setting(item_reader.config, "MaxItems", language, "ItemReader/ReaderConfig/");
      }
    }
    if (const auto* batcher = source.if_contains("ItemBatcher")) {
      const json::object& object = batcher->as_object();
      ItemBatcher& item_batcher = map.batcher.emplace();
      item_batcher.max_items = setting(object, "MaxItemsPerBatch", language, "ItemBatcher/");
      item_batcher.max_bytes = setting(object, "MaxInputBytesPerBatch", language, "ItemBatcher/");
      item_batcher.batch_input = payload(object, "BatchInput", language, "ItemBatcher/");
    }
    if (const auto* writer = source.if_contains("ResultWriter")) {
      const json::object& object = writer->as_object();
      ResultWriter& result_writer = map.writer.emplace();
      result_writer.resource = text(object, "Resource");
      result_writer.parameters = payload(object, parameters_key, language, "ResultWriter/");
      if (const auto* config = object.if_contains("WriterConfig")) {
        result_writer.config = config->as_object();
      }
    }
    return map;
  }

  std::vector<std::unique_ptr<Flow>> flows_;
  QueryLanguage language_ = QueryLanguage::json_path;
};

StateMachine StateMachine::parse(std::string_view definition) {
  const Validation validation = validate_definition(definition);
  if (!validation.ok) {
    std::string problems;
    for (const Diagnostic& problem : validation.diagnostics) {
      if (problem.severity != Severity::error) continue;
      if (!problems.empty()) problems += ", ";
      problems += problem.code + ": " + problem.message;
      if (!problem.location.empty()) problems += " at " + problem.location;
    }
    throw base::Error(base::ErrorCode::invalid_argument,
                      "Invalid State Machine Definition: '" + problems + "'");
  }
  return MachineCompiler().compile(parse_definition_text(definition).as_object());
}

}  // namespace andon::asl
