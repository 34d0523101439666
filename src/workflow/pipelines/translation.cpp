// SPDX-License-Identifier: Apache-2.0
#include "workflow/pipelines/translation.hpp"

#include <algorithm>

namespace andon::workflow {
namespace {

json::array retries_of(const PipelineStep& step) {
  json::array retries;
  for (const RetryPolicy& policy : step.retries) {
    retries.push_back({{"ErrorEquals", json::array(policy.errors.begin(), policy.errors.end())},
                       {"IntervalSeconds", policy.interval_s},
                       {"BackoffRate", policy.backoff},
                       {"MaxAttempts", policy.attempts}});
  }
  return retries;
}

class Translator {
 public:
  explicit Translator(std::optional<std::size_t> most_at_once) : most_at_once_(most_at_once) {}

  json::object machine(const std::vector<PipelineStep>& steps) {
    json::object states;
    const std::string first = chain(steps, {}, states);
    return {{"StartAt", first}, {"States", std::move(states)}};
  }

 private:
  using Steps = std::vector<const PipelineStep*>;

  // Puts the states of the steps into `states` and gives the first one's name; the last goes on to
  // `next`, or ends the flow where that is empty.
  std::string chain(const std::vector<PipelineStep>& steps, const std::string& next,
                    json::object& states) {
    std::vector<Steps> groups;
    for (const Steps& group : in_order(steps)) {
      const std::size_t most = std::max<std::size_t>(1, most_at_once_.value_or(group.size()));
      for (std::size_t at = 0; at < group.size(); at += most) {
        const auto begin = group.begin() + static_cast<std::ptrdiff_t>(at);
        groups.emplace_back(begin,
                            begin + static_cast<std::ptrdiff_t>(std::min(most, group.size() - at)));
      }
    }
    std::string following = next;
    if (following.empty()) {
      following = "Done " + std::to_string(++done_);
      states[following] = json::object{{"Type", "Succeed"}};
    }
    for (auto group = groups.rbegin(); group != groups.rend(); ++group) {
      following = group->size() == 1 ? one(*group->front(), following, states)
                                     : together(*group, following, states);
    }
    return following;
  }

  std::string one(const PipelineStep& step, const std::string& next, json::object& states) {
    const bool is_condition = step.type == StepType::condition;
    json::object task{{"Type", "Task"},
                      {"Resource", is_condition ? kConditionResource : kStepResource},
                      {"Parameters", json::object{{"Step", step.name}}}};
    if (!step.retries.empty()) task["Retry"] = retries_of(step);
    if (!is_condition) {
      task["ResultPath"] = nullptr;
      task["Next"] = next;
      states[step.name] = std::move(task);
      return step.name;
    }
    const std::string choice = step.name + " holds";
    task["ResultPath"] = "$.Condition";
    task["Next"] = choice;
    states[step.name] = std::move(task);
    const std::string then = chain(step.if_steps, next, states);
    const std::string otherwise = chain(step.else_steps, next, states);
    states[choice] = json::object{
        {"Type", "Choice"},
        {"Choices",
         json::array{json::object{
             {"Variable", "$.Condition.Outcome"}, {"StringEquals", "True"}, {"Next", then}}}},
        {"Default", otherwise}};
    return step.name;
  }

  std::string together(const Steps& steps, const std::string& next, json::object& states) {
    json::array branches;
    for (const PipelineStep* step : steps) {
      json::object inner;
      const std::string done = "Done " + std::to_string(++done_);
      inner[done] = json::object{{"Type", "Succeed"}};
      const std::string first = one(*step, done, inner);
      branches.push_back({{"StartAt", first}, {"States", std::move(inner)}});
    }
    std::string name = "Together " + std::to_string(++together_);
    states[name] = json::object{{"Type", "Parallel"},
                                {"Branches", std::move(branches)},
                                {"ResultPath", nullptr},
                                {"Next", next}};
    return name;
  }

  const std::optional<std::size_t> most_at_once_;
  std::size_t done_ = 0;
  std::size_t together_ = 0;
};

}  // namespace

json::object to_state_machine(const PipelineDefinition& definition, const std::string& pipeline,
                              std::optional<std::size_t> most_at_once) {
  json::object machine = Translator(most_at_once).machine(definition.steps);
  machine["Comment"] = "Made of the SageMaker pipeline '" + pipeline + "': change it there";
  return machine;
}

}  // namespace andon::workflow
