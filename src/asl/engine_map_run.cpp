// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "asl/engine.hpp"

namespace andon::asl {
namespace {

constexpr std::int64_t kMostChildren = 10'000;

}  // namespace

void Engine::run_distributed(Branch& branch, const State& state) {
  const MapSettings& map = *state.map;
  const Scope scope = scope_of(branch, effective_input(branch, state));
  Fork fork;
  fork.concurrency = concurrency_of(state, scope, kMostChildren);
  const auto out_of_range = [](const Setting& setting, const std::string& value) {
    return failure(setting.expression() != nullptr ? kQueryEvaluationError : kRuntime,
                   setting.field + " is out of range: " + value);
  };
  if (map.tolerated_count.given()) {
    fork.tolerated_count = whole_number(map.tolerated_count, scope);
    if (*fork.tolerated_count < 0) {
      throw out_of_range(map.tolerated_count, std::to_string(*fork.tolerated_count));
    }
  }
  if (map.tolerated_percentage.given()) {
    const Data value = map.tolerated_percentage.evaluate(scope);
    const double percentage = value->is_number() ? value->to_number<double>() : -1;
    if (!(percentage >= 0 && percentage <= 100)) {
      throw out_of_range(map.tolerated_percentage, base::to_text(*value));
    }
    fork.tolerated_percentage = percentage;
  }
  const std::string label = map.label.empty() ? state.name : map.label;
  // arn:aws:states:<region>:<account>:mapRun:<machine>/<label>:<uuid>
  std::string machine = execution_.machine_arn;
  if (const std::size_t kind = machine.find(":stateMachine:"); kind != std::string::npos) {
    machine.replace(kind, std::string(":stateMachine:").size(), ":mapRun:");
  }
  fork.map_run = machine + "/" + label + ":" + random_.uuid();
  std::optional<Data> items;
  ReadItems request;
  if (map.reader) {
    request.branch = branch.id;
    request.state = state.name;
    request.resource = map.reader->resource;
    request.parameters = map.reader->parameters ? map.reader->parameters->evaluate(scope)
                                                : make_data(json::object());
    request.config = map.reader->config;
    if (map.reader->max_items.given())
      request.max_items = whole_number(map.reader->max_items, scope);
  } else {
    items = items_of(branch, state, scope);
  }
  HistoryEvent& started = event(branch, "MapStateStarted", "mapStateStartedEventDetails");
  std::int64_t length = 0;
  if (items) {
    length = static_cast<std::int64_t>((*items)->is_array() ? (*items)->get_array().size()
                                                            : (*items)->get_object().size());
  }
  started.members["length"] = length;
  HistoryEvent& run = event(branch, "MapRunStarted", "mapRunStartedEventDetails");
  run.members["mapRunArn"] = fork.map_run;
  if (items) fork.source = "STATE_DATA";
  branch.fork = std::move(fork);
  branch.phase = Phase::reading_items;
  if (items) {
    begin_children(branch, state, *items);
  } else {
    decide(std::move(request));
  }
}

void Engine::begin_children(Branch& branch, const State& state, const Data& items) {
  Fork& fork = *branch.fork;
  fork.items = items;
  if (const auto* object = items->if_object()) {
    json::array values;
    for (const auto& member : *object) {
      fork.keys.emplace_back(member.key());
      values.push_back(member.value());
    }
    fork.items = make_data(std::move(values));
  }
  if (!fork.items->is_array()) {
    throw failure(kItemReaderFailed, "The items of a Map state must be an array or an object");
  }
  const json::array& list = fork.items->get_array();
  fork.total_items = static_cast<std::int64_t>(list.size());
  std::size_t children = list.size();
  if (state.map->batcher) {
    const Scope scope = scope_of(branch, effective_input(branch, state));
    const ItemBatcher& batcher = *state.map->batcher;
    const std::int64_t most_items =
        batcher.max_items.given() ? whole_number(batcher.max_items, scope) : fork.total_items;
    const std::int64_t most_bytes = batcher.max_bytes.given()
                                        ? whole_number(batcher.max_bytes, scope)
                                        : static_cast<std::int64_t>(limits_.data_bytes);
    if (most_items < 1 || most_bytes < 1) {
      throw failure(kRuntime, "The limits of ItemBatcher must be positive");
    }
    std::int64_t in_batch = 0;
    std::int64_t bytes = 0;
    for (const auto& item : list) {
      const auto size = static_cast<std::int64_t>(base::to_text(item).size()) + 1;
      if (in_batch > 0 && (in_batch >= most_items || bytes + size > most_bytes)) {
        fork.batch_sizes.push_back(in_batch);
        in_batch = 0;
        bytes = 0;
      }
      ++in_batch;
      bytes += size;
    }
    if (in_batch > 0) fork.batch_sizes.push_back(in_batch);
    children = fork.batch_sizes.size();
  }
  fork.results.assign(children, nullptr);
  branch.phase = Phase::running_children;
  if (children == 0) {
    end_map_run(branch, state);
    return;
  }
  start_children(branch, state);
}

void Engine::start_children(Branch& branch, const State& state) {
  Fork& fork = *branch.fork;
  const auto count = static_cast<std::int64_t>(fork.results.size());
  while (fork.next < count && fork.running < fork.concurrency) {
    const std::int64_t index = fork.next++;
    StartChild child;
    child.branch = branch.id;
    child.index = index;
    child.state = state.name;
    child.map_run = fork.map_run;
    child.name = random_.uuid();
    child.flow = state.map->flow;
    child.express = state.map->express_children;
    if (fork.batch_sizes.empty()) {
      MapItem item;
      child.input = item_input(branch, state, index, item);
      child.item = std::move(item);
    } else {
      child.input = batch_input(branch, state, fork.batch_sizes[static_cast<std::size_t>(index)]);
    }
    check_size(child.input, state.name);
    ++fork.running;
    decide(std::move(child));
  }
}

Data Engine::batch_input(Branch& branch, const State& state, std::int64_t count) {
  Fork& fork = *branch.fork;
  json::array batch;
  for (std::int64_t i = 0; i < count; ++i) {
    MapItem item;
    batch.push_back(*item_input(branch, state, fork.next_item++, item));
  }
  json::object input;
  if (state.map->batcher->batch_input) {
    input["BatchInput"] = *state.map->batcher->batch_input->evaluate(
        scope_of(branch, effective_input(branch, state)));
  }
  input["Items"] = std::move(batch);
  return make_data(std::move(input));
}

void Engine::child_ended(const ChildEnded& ended) {
  Branch* branch = find(ended.branch);
  if (branch == nullptr || branch->phase != Phase::running_children) return;
  const State& state = state_of(*branch);
  Fork& fork = *branch->fork;
  const auto at = static_cast<std::size_t>(ended.index);
  if (ended.index < 0 || at >= fork.results.size() || fork.results[at] != nullptr) return;
  --fork.running;
  ++fork.finished;
  json::object outcome{{"Index", ended.index}, {"Status", to_string(ended.status)}};
  if (ended.status == Status::succeeded) {
    fork.results[at] = ended.output;
    if (state.map->writer) outcome["Output"] = *ended.output;
  } else {
    fork.results[at] = make_data(nullptr);
    ++fork.failed;
    fork.failed_items += fork.batch_sizes.empty() ? 1 : fork.batch_sizes[at];
    outcome["Error"] = ended.error;
    outcome["Cause"] = ended.cause;
  }
  // What failed is left out of the Map's own output, so its place must be remembered.
  if (state.map->writer || ended.status != Status::succeeded) {
    fork.outcomes.push_back(std::move(outcome));
  }
  if (fork.failed_items > 0) {
    const double percentage = 100.0 * static_cast<double>(fork.failed_items) /
                              static_cast<double>(std::max<std::int64_t>(fork.total_items, 1));
    const bool any_limit = fork.tolerated_count || fork.tolerated_percentage;
    const bool over_count = fork.tolerated_count && fork.failed_items > *fork.tolerated_count;
    const bool over_percentage =
        fork.tolerated_percentage && percentage > *fork.tolerated_percentage;
    if (!any_limit || over_count || over_percentage) {
      fail_map_run(*branch, failure(kExceedToleratedFailureThreshold,
                                    "The specified tolerated failure threshold was exceeded"));
      return;
    }
  }
  guarded(*branch, [&] {
    if (fork.finished == static_cast<std::int64_t>(fork.results.size())) {
      end_map_run(*branch, state);
    } else {
      start_children(*branch, state);
    }
  });
}

void Engine::end_map_run(Branch& branch, const State& state) {
  Fork& fork = *branch.fork;
  if (state.map->writer && !state.map->writer->resource.empty()) {
    const ResultWriter& writer = *state.map->writer;
    WriteResults request;
    request.branch = branch.id;
    request.state = state.name;
    request.map_run = fork.map_run;
    request.resource = writer.resource;
    request.parameters =
        writer.parameters
            ? writer.parameters->evaluate(scope_of(branch, effective_input(branch, state)))
            : make_data(json::object());
    request.config = writer.config;
    std::ranges::sort(fork.outcomes, [](const json::value& a, const json::value& b) {
      return a.at("Index").as_int64() < b.at("Index").as_int64();
    });
    request.results = make_data(fork.outcomes);
    branch.phase = Phase::writing_results;
    decide(std::move(request));
    return;
  }
  event(branch, "MapRunSucceeded");
  event_after(branch.previous_event, "MapStateSucceeded");
  complete(branch, state, make_data(outputs_of(fork, state)));
}

json::array Engine::outputs_of(const Fork& fork, const State& state) const {
  // What failed and was tolerated is left out.
  const auto* transformation =
      state.map->writer ? state.map->writer->config.if_contains("Transformation") : nullptr;
  const bool flatten = transformation != nullptr && transformation->is_string() &&
                       transformation->get_string() == "FLATTEN";
  std::vector<bool> failed(fork.results.size());
  for (const auto& outcome : fork.outcomes) {
    if (outcome.at("Status").as_string() != "SUCCEEDED") {
      failed[static_cast<std::size_t>(outcome.at("Index").as_int64())] = true;
    }
  }
  json::array results;
  for (std::size_t i = 0; i < fork.results.size(); ++i) {
    if (failed[i]) continue;
    const auto* list = fork.results[i]->if_array();
    if (flatten && list != nullptr) {
      results.insert(results.end(), list->begin(), list->end());
    } else {
      results.push_back(*fork.results[i]);
    }
  }
  return results;
}

void Engine::fail_map_run(Branch& branch, const Failure& failure) {
  HistoryEvent& failed = event(branch, "MapRunFailed", "mapRunFailedEventDetails");
  failed.members["error"] = failure.error();
  failed.members["cause"] = failure.cause();
  event(branch, "MapStateFailed");
  fail_state(branch, failure);
}

}  // namespace andon::asl
