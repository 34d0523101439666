// SPDX-License-Identifier: Apache-2.0
#include "asl/engine/forks.hpp"

#include <algorithm>
#include <utility>

#include "asl/data/path_lookup.hpp"
#include "asl/engine/engine.hpp"

namespace andon::asl {
namespace {

constexpr std::int64_t kMostInline = 40;

}  // namespace

void Forks::run_parallel(Branch& branch, const State& state) {
  const Held input = data_.effective_input(branch, state);
  const Held request =
      state.parameters ? Held(state.parameters->evaluate(data_.scope_of(branch, input))) : input;
  step_.event(branch, "ParallelStateStarted");
  data_.show(state.language == QueryLanguage::jsonata ? "afterArguments" : "afterParameters",
             request.get());
  if (end_in_place(branch, state, "ParallelStateFailed")) return;
  branch.phase = Phase::joining;
  Fork& fork = branch.fork.emplace();
  fork.request = request;
  const std::vector<std::size_t>& branches = state.as<ParallelState>().branches;
  fork.count = fork.next = fork.running = static_cast<std::int64_t>(branches.size());
  const std::int64_t started = branch.previous_event;
  const std::int64_t parent = branch.id;
  for (std::size_t i = 0; i < branches.size(); ++i) {
    // `branch` stays where it is: a map's nodes do not move.
    Branch& child = step_.add_branch(parent, static_cast<std::int64_t>(i), branches[i], request);
    child.previous_event = started;
    fork.branches.push_back(child.id);
  }
}

void Forks::run_map(Branch& branch, const State& state) {
  const Scope scope = data_.scope_of(branch, data_.effective_input(branch, state));
  const Data items = items_of(branch, state, scope);
  const std::size_t count = items->get_array().size();
  HistoryEvent& started = step_.event(branch, "MapStateStarted", "mapStateStartedEventDetails");
  started.members["length"] = static_cast<std::int64_t>(count);
  const std::int64_t concurrency = concurrency_of(state, scope, kMostInline);
  branch.phase = Phase::joining;
  Fork& fork = branch.fork.emplace();
  fork.items.append(items);
  fork.count = fork.items.size();
  fork.concurrency = concurrency;
  if (step_.limits().inspection != nullptr) {
    show_items(branch, state);
    end_in_place(branch, state, "MapStateFailed");
    return;
  }
  if (count == 0) {
    step_.event_after(branch.previous_event, "MapStateSucceeded");
    parts_.branches.complete(branch, state, make_data(json::array()));
    return;
  }
  start_iterations(branch, state, branch.previous_event);
}

void Forks::start_iterations(Branch& branch, const State& state, std::int64_t previous) {
  Fork& fork = *branch.fork;
  while (!fork.all_started() && fork.running < fork.concurrency) {
    const std::int64_t index = fork.next++;
    MapItem item;
    Held input = item_input(branch, state, index, item);
    HistoryEvent& started =
        step_.event_after(previous, "MapIterationStarted", "mapIterationStartedEventDetails");
    started.members["name"] = state.name;
    started.members["index"] = index;
    const std::int64_t started_id = started.id;
    ++fork.running;
    Branch& child = step_.add_branch(branch.id, index, state.map().flow, std::move(input));
    fork.branches.push_back(child.id);
    child.previous_event = started_id;
    child.item = std::move(item);
  }
}

Held Forks::item_input(Branch& branch, const State& state, std::int64_t index, MapItem& item) {
  const Fork& fork = *branch.fork;
  item.index = index;
  item.value = fork.items.value(index);
  item.key = fork.items.key(index);
  if (!fork.source.empty()) item.source = fork.source;
  if (!state.map().selector) return item.value;
  // The selector sees the Map state's input, and this item in the context object.
  const std::optional<MapItem> own = branch.item;
  branch.item = item;
  data_.forget_context();
  struct Restore {
    Branch& branch;
    const std::optional<MapItem>& own;
    Evaluation& data;
    ~Restore() {
      branch.item = own;
      data.forget_context();
    }
  };
  const Restore restore{branch, own, data_};
  return state.map().selector->evaluate(
      data_.scope_of(branch, data_.effective_input(branch, state)));
}

bool Forks::end_in_place(Branch& branch, const State& state, const char* failed) {
  const Inspection* given = step_.limits().inspection;
  if (given == nullptr) return false;
  if (given->failure) {
    parts_.failures.fail_state(branch, *given->failure, failed);
  } else {
    parts_.branches.complete(branch, state, given->result);
  }
  return true;
}

void Forks::show_items(Branch& branch, const State& state) {
  Inspection& inspection = *step_.limits().inspection;
  Fork& fork = *branch.fork;
  const std::int64_t count = fork.items.size();
  inspection.iterations = count;
  if (state.map().max_concurrency.given()) inspection.seen["maxConcurrency"] = fork.concurrency;
  json::array items;
  for (std::int64_t i = 0; i < count; ++i) items.push_back(*fork.items.value(i).get());
  if (state.language == QueryLanguage::json_path) {
    data_.show("afterItemsPath", make_data(std::move(items)));
  }
  if (!state.map().selector) return;
  json::array selected;
  for (std::int64_t i = 0; i < count; ++i) {
    MapItem item;
    selected.push_back(*item_input(branch, state, i, item).get());
  }
  data_.show("afterItemSelector", make_data(std::move(selected)));
}

void Forks::note_iteration(Branch& child, const Branch& parent, const std::string& what) {
  HistoryEvent& noted =
      step_.event(child, "MapIteration" + what, "mapIteration" + what + "EventDetails");
  noted.members["name"] = parent.state;
  noted.members["index"] = child.index;
}

void Forks::child_finished(Branch& parent, Branch& child, const Data& output) {
  const State& state = step_.state_of(parent);
  Fork& fork = *parent.fork;
  ExecutionState::set_outcome(fork, child.index, {.status = Status::succeeded, .output = output});
  std::erase(fork.branches, child.id);
  --fork.running;
  const bool is_map = state.type() == StateType::map;
  // AWS hangs the next iteration on the last event inside this one, not on this one's success.
  const std::int64_t inside = child.previous_event;
  if (is_map) note_iteration(child, parent, "Succeeded");
  const std::int64_t last = child.previous_event;
  execution_.erase_branch(child.id);
  parts_.failures.guarded(parent, [&] {
    if (fork.running > 0 || !fork.all_started()) {
      if (is_map) start_iterations(parent, state, inside);
      return;
    }
    parent.previous_event = last;
    // The Exited event that follows has the same predecessor as this one.
    step_.event_after(last, is_map ? "MapStateSucceeded" : "ParallelStateSucceeded");
    parts_.branches.complete(parent, state, make_data(outputs_of(parent, state)));
  });
}

void Forks::child_failed(Branch& parent, Branch& child, const Failure& failure) {
  const State& state = step_.state_of(parent);
  const std::int64_t before = child.previous_event;
  const bool is_map = state.type() == StateType::map;
  if (is_map) note_iteration(child, parent, "Failed");
  std::erase(parent.fork->branches, child.id);
  execution_.erase_branch(child.id);
  abort_children(parent);
  parent.fork.reset();
  parent.previous_event = before;
  parts_.failures.fail_state(parent, failure, is_map ? "MapStateFailed" : "ParallelStateFailed");
}

void Forks::abort_children(Branch& parent) {
  std::vector<std::int64_t> children;
  if (parent.fork) children = std::exchange(parent.fork->branches, {});
  std::ranges::sort(children);
  const bool is_map = step_.state_of(parent).type() == StateType::map;
  for (const std::int64_t id : children) {
    Branch& child = *step_.change(id);
    abort_children(child);
    const bool entered = child.phase != Phase::entering;
    step_.stop_waiting(child);
    if (entered) {
      step_.event(child, std::string(to_string(step_.state_of(child).type())) + "StateAborted");
    }
    if (is_map) note_iteration(child, parent, "Aborted");
    execution_.erase_branch(id);
  }
  if (parent.phase == Phase::running_children) step_.decide(AbortChildren{parent.id});
}

Data Forks::items_of(Branch& branch, const State& state, const Scope& scope) {
  const MapState& map = state.map();
  if (state.language == QueryLanguage::jsonata) {
    Data items = map.items ? map.items->evaluate(scope) : branch.input.get();
    const bool members = map.distributed && items->is_object();
    if (!items->is_array() && !members) {
      const QueryExpression* expression = map.items ? map.items->expression() : nullptr;
      if (expression != nullptr) throw expression->wrong_type("array", *items);
      step_.event(branch, "MapStateFailed");
      throw failure(kQueryEvaluationError,
                    "Map state input must be an array but was: " + base::to_text(*items));
    }
    return items;
  }
  const std::string path = map.items_path ? map.items_path->text() : "$";
  const auto found =
      map.items_path ? look_up(*map.items_path, scope) : std::optional<Data>(scope.input.get());
  if (!found) {
    throw failure(kRuntime, "Invalid path '" + path + "' : No results for path: " +
                                query::normalised_path_text(*map.items_path));
  }
  const bool members = map.distributed && (*found)->is_object();
  if (!(*found)->is_array() && !members) {
    throw failure(kRuntime, "Reference path \"" + path + "\" must point to array.");
  }
  return *found;
}

std::int64_t Forks::concurrency_of(const State& state, const Scope& scope, std::int64_t most) {
  const Setting& setting = state.map().max_concurrency;
  if (!setting.given()) return most;
  const std::int64_t wanted = data_.map_number(setting, scope);
  if (wanted < 0) {
    throw failure(
        setting.expression() != nullptr ? kQueryEvaluationError : kRuntime,
        "The " + setting.field + " field must not be negative, but is " + std::to_string(wanted));
  }
  return wanted == 0 ? most : std::min(wanted, most);
}

json::array Forks::outputs_of(const Branch& branch, const State& state) const {
  const auto* map = state.if_is<MapState>();
  const auto* transformation =
      map != nullptr && map->writer ? map->writer->config.if_contains("Transformation") : nullptr;
  const bool flatten = transformation != nullptr && transformation->is_string() &&
                       transformation->get_string() == "FLATTEN";
  json::array results;
  for (std::int64_t i = 0; i < branch.fork->next; ++i) {
    const auto outcome = execution_.outcome(branch, i);
    // What failed and was tolerated is left out.
    if (!outcome || outcome->status != Status::succeeded) continue;
    const auto* list = outcome->output->if_array();
    if (flatten && list != nullptr) {
      results.insert(results.end(), list->begin(), list->end());
    } else {
      results.push_back(*outcome->output);
    }
  }
  return results;
}

}  // namespace andon::asl
