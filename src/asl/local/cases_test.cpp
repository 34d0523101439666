// SPDX-License-Identifier: Apache-2.0
// Runs the tables of tests/asl/cases: each row a machine (or one state, or one rule of a Choice),
// an input, the answers of its tasks, and what comes out. Every row is run three times: once in
// memory, and with the execution stored between all steps, gone on with and loaded anew.
#include <gmock/gmock.h>

#include "asl/local/local_run.hpp"
#include "asl/testing/memory_records.hpp"
#include "base/error/error.hpp"
#include "base/os/file.hpp"

namespace andon::asl {
namespace {

json::object definition_of(const json::object& row) {
  if (const auto* definition = row.if_contains("definition")) return definition->as_object();
  if (const auto* rule = row.if_contains("rule")) {
    json::object choice = rule->as_object();
    choice["Next"] = "Yes";
    return {{"StartAt", "C"},
            {"States",
             {{"C", {{"Type", "Choice"}, {"Choices", json::array{choice}}, {"Default", "No"}}},
              {"Yes", {{"Type", "Pass"}, {"Result", true}, {"End", true}}},
              {"No", {{"Type", "Pass"}, {"Result", false}, {"End", true}}}}}};
  }
  json::object state = row.at("state").as_object();
  const std::string_view type = state.at("Type").as_string();
  if (type != "Succeed" && type != "Fail") state["End"] = true;
  return {{"StartAt", "X"}, {"States", {{"X", std::move(state)}}}};
}

LocalRun run(const json::object& row, std::optional<StoreBetweenSteps::Mode> store = {}) {
  const auto machine = StateMachine::parse(base::to_text(definition_of(row)));
  const auto* mock = row.if_contains("mock");
  auto answers = MockAnswers::parse(mock != nullptr ? base::to_text(*mock) : "{}");
  LocalRunOptions options;
  options.start.arn = "arn:aws:states:us-east-1:000000000000:execution:m:e";
  options.start.name = "e";
  options.start.machine_name = "m";
  options.start.machine_arn = "arn:aws:states:us-east-1:000000000000:stateMachine:m";
  options.start.input = make_data(row.at("input"));
  options.start.time = base::from_epoch_millis(1'700'000'000'000);
  options.start.seed = 7;
  options.most_steps = 10'000;
  if (store) {
    options.limits.transitions = 1;
    options.between = StoreBetweenSteps(*store);
  }
  return run_locally(machine, answers, options);
}

void check(const json::object& row, const LocalRun& run) {
  const auto text = [&row](std::string_view key) -> std::optional<std::string> {
    const auto* value = row.if_contains(key);
    if (value == nullptr) return std::nullopt;
    return std::string(value->as_string());
  };
  const bool fails = row.contains("error") || row.contains("cause");
  EXPECT_EQ(to_string(run.status), text("status").value_or(fails ? "FAILED" : "SUCCEEDED"))
      << run.error.value_or("") << ": " << run.cause.value_or("");
  if (const auto* output = row.if_contains("output")) {
    EXPECT_EQ(run.output != nullptr ? base::to_text(*run.output) : "nothing",
              base::to_text(*output));
  }
  if (const auto error = text("error")) {
    EXPECT_EQ(run.error.value_or("none"), *error);
  }
  if (const auto cause = text("cause")) {
    EXPECT_EQ(run.cause.value_or("none"), *cause);
  }
  // "history": the types of the last events; "never": of none.
  std::vector<std::string> types;
  for (const HistoryEvent& event : run.history) types.push_back(event.type);
  if (const auto* expected = row.if_contains("history")) {
    std::vector<std::string> last;
    for (const auto& type : expected->as_array()) last.emplace_back(type.as_string());
    ASSERT_GE(types.size(), last.size());
    EXPECT_EQ(std::vector(types.end() - std::ssize(last), types.end()), last);
  }
  if (const auto type = text("never")) {
    EXPECT_THAT(types, testing::Not(testing::Contains(*type)));
  }
  if (const auto* seconds = row.if_contains("seconds")) {
    const auto took = run.history.back().time - run.history.front().time;
    EXPECT_EQ(std::chrono::duration_cast<std::chrono::milliseconds>(took).count(),
              seconds->as_int64() * 1000);
  }
}

class Cases : public testing::TestWithParam<const char*> {};

TEST_P(Cases, EndAsTheTableSays) {
  const std::string file =
      std::string(ANDON_SOURCE_DIR) + "/tests/asl/cases/" + GetParam() + ".json";
  const json::value table = base::parse_json(base::read_file(file), file, {.max_depth = 60});
  for (const auto& value : table.as_array()) {
    const json::object& row = value.as_object();
    SCOPED_TRACE(std::string(row.at("name").as_string()));
    try {
      check(row, run(row));
      check(row, run(row, StoreBetweenSteps::Mode::warm));
      check(row, run(row, StoreBetweenSteps::Mode::cold));
    } catch (const base::Error& error) {
      ADD_FAILURE() << error.message();
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, Cases,
                         testing::Values("choice", "states", "tasks_and_errors", "parallel_and_map",
                                         "variables"));

}  // namespace
}  // namespace andon::asl
