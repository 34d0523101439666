// SPDX-License-Identifier: Apache-2.0
// Prints medians: microseconds a state of a chain of ten Pass states, milliseconds and peak memory
// of a Map over 100,000 items, and of Maps that are stored at every step with the ratio of 100,000
// items to 10,000. Asserts nothing about time. Build it with preset release.
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <functional>
#include <vector>

#include "asl/local/local_run.hpp"
#include "asl/testing/memory_records.hpp"

namespace {

using namespace andon;  // NOLINT(google-build-using-namespace)

double median_micros(int runs, const std::function<void()>& work) {
  std::vector<double> times;
  for (int i = 0; i < runs; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    work();
    const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - begin;
    times.push_back(took.count());
  }
  std::ranges::sort(times);
  return times[times.size() / 2];
}

std::string chain(const std::string& body) {
  std::string states;
  for (int i = 0; i < 10; ++i) {
    states += (i > 0 ? ",\"S" : "\"S") + std::to_string(i) + R"(":{"Type":"Pass",)" + body;
    states += i < 9 ? R"("Next":"S)" + std::to_string(i + 1) + "\"}" : R"("End":true})";
  }
  return R"({"StartAt":"S0","States":{)" + states + "}}";
}

void pass_chain(const char* name, const std::string& body) {
  const auto machine = asl::StateMachine::parse(chain(body));
  asl::Start start;
  start.input = asl::make_data(
      base::parse_json(R"({"order":{"id":"o-1","lines":[{"sku":"a","n":2}]},"n":1})", "input"));
  const double micros = median_micros(2000, [&] { (void)asl::start(machine, start); });
  std::printf("%-44s %8.2f us a state\n", name, micros / 10);
}

void map_items(const char* name, const std::string& members) {
  base::json::array items;
  for (int i = 0; i < 100'000; ++i) items.push_back(base::json::object{{"id", i}});
  asl::LocalRunOptions options;
  options.start.input = asl::make_data(base::json::object{{"l", std::move(items)}});
  options.limits.data_bytes = std::size_t{1} << 30U;
  options.limits.history_events = 100'000'000;
  const auto machine = asl::StateMachine::parse(
      R"({"StartAt":"M","States":{"M":{"Type":"Map","End":true,)" + members +
      R"("ItemProcessor":{"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}}}}})");
  asl::MockAnswers none;
  const double micros = median_micros(3, [&] { (void)asl::run_locally(machine, none, options); });
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  std::printf("%-44s %8.0f ms, peak so far %ld MB\n", name, micros / 1000, usage.ru_maxrss / 1024);
}

// CPU milliseconds of a Map whose changes are stored after every transition.
double stored_map_once(bool distributed, asl::StoreBetweenSteps::Mode mode, int count) {
  base::json::array items;
  for (int i = 0; i < count; ++i) items.push_back(base::json::object{{"id", i}});
  asl::LocalRunOptions options;
  options.start.arn = "arn:aws:states:us-east-1:000000000000:execution:m:e";
  options.start.machine_arn = "arn:aws:states:us-east-1:000000000000:stateMachine:m";
  options.start.input = asl::make_data(base::json::object{{"l", std::move(items)}});
  options.limits.data_bytes = std::size_t{1} << 30U;
  options.limits.history_events = 100'000'000;
  options.limits.transitions = 1;
  options.most_steps = 100'000'000;
  options.between = asl::StoreBetweenSteps(mode);
  const auto machine = asl::StateMachine::parse(
      std::string(
          R"({"StartAt":"M","States":{"M":{"Type":"Map","ItemsPath":"$.l","MaxConcurrency":1000,"End":true,)") +
      R"("ItemProcessor":{)" +
      (distributed ? R"("ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},)"
                   : "") +
      R"("StartAt":"A","States":{"A":{"Type":"Pass","End":true}}}}}})");
  asl::MockAnswers none;
  const std::clock_t begin = std::clock();  // of this process alone: other work does not count
  (void)asl::run_locally(machine, none, options);
  return 1000.0 * static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
}

double stored_map(bool distributed, asl::StoreBetweenSteps::Mode mode, int count) {
  std::vector<double> times;
  for (int i = 0; i < 5; ++i) times.push_back(stored_map_once(distributed, mode, count));
  std::ranges::sort(times);
  return times[times.size() / 2];
}

void stored_maps() {
  using Mode = asl::StoreBetweenSteps::Mode;
  for (const bool distributed : {false, true}) {
    for (const Mode mode : {Mode::warm, Mode::cold}) {
      const double few = stored_map(distributed, mode, 10'000);
      const double many = stored_map(distributed, mode, 100'000);
      std::printf(
          "Map stored at every step, %s, %s: 10000 items %8.0f ms, 100000 %8.0f ms of CPU, x%.1f\n",
          distributed ? "distributed" : "inline", mode == Mode::warm ? "kept" : "loaded", few, many,
          many / few);
    }
  }
}

}  // namespace

int main() {
  pass_chain("Pass, nothing set", "");
  pass_chain(
      "Pass, Parameters of three members",
      R"~("Parameters":{"a.$":"$.order.id","b.$":"States.MathAdd($.n, 1)","order.$":"$.order","n.$":"$.n"},)~");
  pass_chain(
      "Pass, JSONata Output of two members",
      R"("QueryLanguage":"JSONata","Output":{"order":"{% $states.input.order %}","n":"{% $states.input.n + 1 %}"},)");
  map_items("Map, 100000 items", R"("ItemsPath":"$.l",)");
  map_items("Map, 100000 items, ItemSelector",
            R"("ItemsPath":"$.l","ItemSelector":{"v.$":"$$.Map.Item.Value"},)");
  stored_maps();
  return 0;
}
