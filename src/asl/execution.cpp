// SPDX-License-Identifier: Apache-2.0
#include "asl/execution.hpp"

#include <array>
#include <unordered_map>

#include "base/error.hpp"

namespace andon::asl {
namespace {

constexpr std::array<std::string_view, 5> kStatuses = {"RUNNING", "SUCCEEDED", "FAILED",
                                                       "TIMED_OUT", "ABORTED"};
constexpr std::array<std::string_view, 9> kPhases = {
    "entering", "retrying",      "waiting",          "waiting_retry",  "working",
    "joining",  "reading_items", "running_children", "writing_results"};

// Documents that several places share are written once and named by their number.
class Writer {
 public:
  json::value put(const Data& data) {
    if (data == nullptr) return nullptr;
    const auto [place, fresh] = numbers_.try_emplace(data.get(), documents.size());
    if (fresh) documents.push_back(*data);
    return static_cast<std::int64_t>(place->second);
  }
  json::array documents;

 private:
  std::unordered_map<const json::value*, std::size_t> numbers_;
};

template <typename T>
json::value maybe(const std::optional<T>& value) {
  return value ? json::value(*value) : json::value(nullptr);
}

json::value put_item(Writer& writer, const std::optional<MapItem>& item) {
  if (!item) return nullptr;
  return json::object{{"index", item->index},
                      {"value", writer.put(item->value)},
                      {"key", maybe(item->key)},
                      {"source", maybe(item->source)}};
}

json::value put_fork(Writer& writer, const std::optional<Fork>& fork) {
  if (!fork) return nullptr;
  json::array results;
  for (const Data& result : fork->results) results.push_back(writer.put(result));
  json::array keys(fork->keys.begin(), fork->keys.end());
  json::array batches(fork->batch_sizes.begin(), fork->batch_sizes.end());
  return json::object{{"items", writer.put(fork->items)},
                      {"results", std::move(results)},
                      {"keys", std::move(keys)},
                      {"next", fork->next},
                      {"running", fork->running},
                      {"finished", fork->finished},
                      {"concurrency", fork->concurrency},
                      {"mapRun", fork->map_run},
                      {"source", fork->source},
                      {"failed", fork->failed},
                      {"failedItems", fork->failed_items},
                      {"totalItems", fork->total_items},
                      {"toleratedCount", maybe(fork->tolerated_count)},
                      {"toleratedPercentage", maybe(fork->tolerated_percentage)},
                      {"batchSizes", std::move(batches)},
                      {"nextItem", fork->next_item},
                      {"outcomes", fork->outcomes}};
}

json::value put_branch(Writer& writer, const Branch& branch) {
  json::object variables;
  for (const auto& [name, data] : branch.variables) variables[name] = writer.put(data);
  json::array attempts(branch.attempts.begin(), branch.attempts.end());
  return json::object{{"id", branch.id},
                      {"parent", branch.parent},
                      {"index", branch.index},
                      {"flow", branch.flow},
                      {"state", branch.state},
                      {"phase", kPhases.at(static_cast<std::size_t>(branch.phase))},
                      {"input", writer.put(branch.input)},
                      {"variables", std::move(variables)},
                      {"variableBytes", branch.variable_bytes},
                      {"item", put_item(writer, branch.item)},
                      {"previousEvent", branch.previous_event},
                      {"enteredEvent", branch.entered_event},
                      {"enteredAt", base::to_epoch_millis(branch.entered_at)},
                      {"attempts", std::move(attempts)},
                      {"retryCount", branch.retry_count},
                      {"taskToken", branch.task_token},
                      {"task", branch.task},
                      {"taskStarted", branch.task_started},
                      {"timer", branch.timer},
                      {"timeout", branch.timeout},
                      {"heartbeat", branch.heartbeat},
                      {"heartbeatSeconds", branch.heartbeat_seconds},
                      {"fork", put_fork(writer, branch.fork)}};
}

// Typed reads that name what is wrong; a state that does not fit is never guessed at.
class Reader {
 public:
  explicit Reader(const json::value& value) : root_(value.as_object()) {
    for (const auto& document : root_.at("documents").as_array()) {
      documents_.push_back(make_data(document));
    }
  }

  ExecutionState read() {
    ExecutionState state;
    state.arn = text(root_, "arn");
    state.name = text(root_, "name");
    state.role_arn = text(root_, "roleArn");
    state.machine_arn = text(root_, "machineArn");
    state.machine_name = text(root_, "machineName");
    state.region = text(root_, "region");
    state.started_at = base::from_epoch_millis(number(root_, "startedAt"));
    state.input = data(root_.at("input"));
    state.flow = static_cast<std::size_t>(number(root_, "flow"));
    state.item = item(root_.at("item"));
    state.status = static_cast<Status>(place(kStatuses, text(root_, "status")));
    state.output = data(root_.at("output"));
    state.error = maybe_text(root_.at("error"));
    state.cause = maybe_text(root_.at("cause"));
    for (const auto& value : root_.at("branches").as_array()) {
      Branch read = branch(value.as_object());
      const std::int64_t id = read.id;
      state.branches.emplace(id, std::move(read));
    }
    for (const auto& id : root_.at("ready").as_array()) state.ready.push_back(id.as_int64());
    state.next_branch = number(root_, "nextBranch");
    state.next_event = number(root_, "nextEvent");
    state.next_task = number(root_, "nextTask");
    state.next_timer = number(root_, "nextTimer");
    state.execution_timer = number(root_, "executionTimer");
    return state;
  }

 private:
  static std::string text(const json::object& object, std::string_view key) {
    return std::string(object.at(key).as_string());
  }
  static std::int64_t number(const json::object& object, std::string_view key) {
    return object.at(key).to_number<std::int64_t>();
  }
  static std::optional<std::string> maybe_text(const json::value& value) {
    if (value.is_null()) return std::nullopt;
    return std::string(value.as_string());
  }
  template <std::size_t Count>
  static std::size_t place(const std::array<std::string_view, Count>& names,
                           const std::string& name) {
    for (std::size_t i = 0; i < Count; ++i) {
      if (names[i] == name) return i;
    }
    throw base::Error(base::ErrorCode::data_corrupted, "unknown word '" + name + "'");
  }
  Data data(const json::value& value) const {
    if (value.is_null()) return nullptr;
    return documents_.at(value.to_number<std::size_t>());
  }
  std::optional<MapItem> item(const json::value& value) const {
    if (value.is_null()) return std::nullopt;
    const json::object& object = value.as_object();
    return MapItem{number(object, "index"), data(object.at("value")), maybe_text(object.at("key")),
                   maybe_text(object.at("source"))};
  }
  std::optional<Fork> fork(const json::value& value) const {
    if (value.is_null()) return std::nullopt;
    const json::object& object = value.as_object();
    Fork fork;
    fork.items = data(object.at("items"));
    for (const auto& result : object.at("results").as_array()) fork.results.push_back(data(result));
    for (const auto& key : object.at("keys").as_array()) fork.keys.emplace_back(key.as_string());
    fork.next = number(object, "next");
    fork.running = number(object, "running");
    fork.finished = number(object, "finished");
    fork.concurrency = number(object, "concurrency");
    fork.map_run = text(object, "mapRun");
    fork.source = text(object, "source");
    fork.failed = number(object, "failed");
    fork.failed_items = number(object, "failedItems");
    fork.total_items = number(object, "totalItems");
    if (!object.at("toleratedCount").is_null()) {
      fork.tolerated_count = number(object, "toleratedCount");
    }
    if (!object.at("toleratedPercentage").is_null()) {
      fork.tolerated_percentage = object.at("toleratedPercentage").to_number<double>();
    }
    for (const auto& size : object.at("batchSizes").as_array()) {
      fork.batch_sizes.push_back(size.as_int64());
    }
    fork.next_item = number(object, "nextItem");
    fork.outcomes = object.at("outcomes").as_array();
    return fork;
  }
  Branch branch(const json::object& object) const {
    Branch branch;
    branch.id = number(object, "id");
    branch.parent = number(object, "parent");
    branch.index = number(object, "index");
    branch.flow = static_cast<std::size_t>(number(object, "flow"));
    branch.state = text(object, "state");
    branch.phase = static_cast<Phase>(place(kPhases, text(object, "phase")));
    branch.input = data(object.at("input"));
    for (const auto& member : object.at("variables").as_object()) {
      branch.variables[member.key()] = data(member.value());
    }
    branch.variable_bytes = number(object, "variableBytes");
    branch.item = item(object.at("item"));
    branch.previous_event = number(object, "previousEvent");
    branch.entered_event = number(object, "enteredEvent");
    branch.entered_at = base::from_epoch_millis(number(object, "enteredAt"));
    for (const auto& count : object.at("attempts").as_array()) {
      branch.attempts.push_back(count.as_int64());
    }
    branch.retry_count = number(object, "retryCount");
    branch.task_token = text(object, "taskToken");
    branch.task = number(object, "task");
    branch.task_started = object.at("taskStarted").as_bool();
    branch.timer = number(object, "timer");
    branch.timeout = number(object, "timeout");
    branch.heartbeat = number(object, "heartbeat");
    branch.heartbeat_seconds = number(object, "heartbeatSeconds");
    branch.fork = fork(object.at("fork"));
    return branch;
  }

  const json::object& root_;
  std::vector<Data> documents_;
};

}  // namespace

std::string_view to_string(Status status) {
  return kStatuses.at(static_cast<std::size_t>(status));
}

json::value to_json(const ExecutionState& state) {
  Writer writer;
  json::array branches;
  for (const auto& [id, branch] : state.branches) branches.push_back(put_branch(writer, branch));
  json::array ready(state.ready.begin(), state.ready.end());
  json::object result{{"arn", state.arn},
                      {"name", state.name},
                      {"roleArn", state.role_arn},
                      {"machineArn", state.machine_arn},
                      {"machineName", state.machine_name},
                      {"region", state.region},
                      {"startedAt", base::to_epoch_millis(state.started_at)},
                      {"input", writer.put(state.input)},
                      {"flow", state.flow},
                      {"item", put_item(writer, state.item)},
                      {"status", to_string(state.status)},
                      {"output", writer.put(state.output)},
                      {"error", maybe(state.error)},
                      {"cause", maybe(state.cause)},
                      {"branches", std::move(branches)},
                      {"ready", std::move(ready)},
                      {"nextBranch", state.next_branch},
                      {"nextEvent", state.next_event},
                      {"nextTask", state.next_task},
                      {"nextTimer", state.next_timer},
                      {"executionTimer", state.execution_timer}};
  result["documents"] = std::move(writer.documents);
  return result;
}

ExecutionState execution_from_json(const json::value& value) {
  try {
    return Reader(value).read();
  } catch (const base::Error& error) {
    throw base::Error(base::ErrorCode::data_corrupted,
                      "the stored execution state cannot be read: " + error.message());
  } catch (const std::exception& error) {
    throw base::Error(base::ErrorCode::data_corrupted,
                      std::string("the stored execution state cannot be read: ") + error.what());
  }
}

}  // namespace andon::asl
