// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "asl/engine.hpp"
#include "asl/path_lookup.hpp"

namespace andon::asl {
namespace {

constexpr std::int64_t kMostInline = 40;

}  // namespace

void Engine::run_parallel(Branch& branch, const State& state) {
  const Data input = effective_input(branch, state);
  const Data request =
      state.parameters ? state.parameters->evaluate(scope_of(branch, input)) : input;
  event(branch, "ParallelStateStarted");
  branch.phase = Phase::joining;
  Fork& fork = branch.fork.emplace();
  fork.results.resize(state.branches.size());
  fork.running = static_cast<std::int64_t>(state.branches.size());
  const std::int64_t started = branch.previous_event;
  const std::int64_t parent = branch.id;
  for (std::size_t i = 0; i < state.branches.size(); ++i) {
    // `branch` stays where it is: a map's nodes do not move.
    Branch& child = add_branch(parent, static_cast<std::int64_t>(i), state.branches[i], request);
    child.previous_event = started;
  }
}

std::int64_t Engine::concurrency_of(const State& state, const Scope& scope, std::int64_t most) {
  const Setting& setting = state.map->max_concurrency;
  if (!setting.given()) return most;
  const std::int64_t wanted = whole_number(setting, scope);
  if (wanted < 0) {
    throw failure(
        setting.expression() != nullptr ? kQueryEvaluationError : kRuntime,
        "The " + setting.field + " field must not be negative, but is " + std::to_string(wanted));
  }
  return wanted == 0 ? most : std::min(wanted, most);
}

Data Engine::items_of(Branch& branch, const State& state, const Scope& scope) {
  const MapSettings& map = *state.map;
  if (state.language == QueryLanguage::jsonata) {
    Data items = map.items ? map.items->evaluate(scope) : branch.input;
    const bool members = map.distributed && items->is_object();
    if (!items->is_array() && !members) {
      const QueryExpression* expression = map.items ? map.items->expression() : nullptr;
      if (expression != nullptr) throw expression->wrong_type("array", *items);
      throw failure(kQueryEvaluationError,
                    "The items of the Map state must be an array, but are '" +
                        std::string(type_name(*items)) + "': " + base::to_text(*items))
          .at("Items");
    }
    return items;
  }
  const std::string path = map.items_path ? map.items_path->text() : "$";
  const auto found =
      map.items_path ? look_up(*map.items_path, scope) : std::optional<Data>(scope.input);
  if (!found) {
    throw failure(kRuntime, "Invalid path '" + path + "' : No results for path: " +
                                normalised_path_text(*map.items_path));
  }
  const bool members = map.distributed && (*found)->is_object();
  if (!(*found)->is_array() && !members) {
    throw failure(kRuntime, "Reference path \"" + path + "\" must point to array.");
  }
  return *found;
}

void Engine::run_map(Branch& branch, const State& state) {
  if (state.map->distributed) {
    run_distributed(branch, state);
    return;
  }
  const Scope scope = scope_of(branch, effective_input(branch, state));
  const Data items = items_of(branch, state, scope);
  const std::int64_t concurrency = concurrency_of(state, scope, kMostInline);
  const std::size_t count = items->get_array().size();
  HistoryEvent& started = event(branch, "MapStateStarted", "mapStateStartedEventDetails");
  started.members["length"] = static_cast<std::int64_t>(count);
  branch.phase = Phase::joining;
  Fork& fork = branch.fork.emplace();
  fork.items = items;
  fork.results.resize(count);
  fork.concurrency = concurrency;
  if (count == 0) {
    event_after(branch.previous_event, "MapStateSucceeded");
    complete(branch, state, make_data(json::array()));
    return;
  }
  start_iterations(branch, state, branch.previous_event);
}

Data Engine::item_input(Branch& branch, const State& state, std::int64_t index, MapItem& item) {
  const Fork& fork = *branch.fork;
  item.index = index;
  item.value = part_of(fork.items, fork.items->get_array()[static_cast<std::size_t>(index)]);
  if (!fork.keys.empty()) item.key = fork.keys[static_cast<std::size_t>(index)];
  if (!fork.source.empty()) item.source = fork.source;
  if (!state.map->selector) return item.value;
  // The selector sees the Map state's input, and this item in the context object.
  const std::optional<MapItem> own = branch.item;
  branch.item = item;
  context_.reset();
  struct Restore {
    Branch& branch;
    const std::optional<MapItem>& own;
    std::unique_ptr<ContextObject>& context;
    ~Restore() {
      branch.item = own;
      context.reset();
    }
  };
  const Restore restore{branch, own, context_};
  return state.map->selector->evaluate(scope_of(branch, effective_input(branch, state)));
}

void Engine::start_iterations(Branch& branch, const State& state, std::int64_t previous) {
  Fork& fork = *branch.fork;
  const auto count = static_cast<std::int64_t>(fork.results.size());
  while (fork.next < count && fork.running < fork.concurrency) {
    const std::int64_t index = fork.next++;
    MapItem item;
    const Data input = item_input(branch, state, index, item);
    HistoryEvent& started =
        event_after(previous, "MapIterationStarted", "mapIterationStartedEventDetails");
    started.members["name"] = state.name;
    started.members["index"] = index;
    const std::int64_t started_id = started.id;
    ++fork.running;
    Branch& child = add_branch(branch.id, index, state.map->flow, input);
    child.previous_event = started_id;
    child.item = std::move(item);
  }
}

void Engine::note_iteration(Branch& child, const Branch& parent, const std::string& what) {
  HistoryEvent& noted = event(child, "MapIteration" + what, "mapIteration" + what + "EventDetails");
  noted.members["name"] = parent.state;
  noted.members["index"] = child.index;
}

void Engine::child_finished(Branch& parent, Branch& child, const Data& output) {
  const State& state = state_of(parent);
  Fork& fork = *parent.fork;
  fork.results[static_cast<std::size_t>(child.index)] = output;
  --fork.running;
  ++fork.finished;
  const bool is_map = state.type == StateType::map;
  // AWS hangs the next iteration on the last event inside this one, not on this one's success.
  const std::int64_t inside = child.previous_event;
  if (is_map) note_iteration(child, parent, "Succeeded");
  const std::int64_t last = child.previous_event;
  execution_.branches.erase(child.id);
  guarded(parent, [&] {
    if (fork.finished < static_cast<std::int64_t>(fork.results.size())) {
      if (is_map) start_iterations(parent, state, inside);
      return;
    }
    parent.previous_event = last;
    // The Exited event that follows has the same predecessor as this one.
    event_after(last, is_map ? "MapStateSucceeded" : "ParallelStateSucceeded");
    json::array results;
    results.reserve(fork.results.size());
    for (const Data& result : fork.results) results.push_back(*result);
    complete(parent, state, make_data(std::move(results)));
  });
}

void Engine::abort_children(Branch& parent) {
  std::vector<std::int64_t> children;
  for (const auto& [id, branch] : execution_.branches) {
    if (branch.parent == parent.id) children.push_back(id);
  }
  const bool is_map = state_of(parent).type == StateType::map;
  for (const std::int64_t id : children) {
    Branch& child = *find(id);
    abort_children(child);
    const bool entered = child.phase != Phase::entering;
    stop_waiting(child);
    if (entered) {
      event(child, std::string(to_string(state_of(child).type)) + "StateAborted");
    }
    if (is_map) note_iteration(child, parent, "Aborted");
    execution_.branches.erase(id);
  }
  if (parent.phase == Phase::running_children) decide(AbortChildren{parent.id});
}

void Engine::child_failed(Branch& parent, Branch& child, const Failure& failure) {
  const State& state = state_of(parent);
  const std::int64_t before = child.previous_event;
  const bool is_map = state.type == StateType::map;
  if (is_map) note_iteration(child, parent, "Failed");
  execution_.branches.erase(child.id);
  abort_children(parent);
  parent.fork.reset();
  parent.previous_event = before;
  event(parent, is_map ? "MapStateFailed" : "ParallelStateFailed");
  fail_state(parent, failure);
}

}  // namespace andon::asl
