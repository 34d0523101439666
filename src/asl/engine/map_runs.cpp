// SPDX-License-Identifier: Apache-2.0
#include "asl/engine/map_runs.hpp"

#include <algorithm>

#include "asl/engine/engine.hpp"

namespace andon::asl {
namespace {

constexpr std::int64_t kMostChildren = 10'000;

}  // namespace

void MapRuns::run(Branch& branch, const State& state) {
  const MapState& map = state.map();
  const Scope scope = data_.scope_of(branch, data_.effective_input(branch, state));
  Fork fork;
  const std::string label = map.label.empty() ? state.name : map.label;
  // arn:aws:states:<region>:<account>:mapRun:<machine>/<label>:<uuid>
  std::string machine = execution_.machine_arn;
  if (const std::size_t kind = machine.find(":stateMachine:"); kind != std::string::npos) {
    machine.replace(kind, std::string(":stateMachine:").size(), ":mapRun:");
  }
  fork.map_run = machine + "/" + label + ":" + step_.random().uuid();
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
      request.max_items = data_.whole_number(map.reader->max_items, scope);
  } else {
    items = parts_.forks.items_of(branch, state, scope);
  }
  HistoryEvent& started = step_.event(branch, "MapStateStarted", "mapStateStartedEventDetails");
  std::int64_t length = 0;
  if (items) {
    length = static_cast<std::int64_t>((*items)->is_array() ? (*items)->get_array().size()
                                                            : (*items)->get_object().size());
  }
  started.members["length"] = length;
  fork.concurrency = parts_.forks.concurrency_of(state, scope, kMostChildren);
  read_tolerance(fork, map, scope);
  HistoryEvent& run = step_.event(branch, "MapRunStarted", "mapRunStartedEventDetails");
  run.members["mapRunArn"] = fork.map_run;
  if (step_.limits().inspection != nullptr) {
    branch.fork = std::move(fork);
    try_out(branch, state, items);
    return;
  }
  if (items) fork.source = "STATE_DATA";
  branch.fork = std::move(fork);
  branch.phase = Phase::reading_items;
  if (items) {
    branch.fork->items.append(*items);
    begin_children(branch, state);
  } else {
    step_.decide(std::move(request));
  }
}

void MapRuns::read_tolerance(Fork& fork, const MapState& map, const Scope& scope) {
  const auto out_of_range = [](const Setting& setting, const std::string& cause) {
    return failure(setting.expression() != nullptr ? kQueryEvaluationError : kRuntime, cause);
  };
  if (map.tolerated_count.given()) {
    fork.tolerated_count = data_.map_number(map.tolerated_count, scope);
    if (*fork.tolerated_count < 0) {
      throw out_of_range(map.tolerated_count, "ToleratedFailureCount cannot be negative.");
    }
  }
  const Setting& percentage = map.tolerated_percentage;
  if (!percentage.given()) return;
  const Data value = percentage.evaluate(scope);
  if (!value->is_number()) {
    if (const auto* expression = percentage.expression()) {
      throw expression->wrong_type("number", *value);
    }
    const std::string path = percentage.path() != nullptr ? percentage.path()->text() : "";
    throw failure(kRuntime, "The " + percentage.field + " field refers to value \"" +
                                (value->is_string() ? std::string(value->get_string())
                                                    : base::to_text(*value)) +
                                "\" which is not a valid float: " + path);
  }
  fork.tolerated_percentage = value->to_number<double>();
  if (!(*fork.tolerated_percentage >= 0 && *fork.tolerated_percentage <= 100)) {
    throw out_of_range(percentage, "ToleratedFailurePercentage must be between 0 and 100.");
  }
}

void MapRuns::try_out(Branch& branch, const State& state, const std::optional<Data>& items) {
  Inspection& inspection = *step_.limits().inspection;
  Fork& fork = *branch.fork;
  const Data given = items ? *items : inspection.items;
  if (fork.tolerated_count) inspection.seen["toleratedFailureCount"] = *fork.tolerated_count;
  if (fork.tolerated_percentage) {
    inspection.seen["toleratedFailurePercentage"] = *fork.tolerated_percentage;
  }
  if (given != nullptr) {
    fork.items.append(given);
    parts_.forks.show_items(branch, state);
    read_batcher(branch, state);
    if (fork.batch_items > 0) {
      json::array batches;
      while (!fork.all_started()) {
        std::int64_t count = 0;
        batches.push_back(*batch_input(branch, state, count));
      }
      data_.show("afterItemBatcher", make_data(std::move(batches)));
    }
  }
  fork.failed_items = inspection.failed_iterations;
  if (!check_tolerance(branch)) return;
  parts_.forks.end_in_place(branch, state, "MapStateFailed");
}

void MapRuns::read_batcher(Branch& branch, const State& state) {
  Fork& fork = *branch.fork;
  fork.count = fork.items.size();
  if (!state.map().batcher) return;
  const Scope scope = data_.scope_of(branch, data_.effective_input(branch, state));
  const ItemBatcher& batcher = *state.map().batcher;
  const std::int64_t most_items = batcher.max_items.given()
                                      ? data_.whole_number(batcher.max_items, scope)
                                      : std::max<std::int64_t>(fork.count, 1);
  fork.batch_bytes = batcher.max_bytes.given()
                         ? data_.whole_number(batcher.max_bytes, scope)
                         : static_cast<std::int64_t>(step_.limits().data_bytes);
  if (most_items < 1 || fork.batch_bytes < 1) {
    throw failure(kRuntime, "The limits of ItemBatcher must be positive");
  }
  fork.batch_items = most_items;
}

void MapRuns::begin_children(Branch& branch, const State& state) {
  read_batcher(branch, state);
  Fork& fork = *branch.fork;
  branch.phase = Phase::running_children;
  if (fork.count == 0) {
    end(branch, state);
    return;
  }
  start_children(branch, state);
}

void MapRuns::start_children(Branch& branch, const State& state) {
  Fork& fork = *branch.fork;
  while (!fork.all_started() && fork.running < fork.concurrency) {
    const std::int64_t index = fork.next++;
    StartChild child;
    child.branch = branch.id;
    child.index = index;
    child.state = state.name;
    child.map_run = fork.map_run;
    child.name = step_.random().uuid();
    child.flow = state.map().flow;
    child.express = state.map().express_children;
    if (fork.batch_items == 0) {
      MapItem item;
      child.input = parts_.forks.item_input(branch, state, index, item).get();
      child.item = std::move(item);
    } else {
      Outcome started;
      child.input = batch_input(branch, state, started.items);
      ExecutionState::set_outcome(fork, index, std::move(started));
    }
    data_.check_size(child.input, state.name);
    ++fork.running;
    step_.decide(std::move(child));
  }
}

Data MapRuns::batch_input(Branch& branch, const State& state, std::int64_t& count) {
  Fork& fork = *branch.fork;
  json::array batch;
  std::int64_t bytes = 0;
  for (count = 0; fork.next_item < fork.count && count < fork.batch_items; ++count) {
    // The limit counts what the items are, before ItemSelector.
    const Data value = fork.items.value(fork.next_item);
    const auto size = static_cast<std::int64_t>(base::to_text(*value).size()) + 1;
    if (count > 0 && bytes + size > fork.batch_bytes) break;
    bytes += size;
    MapItem item;
    batch.push_back(*parts_.forks.item_input(branch, state, fork.next_item++, item).get());
  }
  json::object input;
  if (state.map().batcher->batch_input) {
    input["BatchInput"] = *state.map().batcher->batch_input->evaluate(
        data_.scope_of(branch, data_.effective_input(branch, state)));
  }
  input["Items"] = std::move(batch);
  return make_data(std::move(input));
}

bool MapRuns::check_tolerance(Branch& branch) {
  const Fork& fork = *branch.fork;
  if (fork.failed_items == 0) return true;
  const double percentage = 100.0 * static_cast<double>(fork.failed_items) /
                            static_cast<double>(std::max<std::int64_t>(fork.count, 1));
  const bool any_limit = fork.tolerated_count || fork.tolerated_percentage;
  const bool over_count = fork.tolerated_count && fork.failed_items > *fork.tolerated_count;
  const bool over_percentage = fork.tolerated_percentage && percentage > *fork.tolerated_percentage;
  if (any_limit && !over_count && !over_percentage) return true;
  fail(branch, failure(kExceedToleratedFailureThreshold,
                       "The specified tolerated failure threshold was exceeded"));
  return false;
}

void MapRuns::on(const MapRunChanged& changed) {
  Branch* branch = step_.change_in(changed.branch, Phase::running_children);
  if (branch == nullptr) return;
  Fork& fork = *branch->fork;
  if (changed.max_concurrency) {
    fork.concurrency = *changed.max_concurrency == 0
                           ? kMostChildren
                           : std::min(*changed.max_concurrency, kMostChildren);
  }
  if (changed.tolerated_count) fork.tolerated_count = *changed.tolerated_count;
  if (changed.tolerated_percentage) fork.tolerated_percentage = *changed.tolerated_percentage;
  if (!check_tolerance(*branch)) return;
  parts_.failures.guarded(*branch, [&] { start_children(*branch, step_.state_of(*branch)); });
}

void MapRuns::on(const ChildEnded& ended) {
  const Branch* waiting = execution_.find(ended.branch);
  if (waiting == nullptr || waiting->phase != Phase::running_children) return;
  if (ended.index < 0 || ended.index >= waiting->fork->next) return;
  Outcome outcome = execution_.outcome(*waiting, ended.index).value_or(Outcome{});
  if (outcome.status != Status::running) return;  // reported before
  Branch* branch = step_.change(ended.branch);
  const State& state = step_.state_of(*branch);
  Fork& fork = *branch->fork;
  --fork.running;
  outcome.status = ended.status;
  if (ended.status == Status::succeeded) {
    outcome.output = ended.output;
  } else {
    outcome.error = ended.error;
    outcome.cause = ended.cause;
    ++fork.failed;
    fork.failed_items += outcome.items;
  }
  ExecutionState::set_outcome(fork, ended.index, std::move(outcome));
  if (!check_tolerance(*branch)) return;
  parts_.failures.guarded(*branch, [&] {
    if (fork.running == 0 && fork.all_started()) {
      end(*branch, state);
    } else {
      start_children(*branch, state);
    }
  });
}

void MapRuns::end(Branch& branch, const State& state) {
  Fork& fork = *branch.fork;
  if (state.map().writer && !state.map().writer->resource.empty()) {
    const ResultWriter& writer = *state.map().writer;
    WriteResults request;
    request.branch = branch.id;
    request.state = state.name;
    request.map_run = fork.map_run;
    request.resource = writer.resource;
    request.parameters = writer.parameters ? writer.parameters->evaluate(data_.scope_of(
                                                 branch, data_.effective_input(branch, state)))
                                           : make_data(json::object());
    request.config = writer.config;
    request.children = fork.next;
    branch.phase = Phase::writing_results;
    step_.decide(std::move(request));
    return;
  }
  step_.event(branch, "MapRunSucceeded");
  step_.event_after(branch.previous_event, "MapStateSucceeded");
  parts_.branches.complete(branch, state, make_data(parts_.forks.outputs_of(branch, state)));
}

void MapRuns::fail(Branch& branch, const Failure& failure) {
  HistoryEvent& failed = step_.event(branch, "MapRunFailed", "mapRunFailedEventDetails");
  failed.members["error"] = failure.error();
  failed.members["cause"] = failure.cause();
  parts_.failures.fail_state(branch, failure, "MapStateFailed");
}

void MapRuns::on(const ItemsRead& event) {
  Branch* branch = step_.change_in(event.branch, Phase::reading_items);
  if (branch == nullptr) return;
  branch->fork->source = event.source;
  parts_.failures.guarded(*branch, [&] {
    branch->fork->items.append(event.items);
    if (!event.more) begin_children(*branch, step_.state_of(*branch));
  });
}

void MapRuns::on(const ItemsFailed& event) {
  Branch* branch = step_.change_in(event.branch, Phase::reading_items);
  if (branch != nullptr) fail(*branch, failure(kItemReaderFailed, event.cause));
}

void MapRuns::on(const ResultsWritten& event) {
  Branch* branch = step_.change_in(event.branch, Phase::writing_results);
  if (branch == nullptr) return;
  json::object output{{"MapRunArn", branch->fork->map_run},
                      {"ResultWriterDetails", *event.details}};
  step_.event(*branch, "MapRunSucceeded");
  step_.event_after(branch->previous_event, "MapStateSucceeded");
  parts_.failures.guarded(*branch, [&] {
    parts_.branches.complete(*branch, step_.state_of(*branch), make_data(std::move(output)));
  });
}

void MapRuns::on(const ResultsFailed& event) {
  Branch* branch = step_.change_in(event.branch, Phase::writing_results);
  if (branch != nullptr) fail(*branch, failure(kResultWriterFailed, event.cause));
}

}  // namespace andon::asl
