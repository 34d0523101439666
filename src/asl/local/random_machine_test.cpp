// SPDX-License-Identifier: Apache-2.0
// Machines drawn at random: none may get stuck, and one that is stored between all steps, gone on
// with or loaded anew, must end like one that runs through, with no record left behind.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "asl/definition/validator.hpp"
#include "asl/local/local_run.hpp"
#include "asl/testing/memory_records.hpp"
#include "base/error/error.hpp"
#include "query/document/random.hpp"

namespace andon::asl {
namespace {

// Draws definitions that pass validation; their states fail in many ways when they run.
class MachineWriter {
 public:
  explicit MachineWriter(std::uint64_t seed) : random_(seed) {}

  json::object machine() {
    json::object flow = draw_flow(0);
    if (chance(3)) flow["TimeoutSeconds"] = 1 + pick(40);
    return flow;
  }
  json::object answers() {
    json::object mock;
    for (const std::string& task : tasks_) {
      json::array list;
      for (int i = 0; i < 40; ++i) list.push_back(draw_answer());
      mock[task] = std::move(list);
    }
    return mock;
  }

 private:
  std::int64_t pick(std::int64_t count) {
    return static_cast<std::int64_t>(random_.next() % static_cast<std::uint64_t>(count));
  }
  bool chance(std::int64_t one_in) { return pick(one_in) == 0; }
  template <std::size_t Count>
  std::string pick_of(const std::array<const char*, Count>& values) {
    return values.at(static_cast<std::size_t>(pick(Count)));
  }

  json::value draw_answer() {
    static constexpr std::array kErrors = {"E",
                                           "F",
                                           "States.Timeout",
                                           "States.DataLimitExceeded",
                                           "States.Runtime",
                                           "States.TaskFailed"};
    if (chance(3)) return json::object{{"error", pick_of(kErrors)}, {"cause", "c"}};
    return json::object{{"result", draw_value()}};
  }
  json::value draw_value() {
    switch (pick(6)) {
      case 0:
        return pick(5);
      case 1:
        return json::array{1, json::object{{"n", pick(3)}}, "x"};
      case 2:
        return json::object{{"n", pick(3)}, {"l", json::array{1, 2, 3}}};
      case 3:
        return nullptr;
      default:
        return json::object{{"n", pick(9)}, {"l", json::array{json::object{{"n", 1}}, 2}}};
    }
  }
  std::string draw_path() {
    static constexpr std::array kPaths = {"$",
                                          "$.n",
                                          "$.l",
                                          "$.l[0]",
                                          "$$",
                                          "$.l[*].n",
                                          "$$.State.Name",
                                          "$.missing",
                                          "$$.Execution.Input",
                                          "$..n"};
    return pick_of(kPaths);
  }

  std::string new_name() { return "S" + std::to_string(names_++); }

  json::object draw_flow(int depth) {
    const std::int64_t count = 1 + pick(4);
    std::vector<std::string> names;
    for (std::int64_t i = 0; i < count; ++i) names.push_back(new_name());
    const std::string end = new_name();
    json::object states;
    for (std::size_t i = 0; i < names.size(); ++i) {
      const std::string& next = i + 1 < names.size() ? names[i + 1] : end;
      states[names[i]] = draw_state(names[i], next, names, depth);
    }
    states[end] = chance(4) ? json::object{{"Type", "Fail"}, {"Error", "Last"}}
                            : json::object{{"Type", "Succeed"}};
    return {{"StartAt", names.front()}, {"States", std::move(states)}};
  }

  json::object draw_state(const std::string& name, const std::string& next,
                          const std::vector<std::string>& names, int depth) {
    json::object state;
    switch (pick(depth < 3 ? 8 : 5)) {
      case 0:
        state = {{"Type", "Pass"}};
        if (chance(2)) state["Parameters"] = json::object{{"n", pick(4)}, {"l.$", draw_path()}};
        break;
      case 1:
        return draw_choice(next, names);
      case 2:
        state = {{"Type", "Wait"}, {"Seconds", pick(20)}};
        if (chance(3)) {
          state.erase("Seconds");
          state["SecondsPath"] = "$.n";
        }
        break;
      case 3:
        state = {{"Type", "Pass"},
                 {"QueryLanguage", "JSONata"},
                 {"Output", json::object{{"n", "{% $count($states.input) %}"},
                                         {"l", "{% $states.input.l %}"}}}};
        if (chance(2)) state["Output"] = "{% $states.input.n + 1 %}";
        break;
      case 5:
        state = {{"Type", "Parallel"},
                 {"Branches", json::array{draw_flow(depth + 1), draw_flow(depth + 1)}}};
        break;
      case 6:
      case 7:
        state = draw_map(depth);
        break;
      default:
        state = {{"Type", "Task"}, {"Resource", "arn:aws:states:::sqs:sendMessage"}};
        tasks_.push_back(name);
        if (chance(3)) state["TimeoutSeconds"] = 5 + pick(9);
        if (chance(3)) state["HeartbeatSeconds"] = 1 + pick(4);
    }
    const std::string type(state["Type"].as_string());  // a copy: the object grows
    const bool jsonata = state.contains("QueryLanguage");
    if (!jsonata && chance(4)) state["InputPath"] = draw_path();
    if (!jsonata && chance(4)) state["OutputPath"] = draw_path();
    if (!jsonata && type != "Wait" && chance(4)) state["ResultPath"] = "$.r.s";
    if (chance(4)) state["Assign"] = json::object{{"v" + name, pick(3)}};
    if (type == "Task" || type == "Parallel" || type == "Map") add_handlers(state, next);
    state["Next"] = next;
    return state;
  }

  json::object draw_choice(const std::string& next, const std::vector<std::string>& names) {
    const std::string back =
        names.at(static_cast<std::size_t>(pick(static_cast<std::int64_t>(names.size()))));
    json::object rule{{"Variable", draw_path()}, {"NumericEquals", pick(4)}, {"Next", back}};
    if (chance(2)) {
      rule = {{"And", json::array{json::object{{"Variable", "$.n"}, {"IsPresent", true}},
                                  json::object{{"Variable", "$.n"}, {"NumericLessThan", 3}}}},
              {"Next", back}};
    }
    return {{"Type", "Choice"}, {"Choices", json::array{std::move(rule)}}, {"Default", next}};
  }

  json::object draw_map(int depth) {
    json::object processor = draw_flow(depth + 1);
    json::object map{{"Type", "Map"}};
    if (chance(2)) map["ItemsPath"] = "$.l";
    if (chance(2)) map["MaxConcurrency"] = pick(3);
    if (chance(3)) map["ItemSelector"] = json::object{{"n.$", "$$.Map.Item.Index"}};
    if (chance(3)) {
      processor["ProcessorConfig"] =
          json::object{{"Mode", "DISTRIBUTED"}, {"ExecutionType", "STANDARD"}};
      if (chance(2)) map["ToleratedFailurePercentage"] = pick(101);
      if (chance(2)) map["ItemBatcher"] = json::object{{"MaxItemsPerBatch", 1 + pick(3)}};
    }
    map["ItemProcessor"] = std::move(processor);
    return map;
  }

  void add_handlers(json::object& state, const std::string& next) {
    static constexpr std::array kNames = {"E", "States.TaskFailed", "States.Timeout", "States.ALL"};
    if (chance(2)) {
      json::object retrier{{"ErrorEquals", json::array{json::value(pick_of(kNames))}},
                           {"IntervalSeconds", 1 + pick(5)},
                           {"MaxAttempts", pick(4)}};
      if (chance(2)) retrier["JitterStrategy"] = "FULL";
      state["Retry"] = json::array{std::move(retrier)};
    }
    if (chance(2)) {
      state["Catch"] =
          json::array{json::object{{"ErrorEquals", json::array{json::value(pick_of(kNames))}},
                                   {"ResultPath", "$.error"},
                                   {"Next", next}}};
    }
  }

  query::Random random_;
  int names_ = 0;
  std::vector<std::string> tasks_;
};

struct Result {
  std::string text;
  std::vector<std::string> history;
};

// Every document and page has a branch record that speaks of it, and none is missing.
void expect_whole(const MemoryRecords& records) {
  std::set<std::string> expected{"begin/", "now/"};
  std::set<std::string> found;
  for (const auto& [key, text] : records.records) {
    found.insert(key);
    if (!key.starts_with("branch/") || std::ranges::count(key, '/') != 2) continue;
    expected.insert(key);
    const json::value record = base::parse_json(text, key, {.max_depth = 200});
    for (const auto& document : record.at("documents").as_array()) {
      expected.emplace(document.as_string());
    }
    if (const json::value& fork = record.at("fork"); !fork.is_null()) {
      const std::int64_t items = fork.at("items").at("size").as_int64();
      for (std::int64_t i = 0; i * kItemsInPage < items; ++i) {
        expected.insert(key + "items/" + std::to_string(i) + "/");
      }
      for (std::int64_t i = 0; i < fork.at("next").as_int64(); ++i) {
        const std::string outcome = key + "outcome/" + std::to_string(i) + "/";
        if (records.records.contains(outcome)) expected.insert(outcome);
      }
    }
  }
  for (const char* document : {"begin/input/", "begin/item/"}) {
    if (found.contains(document)) expected.insert(document);
  }
  ASSERT_EQ(found, expected);
}

Result run(const StateMachine& machine, const std::string& mock,
           std::optional<StoreBetweenSteps::Mode> store = {}) {
  auto answers = MockAnswers::parse(mock);
  LocalRunOptions options;
  options.start.machine_arn = "arn:aws:states:us-east-1:000000000000:stateMachine:m";
  options.start.input = make_data(json::object{
      {"n", 1}, {"l", json::array{1, json::object{{"n", 2}}}}, {"long", std::string(2000, 'x')}});
  options.start.time = base::from_epoch_millis(1'700'000'000'000);
  options.limits.history_events = 300;
  options.limits.transitions = 3;
  options.most_steps = 20'000;
  if (store) {
    options.between = [between = StoreBetweenSteps(*store)](ExecutionState state) {
      const std::string arn = state.arn;
      ExecutionState next = between(std::move(state));
      expect_whole(*between.executions().at(arn));
      return next;
    };
  }
  const LocalRun ended = run_locally(machine, answers, options);
  Result outcome;
  outcome.text = std::string(to_string(ended.status)) + " " +
                 (ended.output != nullptr ? base::to_text(*ended.output) : "") + " " +
                 ended.error.value_or("") + " " + ended.cause.value_or("");
  std::string all = "[";
  for (const HistoryEvent& event : ended.history) {
    outcome.history.push_back(base::to_text(to_json(event)));
    if (all.size() > 1) all += ',';
    all += outcome.history.back();
  }
  // Written at once it is the same text.
  EXPECT_EQ(to_text(ended.history), all + "]");
  return outcome;
}

TEST(RandomMachine, NeverGetsStuckAndEndsTheSameWhenStoredAtEveryStep) {
  int succeeded = 0;
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    MachineWriter writer(seed);
    const std::string definition = base::to_text(writer.machine());
    SCOPED_TRACE(std::to_string(seed) + " " + definition);
    const Validation validation = validate_definition(definition);
    ASSERT_TRUE(validation.ok) << base::to_text(to_json(validation));
    const auto machine = StateMachine::parse(definition);
    const std::string mock = base::to_text(writer.answers());
    try {
      const Result plain = run(machine, mock);
      for (const auto mode : {StoreBetweenSteps::Mode::warm, StoreBetweenSteps::Mode::cold}) {
        const Result stored = run(machine, mock, mode);
        ASSERT_EQ(plain.text, stored.text);
        ASSERT_EQ(plain.history, stored.history);
      }
      if (plain.text.starts_with("SUCCEEDED")) ++succeeded;
    } catch (const base::Error& error) {
      FAIL() << error.message();
    }
  }
  // The machines are worth running: many get through, and many do not.
  EXPECT_GT(succeeded, 15);
  EXPECT_LT(succeeded, 135);
}

}  // namespace
}  // namespace andon::asl
