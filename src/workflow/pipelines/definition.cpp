// SPDX-License-Identifier: Apache-2.0
#include "workflow/pipelines/definition.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "base/text/ascii.hpp"
#include "base/text/number.hpp"
#include "base/text/split.hpp"
#include "workflow/pipelines/expressions.hpp"

namespace andon::workflow {
namespace {

using base::JsonReader;

constexpr std::size_t kMaxDepth = 64;
constexpr std::size_t kMostParameters = 200;
constexpr std::size_t kMostFiles = 20;
constexpr std::size_t kMostPolicies = 20;
constexpr std::size_t kMostNameBytes = 64;
constexpr std::size_t kMostParameterBytes = 256;
constexpr std::size_t kMostValueBytes = 1024;
constexpr int kMostNesting = 8;  // of conditions in conditions

constexpr std::array<std::pair<std::string_view, StepType>, 5> kTypes = {{
    {"Processing", StepType::processing},
    {"Training", StepType::training},
    {"RegisterModel", StepType::register_model},
    {"Condition", StepType::condition},
    {"Fail", StepType::fail},
}};
constexpr std::array<std::pair<std::string_view, PipelineParameter::Type>, 4> kParameterTypes = {{
    {"String", PipelineParameter::Type::string},
    {"Integer", PipelineParameter::Type::integer},
    {"Float", PipelineParameter::Type::real},
    {"Boolean", PipelineParameter::Type::boolean},
}};
constexpr std::array<std::string_view, 5> kRetried = {
    "Step.SERVICE_FAULT", "Step.THROTTLING", "SageMaker.JOB_INTERNAL_ERROR",
    "SageMaker.CAPACITY_ERROR", "SageMaker.RESOURCE_LIMIT"};

bool is_name(std::string_view text, std::size_t most) {
  return text.size() <= most && base::is_name_of(text, "-_");
}

bool fits(PipelineParameter::Type type, const json::value& value) {
  switch (type) {
    case PipelineParameter::Type::string:
      return value.is_string();
    case PipelineParameter::Type::integer:
      return value.is_int64();
    case PipelineParameter::Type::real:
      return value.is_number();
    case PipelineParameter::Type::boolean:
      return value.is_bool();
  }
  return false;
}

PipelineParameter read_parameter(const JsonReader& reader) {
  reader.allow_only({"Name", "Type", "DefaultValue", "EnumValues"});
  PipelineParameter parameter{.name = reader.required_text("Name"), .standard = {}, .choices = {}};
  if (!is_name(parameter.name, kMostParameterBytes)) {
    reader.fail("Name", "must be 1 to 256 letters, digits, '-', '_'");
  }
  if (!reader.has("Type")) reader.fail("Type", "is missing");
  parameter.type = *reader.choice("Type", kParameterTypes);
  if (const json::array* choices = reader.optional_array("EnumValues")) {
    parameter.choices = *choices;
  }
  if (const json::value* standard = reader.find("DefaultValue")) {
    if (!fits(parameter.type, *standard)) reader.fail("DefaultValue", "is of another type");
    parameter.standard = *standard;
  }
  return parameter;
}

// How many waits fit into ExpireAfterMin, each longer than the one before.
std::int64_t attempts_within(std::int64_t minutes, std::int64_t interval_s, double backoff) {
  constexpr std::int64_t kMost = 100;
  double left = static_cast<double>(minutes) * 60;
  auto wait = static_cast<double>(std::max<std::int64_t>(1, interval_s));
  std::int64_t attempts = 0;
  while (attempts < kMost && left >= wait) {
    left -= wait;
    wait *= backoff;
    ++attempts;
  }
  return attempts;
}

RetryPolicy read_retry(const JsonReader& reader) {
  reader.allow_only({"ExceptionType", "IntervalSeconds", "BackoffRate", "MaxAttempts",
                     "ExpireAfterMin", "FailureReasonRegex"});
  if (reader.has("FailureReasonRegex")) {
    reader.fail("FailureReasonRegex", "is not looked at here; leave it out");
  }
  RetryPolicy policy;
  policy.errors = reader.strings("ExceptionType", kRetried.size() + 1);
  if (policy.errors.empty()) reader.fail("ExceptionType", "is missing");
  for (const std::string& error : policy.errors) {
    if (std::ranges::find(kRetried, error) == kRetried.end()) {
      reader.fail("ExceptionType", "has '" + error.substr(0, 100) +
                                       "' and must be of Step.SERVICE_FAULT, Step.THROTTLING, "
                                       "SageMaker.JOB_INTERNAL_ERROR, SageMaker.CAPACITY_ERROR, "
                                       "SageMaker.RESOURCE_LIMIT");
    }
  }
  policy.interval_s = reader.optional_integer("IntervalSeconds", 1, 86'400).value_or(1);
  policy.backoff = reader.optional_number("BackoffRate").value_or(2);
  if (!(policy.backoff >= 1 && policy.backoff <= 100)) {
    reader.fail("BackoffRate", "must be from 1 to 100");
  }
  const auto attempts = reader.optional_integer("MaxAttempts", 1, 20);
  const auto minutes = reader.optional_integer("ExpireAfterMin", 1, 14'400);
  if (attempts.has_value() == minutes.has_value()) {
    reader.fail("MaxAttempts", "or ExpireAfterMin must be given, and not both");
  }
  policy.attempts =
      attempts ? *attempts : attempts_within(*minutes, policy.interval_s, policy.backoff);
  return policy;
}

class StepReader {
 public:
  std::vector<PipelineStep> read(const std::vector<JsonReader>& readers, int depth) {
    std::vector<PipelineStep> steps;
    if (!readers.empty() && depth > kMostNesting) {
      readers.front().fail("Name", "lies in more than 8 conditions");
    }
    for (const JsonReader& reader : readers) steps.push_back(read_step(reader, depth));
    return steps;
  }

 private:
  PipelineStep read_step(const JsonReader& reader, int depth) {
    reader.allow_only({"Name", "Type", "DisplayName", "Description", "Arguments", "DependsOn",
                       "CacheConfig", "PropertyFiles", "RetryPolicies"});
    PipelineStep step;
    step.name = reader.required_text("Name");
    if (!is_name(step.name, kMostNameBytes)) {
      reader.fail("Name", "must be 1 to 64 letters, digits, '-', '_'");
    }
    if (!names_.insert(step.name).second) reader.fail("Name", "is there twice: " + step.name);
    if (names_.size() > kMostSteps) reader.fail("Name", "is that of more than 50 steps");
    step.display_name = reader.optional_string("DisplayName").value_or("").substr(0, 256);
    step.description = reader.optional_string("Description").value_or("").substr(0, 3072);
    step.type = read_type(reader);
    step.arguments = reader.child("Arguments").object();
    step.depends = reader.strings("DependsOn", kMostSteps);
    for (const JsonReader& file : reader.children("PropertyFiles")) {
      step.files.push_back(read_file(file));
    }
    if (step.files.size() > kMostFiles) reader.fail("PropertyFiles", "has more than 20 files");
    if (!step.files.empty() && step.type != StepType::processing) {
      reader.fail("PropertyFiles", "are of Processing steps only");
    }
    for (const JsonReader& policy : reader.children("RetryPolicies")) {
      step.retries.push_back(read_retry(policy));
    }
    if (step.retries.size() > kMostPolicies) reader.fail("RetryPolicies", "has more than 20");
    read_arguments(JsonReader(step.arguments, reader.place("Arguments")), step, depth);
    return step;
  }

  static StepType read_type(const JsonReader& reader) {
    const std::string type = reader.required_text("Type");
    for (const auto& [name, value] : kTypes) {
      if (name == type) return value;
    }
    throw base::Error(base::ErrorCode::unsupported,
                      reader.place("Type") + " is '" + type.substr(0, 100) +
                          "'; the steps that run here are Processing, Training, RegisterModel, "
                          "Condition and Fail");
  }

  static PropertyFile read_file(const JsonReader& reader) {
    reader.allow_only({"PropertyFileName", "OutputName", "FilePath"});
    PropertyFile file{.name = reader.required_text("PropertyFileName"),
                      .output = reader.required_text("OutputName"),
                      .path = reader.required_text("FilePath")};
    const auto parts = base::split(file.path, '/');
    const bool is_good =
        file.path.size() <= 1024 && std::ranges::none_of(parts, [](std::string_view part) {
          return part.empty() || part == "." || part == "..";
        });
    if (!is_good) reader.fail("FilePath", "is no path below the output");
    return file;
  }

  void read_arguments(const JsonReader& arguments, PipelineStep& step, int depth) {
    const auto note = [&step](const Reference& reference) {
      if (reference.root == Reference::Root::step) step.refers.insert(reference.name);
    };
    if (step.type != StepType::condition) {
      visit_references(step.arguments, note);
      if (step.type == StepType::fail && !arguments.has("ErrorMessage")) {
        arguments.fail("ErrorMessage", "is missing");
      }
      return;
    }
    arguments.allow_only({"Conditions", "IfSteps", "ElseSteps"});
    const json::array* conditions = arguments.optional_array("Conditions");
    if (conditions == nullptr || conditions->empty()) {
      arguments.fail("Conditions", "is missing or empty");
    }
    check_conditions(*conditions, note);
    step.if_steps = read(arguments.children("IfSteps"), depth + 1);
    step.else_steps = read(arguments.children("ElseSteps"), depth + 1);
    // They are read; what is kept of the arguments is what a condition needs when it is asked.
    step.arguments = json::object{{"Conditions", *conditions}};
  }

  std::set<std::string> names_;
};

const PipelineStep* find_in(const std::vector<PipelineStep>& steps, std::string_view name) {
  for (const PipelineStep& step : steps) {
    if (step.name == name) return &step;
    for (const auto* inner : {&step.if_steps, &step.else_steps}) {
      if (const PipelineStep* found = find_in(*inner, name)) return found;
    }
  }
  return nullptr;
}

// What the steps refer to and is not among them; their own references are narrowed to those that
// are.
std::set<std::string> settle(std::vector<PipelineStep>& steps) {
  std::set<std::string> names;
  for (const PipelineStep& step : steps) names.insert(step.name);
  std::set<std::string> outside;
  for (PipelineStep& step : steps) {
    std::set<std::string> asked(step.depends.begin(), step.depends.end());
    asked.insert(step.refers.begin(), step.refers.end());
    for (auto* inner : {&step.if_steps, &step.else_steps}) asked.merge(settle(*inner));
    step.refers.clear();
    for (const std::string& name : asked) {
      (names.contains(name) ? step.refers : outside).insert(name);
    }
  }
  return outside;
}

class ReferenceCheck {
 public:
  explicit ReferenceCheck(const PipelineDefinition& definition) : definition_(definition) {}

  void check(const std::vector<PipelineStep>& steps) const {
    (void)in_order(steps);
    for (const PipelineStep& step : steps) {
      const auto look = [&](const Reference& reference) { check_one(step, reference); };
      const json::value* conditions = step.arguments.if_contains("Conditions");
      if (step.type == StepType::condition && conditions != nullptr) {
        check_conditions(conditions->as_array(), look);
      } else {
        visit_references(step.arguments, look);
      }
      check(step.if_steps);
      check(step.else_steps);
    }
  }

 private:
  void check_one(const PipelineStep& step, const Reference& reference) const {
    constexpr std::array<std::string_view, 6> kExecution = {
        "PipelineName",         "PipelineArn",   "PipelineExecutionId",
        "PipelineExecutionArn", "StartDateTime", "CurrentDateTime"};
    const auto refuse = [&step](const std::string& message) {
      throw base::Error(base::ErrorCode::invalid_argument,
                        "step '" + step.name + "' refers to " + message);
    };
    if (reference.root == Reference::Root::parameter) {
      if (definition_.parameter(reference.name) == nullptr) {
        refuse("the parameter '" + reference.name + "', which is not among Parameters");
      }
      return;
    }
    if (reference.root == Reference::Root::execution) {
      if (std::ranges::find(kExecution, reference.name) == kExecution.end()) {
        refuse("Execution." + reference.name + ", which there is not");
      }
      return;
    }
    const PipelineStep* of = definition_.find(reference.name);  // settled: it is there
    const auto* first = std::get_if<std::string>(&reference.path.front());
    if (of == nullptr || first == nullptr || *first != "PropertyFiles") return;
    const auto* name =
        reference.path.size() > 1 ? std::get_if<std::string>(&reference.path[1]) : nullptr;
    const bool is_there = name != nullptr && std::ranges::any_of(of->files, [&](const auto& file) {
                            return file.name == *name;
                          });
    if (!is_there) refuse("a property file that step '" + reference.name + "' does not have");
  }

  const PipelineDefinition& definition_;
};

json::value parse_value(const PipelineParameter& parameter, const std::string& text) {
  switch (parameter.type) {
    case PipelineParameter::Type::string:
      return json::value(text);
    case PipelineParameter::Type::integer:
      if (const auto number = base::parse_int64(text)) return *number;
      break;
    case PipelineParameter::Type::real:
      if (const auto number = base::parse_number(text); number && std::isfinite(*number)) {
        return *number;
      }
      break;
    case PipelineParameter::Type::boolean:
      if (base::equal_ignoring_case(text, "true")) return true;
      if (base::equal_ignoring_case(text, "false")) return false;
      break;
  }
  throw base::Error(
      base::ErrorCode::invalid_argument,
      "PipelineParameters: the value of '" + parameter.name + "' is not of the parameter's type");
}

}  // namespace

std::string_view to_string(StepType type) {
  for (const auto& [name, one] : kTypes) {
    if (one == type) return name;
  }
  return {};
}

const PipelineStep* PipelineDefinition::find(std::string_view name) const {
  return find_in(steps, name);
}

const PipelineParameter* PipelineDefinition::parameter(std::string_view name) const {
  const auto found = std::ranges::find_if(
      parameters, [name](const PipelineParameter& one) { return one.name == name; });
  return found == parameters.end() ? nullptr : &*found;
}

PipelineDefinition parse_pipeline(std::string_view text) {
  const json::value document = base::parse_json(
      text, "PipelineDefinition", {.max_bytes = kMostDefinitionBytes, .max_depth = kMaxDepth});
  const JsonReader reader(document, "PipelineDefinition");
  reader.allow_only({"Version", "Metadata", "Parameters", "PipelineExperimentConfig", "Steps"});
  if (reader.required_text("Version") != "2020-12-01") {
    reader.fail("Version", "must be 2020-12-01");
  }
  PipelineDefinition definition;
  for (const JsonReader& one : reader.children("Parameters")) {
    if (definition.parameters.size() == kMostParameters) {
      reader.fail("Parameters", "has more than 200 parameters");
    }
    PipelineParameter parameter = read_parameter(one);
    if (definition.parameter(parameter.name) != nullptr) {
      one.fail("Name", "is there twice: " + parameter.name);
    }
    definition.parameters.push_back(std::move(parameter));
  }
  definition.steps = StepReader().read(reader.children("Steps"), 0);
  if (definition.steps.empty()) reader.fail("Steps", "is missing or empty");
  const std::set<std::string> unknown = settle(definition.steps);
  if (!unknown.empty()) {
    throw base::Error(base::ErrorCode::invalid_argument,
                      "PipelineDefinition: there is no step '" + unknown.begin()->substr(0, 100) +
                          "' where it is referred to (a step inside a condition is seen by the "
                          "steps of its branch only)");
  }
  ReferenceCheck(definition).check(definition.steps);
  return definition;
}

json::object parameter_values(const PipelineDefinition& definition,
                              const std::map<std::string, std::string>& given) {
  const auto refuse = [](const std::string& message) {
    throw base::Error(base::ErrorCode::invalid_argument, "PipelineParameters: " + message);
  };
  for (const auto& [name, value] : given) {
    if (definition.parameter(name) == nullptr) {
      refuse("the pipeline has no parameter '" + name.substr(0, 100) + "'");
    }
    if (value.size() > kMostValueBytes) refuse("'" + name + "' has more than 1024 bytes");
  }
  json::object values;
  for (const PipelineParameter& parameter : definition.parameters) {
    const auto found = given.find(parameter.name);
    if (found != given.end()) {
      values[parameter.name] = parse_value(parameter, found->second);
    } else if (parameter.standard) {
      values[parameter.name] = *parameter.standard;
    } else {
      refuse("'" + parameter.name + "' has no default value and is not given");
    }
    const json::value& value = values.at(parameter.name);
    if (!parameter.choices.empty() &&
        std::ranges::find(parameter.choices, value) == parameter.choices.end()) {
      refuse("'" + parameter.name + "' must be one of " + base::to_text(parameter.choices));
    }
  }
  return values;
}

std::vector<std::vector<const PipelineStep*>> in_order(const std::vector<PipelineStep>& steps) {
  std::vector<std::vector<const PipelineStep*>> groups;
  std::set<std::string> done;
  while (done.size() < steps.size()) {
    std::vector<const PipelineStep*> group;
    for (const PipelineStep& step : steps) {
      const bool is_ready =
          !done.contains(step.name) &&
          std::ranges::all_of(step.refers, [&](const auto& name) { return done.contains(name); });
      if (is_ready) group.push_back(&step);
    }
    if (group.empty()) {
      for (const PipelineStep& step : steps) {
        if (done.contains(step.name)) continue;
        throw base::Error(base::ErrorCode::invalid_argument,
                          "PipelineDefinition: step '" + step.name +
                              "' waits for itself, by DependsOn or what it refers to");
      }
    }
    for (const PipelineStep* step : group) done.insert(step->name);
    groups.push_back(std::move(group));
  }
  return groups;
}

}  // namespace andon::workflow
