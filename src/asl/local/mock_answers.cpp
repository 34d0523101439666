// SPDX-License-Identifier: Apache-2.0
#include "asl/local/mock_answers.hpp"

#include <optional>

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "base/text/number.hpp"
#include "base/text/split.hpp"

namespace andon::asl {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::size_t kMostAttempts = 10'000;  // of a response; a history has 25,000 events

const base::JsonReading kReading{.places = base::JsonReading::Places::as_pointer};

[[noreturn]] void refuse(const std::string& what) {
  throw Error(ErrorCode::invalid_argument, "the mock file: " + what);
}

LocalAnswer read_answer(const json::value& value, const std::string& where) {
  const auto* object = value.if_object();
  const auto* result = object != nullptr ? object->if_contains("result") : nullptr;
  const auto* error = object != nullptr ? object->if_contains("error") : nullptr;
  if ((result == nullptr) == (error == nullptr) || (error != nullptr && !error->is_string())) {
    throw Error(ErrorCode::invalid_argument,
                "mock answer " + where +
                    " must be an object with either 'result' or 'error' (and 'cause')");
  }
  if (result != nullptr) return {make_data(*result), "", ""};
  const auto* cause = object->if_contains("cause");
  return {nullptr, std::string(error->get_string()),
          cause != nullptr && cause->is_string() ? std::string(cause->get_string()) : ""};
}

// "Return" with anything, or "Throw" with "Error" and "Cause".
LocalAnswer read_step(const json::value& value, const std::string& where) {
  const json::object* object = value.if_object();
  const json::value* returned = object != nullptr ? object->if_contains("Return") : nullptr;
  const json::value* thrown = object != nullptr ? object->if_contains("Throw") : nullptr;
  if ((returned == nullptr) == (thrown == nullptr)) {
    refuse(where + " must have either 'Return' or 'Throw'");
  }
  if (returned != nullptr) return {make_data(*returned), "", ""};
  const base::JsonReader reader(*thrown, "the mock file: " + where + "/Throw", kReading);
  const std::string name = reader.optional_string("Error").value_or("");
  if (name.empty()) refuse(where + "/Throw needs an 'Error'");
  return {nullptr, name, reader.optional_string("Cause").value_or("")};
}

struct Attempts {
  std::size_t first = 0;
  std::size_t last = 0;
};

// "0" or "1-2".
std::optional<Attempts> read_attempts(std::string_view text) {
  std::string_view rest = text;
  const auto first = base::parse_integer<std::size_t>(base::take_part(rest, '-'));
  const bool is_range = text.find('-') != std::string_view::npos;
  const auto last = is_range ? base::parse_integer<std::size_t>(rest) : first;
  if (!first || !last) return std::nullopt;
  const Attempts attempts{*first, *last};
  if (attempts.last < attempts.first || attempts.last >= kMostAttempts) return std::nullopt;
  return attempts;
}

struct TestCase {
  std::string machine;
  std::string name;
  const json::object* states;
};

std::vector<TestCase> test_cases(const base::JsonReader& file) {
  std::vector<TestCase> all;
  const base::JsonReader machines = file.child("StateMachines");
  for (const auto& machine : machines.object()) {
    const base::JsonReader cases = machines.child(machine.key()).child("TestCases");
    for (const auto& it : cases.object()) {
      all.push_back({machine.key(), it.key(), &cases.child(it.key()).object()});
    }
  }
  return all;
}

const TestCase& choose(const std::vector<TestCase>& all, std::string_view wanted) {
  const TestCase* chosen = nullptr;
  std::string names;
  std::size_t matches = 0;
  for (const TestCase& it : all) {
    const std::string full = it.machine + "/" + it.name;
    names += (names.empty() ? "" : ", ") + full;
    if (!wanted.empty() && wanted != it.name && wanted != full) continue;
    chosen = &it;
    ++matches;
  }
  if (matches == 1) return *chosen;
  if (names.empty()) refuse("it has no test cases");
  if (wanted.empty()) refuse("say which test case is meant (--test-case): " + names);
  if (matches > 1) refuse("several test cases are called '" + std::string(wanted) + "': " + names);
  throw Error(ErrorCode::not_found,
              "the mock file has no test case '" + std::string(wanted) + "'; it has " + names);
}

}  // namespace

MockAnswers::Script MockAnswers::read_response(const json::object& responses,
                                               const std::string& name) {
  std::map<std::size_t, std::pair<std::size_t, LocalAnswer>> steps;
  const base::JsonReader reader(responses, "the mock file: /MockedResponses", kReading);
  for (const auto& step : reader.child(name).object()) {
    const std::string key = step.key();
    const std::string where = "MockedResponses/" + name + "/" + key;
    const auto attempts = read_attempts(key);
    if (!attempts) {
      refuse(where + " must be called after attempts, such as 0 or 1-2, below " +
             std::to_string(kMostAttempts));
    }
    const bool is_new =
        steps.emplace(attempts->first, std::pair{attempts->last, read_step(step.value(), where)})
            .second;
    if (!is_new) refuse(where + " answers an attempt that another one answers, too");
  }
  Script script;
  for (const auto& [first, step] : steps) {
    if (first != script.answers.size()) {
      refuse("MockedResponses/" + name + " answers attempt " +
             std::to_string(std::min(first, script.answers.size())) +
             (first < script.answers.size() ? " twice" : " not at all"));
    }
    script.answers.insert(script.answers.end(), step.first - first + 1, step.second);
  }
  return script;
}

MockAnswers MockAnswers::read_test_case(const json::object& document, std::string_view test_case) {
  const base::JsonReader file(document, "the mock file: ", kReading);
  const std::vector<TestCase> all = test_cases(file);
  const TestCase& chosen = choose(all, test_case);
  const json::object& responses = file.child("MockedResponses").object();
  MockAnswers answers;
  for (const auto& state : *chosen.states) {
    const std::string name = state.key();
    if (!state.value().is_string()) {
      refuse("test case " + chosen.name + ": state '" + name + "' needs the name of a response");
    }
    answers.scripts_[name] = read_response(responses, std::string(state.value().get_string()));
  }
  return answers;
}

MockAnswers MockAnswers::read_own_form(const json::object& document) {
  MockAnswers answers;
  for (const auto& state : document) {
    const std::string name = state.key();
    Script& script = answers.scripts_[name];
    if (const auto* list = state.value().if_array()) {
      for (std::size_t i = 0; i < list->size(); ++i) {
        script.answers.push_back(read_answer((*list)[i], name + "[" + std::to_string(i) + "]"));
      }
    } else {
      script.answers.push_back(read_answer(state.value(), name));
      script.repeats = true;
    }
  }
  return answers;
}

MockAnswers MockAnswers::parse(std::string_view text, std::string_view test_case) {
  const json::value document = base::parse_json(text, "the mock file", {.max_depth = 100});
  const auto* object = document.if_object();
  if (object == nullptr) {
    throw Error(ErrorCode::invalid_argument,
                "the mock file must be an object of answers by state name");
  }
  if (object->contains("StateMachines") && object->contains("MockedResponses")) {
    return read_test_case(*object, test_case);
  }
  if (!test_case.empty()) refuse("it has no test cases: there are no StateMachines in it");
  return read_own_form(*object);
}

LocalAnswer MockAnswers::take(const std::string& state) {
  const auto found = scripts_.find(state);
  const std::size_t attempt = found == scripts_.end() ? 0 : found->second.used;
  if (found == scripts_.end() ||
      (attempt >= found->second.answers.size() && !found->second.repeats)) {
    throw Error(ErrorCode::not_found, "the mock file has no answer for state '" + state +
                                          "', attempt " + std::to_string(attempt) +
                                          "; add {\"result\": ...} or {\"error\": ..., "
                                          "\"cause\": ...}");
  }
  Script& script = found->second;
  ++script.used;
  return script.answers[script.repeats ? 0 : attempt];
}

}  // namespace andon::asl
