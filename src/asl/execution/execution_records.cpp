// SPDX-License-Identifier: Apache-2.0
#include "asl/execution/execution_records.hpp"

#include <algorithm>
#include <array>

#include <boost/json/monotonic_resource.hpp>

#include "base/error/error.hpp"

namespace andon::asl {
namespace {

constexpr std::array<std::string_view, 5> kStatuses = {"RUNNING", "SUCCEEDED", "FAILED",
                                                       "TIMED_OUT", "ABORTED"};
constexpr std::array<std::string_view, 9> kPhases = {
    "entering", "retrying",      "waiting",          "waiting_retry",  "working",
    "joining",  "reading_items", "running_children", "writing_results"};

// What is shorter stands in the record itself.
constexpr std::size_t kShortBytes = 1024;

std::string branch_key(std::int64_t id) {
  return "branch/" + std::to_string(id) + "/";
}
std::string items_prefix(std::int64_t id) {
  return branch_key(id) + "items/";
}
std::string outcome_key(std::int64_t id, std::int64_t index) {
  return branch_key(id) + "outcome/" + std::to_string(index) + "/";
}

bool is_short(const json::value& value, std::size_t& left) {
  const auto take = [&left](std::size_t bytes) {
    if (bytes > left) return false;
    left -= bytes;
    return true;
  };
  if (const auto* text = value.if_string()) return take(text->size() + 2);
  if (!take(4)) return false;
  if (const auto* list = value.if_array()) {
    return std::ranges::all_of(*list, [&](const auto& item) { return is_short(item, left); });
  }
  if (const auto* object = value.if_object()) {
    return std::ranges::all_of(*object, [&](const auto& member) {
      return take(member.key().size() + 4) && is_short(member.value(), left);
    });
  }
  return true;
}

bool is_short(const json::value& value) {
  std::size_t left = kShortBytes;
  return is_short(value, left);
}

template <typename T>
json::value maybe(const std::optional<T>& value) {
  return value ? json::value(*value) : json::value(nullptr);
}

// A document stands as null (none), [value], or the key of its own record.
json::value in_place(const Data& data) {
  if (data == nullptr) return nullptr;
  json::array holder;
  holder.push_back(*data);
  return holder;
}

// ---- reading: typed, naming what is wrong; a state that does not fit is never guessed at

std::string text(const json::object& object, std::string_view key) {
  return std::string(object.at(key).as_string());
}
std::int64_t number(const json::object& object, std::string_view key) {
  return object.at(key).to_number<std::int64_t>();
}
std::vector<std::int64_t> numbers(const json::object& object, std::string_view key) {
  std::vector<std::int64_t> list;
  for (const auto& value : object.at(key).as_array()) list.push_back(value.as_int64());
  return list;
}
std::optional<std::string> maybe_text(const json::value& value) {
  if (value.is_null()) return std::nullopt;
  return std::string(value.as_string());
}
template <std::size_t Count>
std::size_t place(const std::array<std::string_view, Count>& names, const std::string& name) {
  for (std::size_t i = 0; i < Count; ++i) {
    if (names[i] == name) return i;
  }
  throw base::Error(base::ErrorCode::data_corrupted, "unknown word '" + name + "'");
}

template <typename Read>
auto reading(const std::string& key, const Read& read) {
  try {
    return read();
  } catch (const std::exception& error) {
    throw base::Error(base::ErrorCode::data_corrupted,
                      "the stored execution cannot be read: record '" + key + "': " + error.what());
  }
}

Held read_held(const json::value& value, const std::shared_ptr<const RecordSource>& source) {
  if (value.is_null()) return {};
  if (const auto* list = value.if_array()) return make_data(list->at(0));
  return {std::string(value.as_string()), source};
}

std::optional<MapItem> read_item(const json::value& value,
                                 const std::shared_ptr<const RecordSource>& source) {
  if (value.is_null()) return std::nullopt;
  const json::object& object = value.as_object();
  return MapItem{number(object, "index"), read_held(object.at("value"), source),
                 maybe_text(object.at("key")), maybe_text(object.at("source"))};
}

Fork read_fork(const json::object& object, std::int64_t branch,
               const std::shared_ptr<const RecordSource>& source) {
  Fork fork;
  fork.request = read_held(object.at("request"), source);
  fork.items = MapItems::from_json(object.at("items"), items_prefix(branch), source);
  fork.count = number(object, "count");
  fork.next = number(object, "next");
  fork.running = number(object, "running");
  fork.concurrency = number(object, "concurrency");
  fork.branches = numbers(object, "branches");
  fork.map_run = text(object, "mapRun");
  fork.source = text(object, "source");
  fork.failed = number(object, "failed");
  fork.failed_items = number(object, "failedItems");
  if (!object.at("toleratedCount").is_null()) {
    fork.tolerated_count = number(object, "toleratedCount");
  }
  if (!object.at("toleratedPercentage").is_null()) {
    fork.tolerated_percentage = object.at("toleratedPercentage").to_number<double>();
  }
  fork.batch_items = number(object, "batchItems");
  fork.batch_bytes = number(object, "batchBytes");
  fork.next_item = number(object, "nextItem");
  fork.stored = true;
  return fork;
}

json::value write_fork(const Fork& fork, json::value request) {
  return json::object{{"request", std::move(request)},
                      {"items", fork.items.to_json()},
                      {"count", fork.count},
                      {"next", fork.next},
                      {"running", fork.running},
                      {"concurrency", fork.concurrency},
                      {"branches", json::array(fork.branches.begin(), fork.branches.end())},
                      {"mapRun", fork.map_run},
                      {"source", fork.source},
                      {"failed", fork.failed},
                      {"failedItems", fork.failed_items},
                      {"toleratedCount", maybe(fork.tolerated_count)},
                      {"toleratedPercentage", maybe(fork.tolerated_percentage)},
                      {"batchItems", fork.batch_items},
                      {"batchBytes", fork.batch_bytes},
                      {"nextItem", fork.next_item}};
}

Branch parse_branch(const json::object& object, std::int64_t id,
                    const std::shared_ptr<const RecordSource>& source) {
  Branch branch;
  branch.id = id;
  branch.parent = number(object, "parent");
  branch.index = number(object, "index");
  branch.flow = static_cast<std::size_t>(number(object, "flow"));
  branch.state = text(object, "state");
  branch.phase = static_cast<Phase>(place(kPhases, text(object, "phase")));
  branch.input = read_held(object.at("input"), source);
  for (const auto& member : object.at("variables").as_object()) {
    branch.variables[member.key()] = read_held(member.value(), source);
  }
  branch.variable_bytes = number(object, "variableBytes");
  branch.item = read_item(object.at("item"), source);
  branch.previous_event = number(object, "previousEvent");
  branch.entered_event = number(object, "enteredEvent");
  branch.entered_at = base::from_epoch_millis(number(object, "enteredAt"));
  branch.attempts = numbers(object, "attempts");
  branch.retry_count = number(object, "retryCount");
  branch.task_token = text(object, "taskToken");
  branch.task = number(object, "task");
  branch.task_started = object.at("taskStarted").as_bool();
  branch.timer = number(object, "timer");
  branch.timeout = number(object, "timeout");
  branch.heartbeat = number(object, "heartbeat");
  branch.heartbeat_seconds = number(object, "heartbeatSeconds");
  branch.next_document = number(object, "nextDocument");
  for (const auto& key : object.at("documents").as_array()) {
    branch.documents.emplace(key.as_string());
  }
  if (const json::value& fork = object.at("fork"); !fork.is_null()) {
    branch.fork = read_fork(fork.as_object(), id, source);
  }
  branch.fork_stored = branch.fork.has_value();
  return branch;
}

}  // namespace

std::string_view to_string(Status status) {
  return kStatuses.at(static_cast<std::size_t>(status));
}

std::optional<Branch> read_branch(std::int64_t id,
                                  const std::shared_ptr<const RecordSource>& source) {
  const std::string key = branch_key(id);
  const auto value = find_record(*source, key);
  if (!value) return std::nullopt;
  return reading(key, [&] { return parse_branch(value->as_object(), id, source); });
}

std::optional<Outcome> read_outcome(std::int64_t branch, std::int64_t index,
                                    const RecordSource& source) {
  const std::string key = outcome_key(branch, index);
  const auto value = find_record(source, key);
  if (!value) return std::nullopt;
  return reading(key, [&] {
    const json::object& object = value->as_object();
    Outcome outcome;
    outcome.status = static_cast<Status>(place(kStatuses, text(object, "status")));
    outcome.items = number(object, "items");
    if (const auto* output = object.if_contains("output")) outcome.output = make_data(*output);
    if (const auto* error = object.if_contains("error")) outcome.error = error->as_string();
    if (const auto* cause = object.if_contains("cause")) outcome.cause = cause->as_string();
    return outcome;
  });
}

void keep_in_records(Branch& branch, const std::shared_ptr<const RecordSource>& source) {
  Fork& fork = *branch.fork;
  if (!fork.stored) return;
  fork.items.read_from(items_prefix(branch.id), source);
  if (source != nullptr && fork.unstored.empty()) fork.outcomes.clear();
}

// Puts what has changed into records.
class RecordWriter {
 public:
  explicit RecordWriter(ExecutionState& state) : state_(state) {}

  Changes write() {
    if (!state_.begun_) write_begin();
    if (state_.all_erased_) {
      changes_.erase.emplace_back("branch/");
    } else {
      for (const std::int64_t id : state_.erased_) changes_.erase.push_back(branch_key(id));
    }
    // Parents first (their numbers are smaller): children may share their documents.
    for (const std::int64_t id : state_.changed_) write_branch(state_.branches_.at(id));
    write_now();
    state_.begun_ = true;
    state_.all_erased_ = false;
    state_.erased_.clear();
    state_.changed_.clear();
    return std::move(changes_);
  }

 private:
  void put(std::string key, const json::value& value) {
    changes_.put.emplace_back(std::move(key), base::to_text(value));
  }

  // A document of the execution itself, in `key` where it is long.
  json::value begin_document(Held& held, const char* key) {
    const Data& data = held.get();
    if (data == nullptr || is_short(*data)) return in_place(data);
    put(key, *data);
    held.stored_as(key);
    return key;
  }

  json::value item(const std::optional<MapItem>& item, json::value value) {
    if (!item) return nullptr;
    return json::object{{"index", item->index},
                        {"value", std::move(value)},
                        {"key", maybe(item->key)},
                        {"source", maybe(item->source)}};
  }

  void write_begin() {
    json::object begin{{"arn", state_.arn},
                       {"name", state_.name},
                       {"roleArn", state_.role_arn},
                       {"machineArn", state_.machine_arn},
                       {"machineName", state_.machine_name},
                       {"region", state_.region},
                       {"startedAt", base::to_epoch_millis(state_.started_at)},
                       {"flow", state_.flow}};
    begin["input"] = begin_document(state_.input, "begin/input/");
    json::value item_value;
    if (state_.item) item_value = begin_document(state_.item->value, "begin/item/");
    begin["item"] = item(state_.item, std::move(item_value));
    put("begin/", begin);
  }

  json::value redriven_at() const {
    if (!state_.redriven_at) return nullptr;
    return base::to_epoch_millis(*state_.redriven_at);
  }

  void write_now() {
    std::string text =
        base::to_text(json::object{{"status", to_string(state_.status)},
                                   {"output", in_place(state_.output)},
                                   {"error", maybe(state_.error)},
                                   {"cause", maybe(state_.cause)},
                                   {"ready", json::array(state_.ready.begin(), state_.ready.end())},
                                   {"nextBranch", state_.next_branch_},
                                   {"nextNumber", state_.next_number_},
                                   {"mainBranch", state_.main_branch},
                                   {"nextEvent", state_.next_event},
                                   {"executionTimer", state_.execution_timer},
                                   {"variableBytes", state_.variable_bytes},
                                   {"redriveCount", state_.redrive_count},
                                   {"redrivenAt", redriven_at()}});
    if (text == state_.now_record_) return;
    state_.now_record_ = text;
    changes_.put.emplace_back("now/", std::move(text));
  }

  // The key of the record of `data`, where `branch` or what outlives it has one; else "".
  std::string key_of(const Data& data, const Branch& branch) const {
    const auto is_it = [&data](const Held& held) {
      return held.in_memory() == data && !held.key().empty();
    };
    for (const Branch* at = &branch; at != nullptr; at = state_.find(at->parent)) {
      if (is_it(at->input)) return at->input.key();
      if (at->item && is_it(at->item->value)) return at->item->value.key();
      if (at->fork && is_it(at->fork->request)) return at->fork->request.key();
      for (const auto& [name, held] : at->variables) {
        if (is_it(held)) return held.key();
      }
    }
    if (is_it(state_.input)) return state_.input.key();
    return state_.item && is_it(state_.item->value) ? state_.item->value.key() : "";
  }

  json::value document(Held& held, Branch& branch, std::set<std::string>& used) {
    if (held.empty()) return nullptr;
    if (held.key().empty()) {
      const Data& data = held.get();
      if (is_short(*data)) return in_place(data);
      std::string key = key_of(data, branch);
      if (key.empty()) {
        key = branch_key(branch.id) + "data/" + std::to_string(branch.next_document++) + "/";
        put(key, *data);
      }
      held.stored_as(std::move(key));
    }
    if (held.key().starts_with(branch_key(branch.id))) used.insert(held.key());
    return json::value(held.key());
  }

  void write_branch(Branch& branch) {
    std::set<std::string> used;
    // Built in place and let go as a whole: this is what most steps of most executions do.
    std::array<unsigned char, 8192> memory;  // NOLINT(cppcoreguidelines-pro-type-member-init)
    json::monotonic_resource resource(memory.data(), memory.size());
    json::object record(&resource);
    record.reserve(32);
    record["parent"] = branch.parent;
    record["index"] = branch.index;
    record["flow"] = branch.flow;
    record["state"] = branch.state;
    record["phase"] = kPhases.at(static_cast<std::size_t>(branch.phase));
    record["input"] = document(branch.input, branch, used);
    json::object variables;
    for (auto& [name, held] : branch.variables) variables[name] = document(held, branch, used);
    record["variables"] = std::move(variables);
    record["variableBytes"] = branch.variable_bytes;
    json::value item_value;
    if (branch.item) item_value = document(branch.item->value, branch, used);
    record["item"] = item(branch.item, std::move(item_value));
    record["previousEvent"] = branch.previous_event;
    record["enteredEvent"] = branch.entered_event;
    record["enteredAt"] = base::to_epoch_millis(branch.entered_at);
    record["attempts"] = json::array(branch.attempts.begin(), branch.attempts.end());
    record["retryCount"] = branch.retry_count;
    record["taskToken"] = branch.task_token;
    record["task"] = branch.task;
    record["taskStarted"] = branch.task_started;
    record["timer"] = branch.timer;
    record["timeout"] = branch.timeout;
    record["heartbeat"] = branch.heartbeat;
    record["heartbeatSeconds"] = branch.heartbeat_seconds;
    record["fork"] = write_fork_of(branch, used);
    for (const std::string& key : branch.documents) {
      if (!used.contains(key)) changes_.erase.push_back(key);
    }
    branch.documents = std::move(used);
    record["nextDocument"] = branch.next_document;
    record["documents"] = json::array(branch.documents.begin(), branch.documents.end());
    put(branch_key(branch.id), json::value(std::move(record)));
  }

  json::value write_fork_of(Branch& branch, std::set<std::string>& used) {
    if (branch.fork_stored && !(branch.fork && branch.fork->stored)) {
      changes_.erase.push_back(items_prefix(branch.id));
      changes_.erase.push_back(branch_key(branch.id) + "outcome/");
    }
    branch.fork_stored = branch.fork.has_value();
    if (!branch.fork) return nullptr;
    Fork& fork = *branch.fork;
    fork.items.store(items_prefix(branch.id), changes_.put);
    for (const std::int64_t index : fork.unstored) {
      write_outcome(outcome_key(branch.id, index), fork.outcomes.at(index));
    }
    fork.unstored.clear();
    fork.stored = true;
    if (state_.source_ != nullptr) keep_in_records(branch, state_.source_);
    return write_fork(fork, document(fork.request, branch, used));
  }

  void write_outcome(std::string key, const Outcome& outcome) {
    json::object record{{"status", to_string(outcome.status)}, {"items", outcome.items}};
    if (outcome.output != nullptr) record["output"] = *outcome.output;
    if (!outcome.error.empty()) record["error"] = outcome.error;
    if (!outcome.cause.empty()) record["cause"] = outcome.cause;
    put(std::move(key), record);
  }

  ExecutionState& state_;
  Changes changes_;
};

Changes ExecutionState::take_changes() {
  return RecordWriter(*this).write();
}

ExecutionState load_execution(std::shared_ptr<const RecordSource> source) {
  ExecutionState state;
  const json::value begin = read_record(source.get(), "begin/");
  reading("begin/", [&] {
    const json::object& object = begin.as_object();
    state.arn = text(object, "arn");
    state.name = text(object, "name");
    state.role_arn = text(object, "roleArn");
    state.machine_arn = text(object, "machineArn");
    state.machine_name = text(object, "machineName");
    state.region = text(object, "region");
    state.started_at = base::from_epoch_millis(number(object, "startedAt"));
    state.input = read_held(object.at("input"), source);
    state.flow = static_cast<std::size_t>(number(object, "flow"));
    state.item = read_item(object.at("item"), source);
  });
  const json::value now = read_record(source.get(), "now/");
  reading("now/", [&] {
    const json::object& object = now.as_object();
    state.status = static_cast<Status>(place(kStatuses, text(object, "status")));
    state.output = read_held(object.at("output"), source).get();
    state.error = maybe_text(object.at("error"));
    state.cause = maybe_text(object.at("cause"));
    for (const std::int64_t id : numbers(object, "ready")) state.ready.push_back(id);
    state.next_branch_ = number(object, "nextBranch");
    state.next_number_ = number(object, "nextNumber");
    state.next_event = number(object, "nextEvent");
    state.execution_timer = number(object, "executionTimer");
    state.variable_bytes = number(object, "variableBytes");
    // Records of before there were redrives have neither.
    if (object.contains("redriveCount")) {
      state.redrive_count = number(object, "redriveCount");
      if (!object.at("redrivenAt").is_null()) {
        state.redriven_at = base::from_epoch_millis(number(object, "redrivenAt"));
      }
    }
    // Nor do those of before a redrive's main flow had a number of its own.
    if (object.contains("mainBranch")) state.main_branch = number(object, "mainBranch");
    state.now_record_ = base::to_text(now);
  });
  state.begun_ = true;
  state.source_ = std::move(source);
  return state;
}

}  // namespace andon::asl
