// SPDX-License-Identifier: Apache-2.0
// What follows from a commit: calls, children, items, results. Each may be repeated after a crash,
// until the answer to it is committed, and then knows itself again by its name or token.
#include <algorithm>
#include <future>
#include <utility>

#include "base/error/error.hpp"
#include "base/json/json_members.hpp"
#include "base/log/log.hpp"
#include "workflow/drive/driver.hpp"
#include "workflow/drive/state.hpp"
#include "workflow/shared/refusal.hpp"

namespace andon::workflow {
namespace {

// Fixed at its start. After a crash it stands in the records alone.
std::string role_of(const store::Database& database, const Execution& row) {
  return !row.role.empty() ? row.role : asl::load_execution(records_of(database, row.id)).role_arn;
}

asl::Data data_at(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return asl::make_data(value == nullptr ? json::value() : *value);
}

// Calls of others, kept short for a cause.
std::string what_of(const std::exception& error) {
  constexpr std::size_t kMostCause = 32'768;
  return std::string(error.what()).substr(0, kMostCause);
}

// Items that a reading before a crash has brought so far.
std::int64_t items_stored(const store::Database& database, std::int64_t execution,
                          std::int64_t branch) {
  const asl::ExecutionState state = asl::load_execution(records_of(database, execution));
  const asl::Branch* map = state.find(branch);
  return map == nullptr || !map->fork ? 0 : map->fork->items.size();
}

// Takes from `count` what was there to drop.
asl::Data without_first(const asl::Data& items, std::int64_t& count) {
  const auto* list = items->if_array();
  if (count == 0 || list == nullptr) return items;
  const auto dropped = std::min<std::int64_t>(count, static_cast<std::int64_t>(list->size()));
  count -= dropped;
  return asl::make_data(json::array(list->begin() + dropped, list->end()));
}

json::object described(const Execution& child) {
  json::object told{{"ExecutionArn", child.arn},
                    {"Input", child.input},
                    {"InputDetails", {{"Included", true}}},
                    {"Name", child.name},
                    {"RedriveCount", child.redrive_count},
                    {"StartDate", base::to_iso8601(child.started)},
                    {"StateMachineArn", child.machine},
                    {"Status", asl::to_string(child.status)}};
  if (child.stopped) told["StopDate"] = base::to_iso8601(*child.stopped);
  if (child.output) {
    told["Output"] = *child.output;
    told["OutputDetails"] = {{"Included", true}};
  }
  if (child.error) told["Error"] = *child.error;
  if (child.cause) told["Cause"] = *child.cause;
  return told;
}

// What is told of the children of a map run, one after the other.
void each_child(const Driver::Parts& parts, std::int64_t execution, const asl::WriteResults& wanted,
                const std::function<void(const json::object&)>& take) {
  constexpr std::size_t kPage = 200;
  bool has_rows = false;
  PageOf page{.limit = kPage, .after = {}};
  while (true) {
    ExecutionFilter filter;
    filter.map_run = wanted.map_run;
    const auto listed = parts.executions.list(filter, page);
    for (const Execution& child : listed.items) take(described(child));
    has_rows = has_rows || !listed.items.empty();
    if (!listed.next) break;
    page.after = *listed.next;
  }
  if (has_rows) return;
  // Express children leave no rows. Nothing happens to the Map until this is answered, so that its
  // records stand still.
  const asl::ExecutionState state = asl::load_execution(records_of(parts.database, execution));
  asl::each_outcome(state, wanted, [&](std::int64_t index, const asl::Outcome& outcome) {
    json::object told{{"Index", index}, {"Status", asl::to_string(outcome.status)}};
    if (outcome.output != nullptr) told["Output"] = base::to_text(*outcome.output);
    if (!outcome.error.empty()) told["Error"] = outcome.error;
    if (!outcome.cause.empty()) told["Cause"] = outcome.cause;
    take(told);
  });
}

}  // namespace

void Driver::carry_out(const Execution& row, const TaskRow& task) {
  switch (task.key.kind) {
    case TaskKind::task:
      return carry_out_task(row, task);
    case TaskKind::child:
      return carry_out_child(row, task);
    case TaskKind::items:
      return carry_out_items(row, task);
    case TaskKind::results:
      return carry_out_results(row, task);
  }
}

void Driver::carry_out_task(const Execution& row, const TaskRow& task) {
  const std::int64_t id = row.id;
  const std::int64_t number = task.key.number;
  if (!task.activity.empty()) {
    if (activity_listener_) activity_listener_(task.activity);
    return;
  }
  const asl::Resource resource = asl::Resource::parse(base::text_at(task.body, "resource"));
  // Only an answer from outside is still missing.
  if (task.submitted && resource.pattern == asl::Resource::Pattern::task_token) return;
  Integration* integration = parts_.integrations.find(resource);
  if (integration == nullptr) {
    post(id, asl::TaskFailed{number, "States.Runtime",
                             "The resource '" + resource.text + "' is not there any more"});
    return;
  }
  TaskRequest request{.execution = id,
                      .number = number,
                      .execution_arn = row.arn,
                      .machine_arn = row.machine,
                      .role_arn = role_of(parts_.database, row),
                      .task_role = base::text_at(task.body, "taskRole"),
                      .region = parts_.arns.region(),
                      .state = base::text_at(task.body, "state"),
                      .resource = resource,
                      .parameters = data_at(task.body, "parameters"),
                      .token = base::text_at(task.body, "token"),
                      .idempotency_token = derived_uuid(row.arn + "/" + std::to_string(number))};
  if (const auto* heartbeat = task.body.if_contains("heartbeat")) {
    request.heartbeat_seconds = heartbeat->to_number<std::int64_t>();
  }
  {
    const std::lock_guard lock(mutex_);
    in_flight_[{id, task.key}] = {request, integration, task.submitted};
  }
  const TaskReply reply([gate = gate_, id, number](TaskReply::Kind kind, const asl::Data& output,
                                                   const std::string& error,
                                                   const std::string& cause) {
    const std::shared_lock lock(gate->mutex);
    if (gate->driver != nullptr) gate->driver->answer(id, number, kind, output, error, cause);
  });
  effects_.post([integration, request, reply, again = task.submitted] {
    try {
      if (again) {
        integration->resume(request, reply);
      } else {
        integration->start(request, reply);
      }
    } catch (const TaskFailure& failure) {
      reply.failed(failure.error(), failure.cause());
    } catch (const std::exception& error) {
      reply.failed("States.TaskFailed", what_of(error));
    }
  });
}

void Driver::answer(std::int64_t execution, std::int64_t number, TaskReply::Kind kind,
                    const asl::Data& output, const std::string& error, const std::string& cause) {
  const TaskKey key{TaskKind::task, number, 0};
  switch (kind) {
    case TaskReply::Kind::submitted: {
      bool is_token = false;
      {
        const std::lock_guard lock(mutex_);
        const auto found = in_flight_.find({execution, key});
        if (found == in_flight_.end() || std::exchange(found->second.is_submitted, true)) return;
        is_token = found->second.request.resource.pattern == asl::Resource::Pattern::task_token;
        // From here on only its token ends it.
        if (is_token) in_flight_.erase(found);
      }
      post(execution, asl::TaskSubmitted{number, output});
      return;
    }
    case TaskReply::Kind::alive: {
      {
        const std::lock_guard lock(mutex_);
        const auto found = in_flight_.find({execution, key});
        if (found == in_flight_.end() || found->second.request.heartbeat_seconds == 0) return;
      }
      // One that is lost on the way is followed by another.
      post(execution, asl::TaskHeartbeat{number}, [](const std::exception_ptr&) {});
      return;
    }
    case TaskReply::Kind::succeeded:
    case TaskReply::Kind::failed: {
      {
        const std::lock_guard lock(mutex_);
        if (in_flight_.erase({execution, key}) == 0) return;
      }
      if (kind == TaskReply::Kind::succeeded) {
        post(execution, asl::TaskSucceeded{number, output});
      } else {
        post(execution, asl::TaskFailed{number, error, cause});
      }
      return;
    }
  }
}

void Driver::cancel(std::int64_t execution, const TaskKey& key) {
  std::optional<InFlight> flight;
  {
    const std::lock_guard lock(mutex_);
    const auto found = in_flight_.find({execution, key});
    if (found == in_flight_.end()) return;
    flight = std::move(found->second);
    in_flight_.erase(found);
  }
  effects_.post([flight = *std::move(flight)] { flight.integration->cancel(flight.request); });
}

void Driver::carry_out_child(const Execution& row, const TaskRow& task) {
  const json::object& body = task.body;
  const std::string map_run = base::text_at(body, "mapRun");
  NewExecution child;
  child.name = base::text_at(body, "name");
  const std::string label = machine_of_map_run(map_run);
  child.machine = parts_.arns.machine(label);
  child.input = data_at(body, "input");
  child.input_text = base::to_text(*child.input);
  child.parent = {row.id, task.key.branch, task.key.number};
  child.map_run = map_run;
  child.flow = body.at("flow").to_number<std::size_t>();
  child.item_count = 1;
  if (const auto* batch = child.input->if_object(); batch != nullptr && !body.contains("item")) {
    const auto* items = batch->if_contains("Items");
    if (items != nullptr && items->is_array()) {
      child.item_count = static_cast<std::int64_t>(items->get_array().size());
    }
  }
  if (const auto* item = body.if_contains("item")) {
    const json::object& one = item->as_object();
    const auto maybe = [&one](const char* key) -> std::optional<std::string> {
      if (!one.contains(key)) return std::nullopt;
      return base::text_at(one, key);
    };
    child.item = asl::MapItem{one.at("index").to_number<std::int64_t>(), data_at(one, "value"),
                              maybe("key"), maybe("source")};
  }
  const bool express = body.at("express").as_bool();
  child.arn = task.child;
  // The parent's revision, whatever the machine has become since.
  Machine& machine = child.target.machine;
  machine.arn = row.machine;
  machine.revision = row.revision;
  const std::int64_t parent = row.id;
  const TaskKey key = task.key;
  pool_.post([this, child = std::move(child), express, parent, key]() mutable {
    const auto failed = [this, parent, key](const std::string& cause) {
      post(parent, asl::ChildEnded{key.branch, key.number, asl::Status::failed, nullptr,
                                   "States.Runtime", cause});
    };
    try {
      const auto revision = parts_.machines.find_revision(child.target.machine.revision);
      if (revision) child.target.machine = *revision;
      child.target.compiled = parts_.machines.compiled(child.target.machine.revision);
      if (express) {
        start_express(std::move(child), nullptr);
        return;
      }
      const std::string arn = child.arn;
      start(std::move(child),
            [this, arn, failed](const Started& started, const std::exception_ptr& failure) {
              if (failure) {
                try {
                  std::rethrow_exception(failure);
                } catch (const std::exception& error) {
                  failed(what_of(error));
                }
                return;
              }
              // One from before a crash may have ended already.
              pool_.post([this, id = started.id] {
                const auto found = parts_.executions.find(id);
                if (found && found->status != asl::Status::running) child_ended(*found);
              });
            });
    } catch (const std::exception& error) {
      failed(what_of(error));
    }
  });
}

void Driver::child_ended(const Execution& child) {
  asl::ChildEnded ended{child.parent.branch,      child.parent.index,      child.status, nullptr,
                        child.error.value_or(""), child.cause.value_or("")};
  if (child.output) {
    ended.output = asl::make_data(base::parse_json(*child.output, "a stored output",
                                                   {.max_bytes = 64U << 20U, .max_depth = 1100}));
  }
  post(child.parent.execution, std::move(ended));
}

void Driver::carry_out_items(const Execution& row, const TaskRow& task) {
  ItemsRequest request{.by = {.execution_arn = row.arn,
                              .machine_arn = row.machine,
                              .role_arn = role_of(parts_.database, row)},
                       .resource = base::text_at(task.body, "resource"),
                       .parameters = data_at(task.body, "parameters"),
                       .config = task.body.at("config").as_object(),
                       .max_items = {}};
  if (const auto* most = task.body.if_contains("maxItems")) {
    request.max_items = most->to_number<std::int64_t>();
  }
  effects_.post([this, request = std::move(request), id = row.id, branch = task.key.branch] {
    try {
      if (parts_.map_store == nullptr) {
        throw base::Error(base::ErrorCode::unsupported, "there is no object store to read from");
      }
      std::int64_t skipped = items_stored(parts_.database, id, branch);
      parts_.map_store->read(request, [&](MapStore::Items items) {
        items.items = without_first(items.items, skipped);
        // One part after the other: what is not stored yet is not heaped up.
        std::promise<void> stored;
        const bool is_last = !items.more;
        post(
            id, asl::ItemsRead{branch, std::move(items.items), std::move(items.source), items.more},
            is_last ? Done() : [&stored](const std::exception_ptr& failure) {
              failure ? stored.set_exception(failure) : stored.set_value();
            });
        if (!is_last) stored.get_future().get();
      });
    } catch (const std::exception& error) {
      post(id, asl::ItemsFailed{branch, what_of(error)});
    }
  });
}

void Driver::carry_out_results(const Execution& row, const TaskRow& task) {
  ResultsRequest request{.by = {.execution_arn = row.arn,
                                .machine_arn = row.machine,
                                .role_arn = role_of(parts_.database, row)},
                         .map_run = base::text_at(task.body, "mapRun"),
                         .resource = base::text_at(task.body, "resource"),
                         .parameters = data_at(task.body, "parameters"),
                         .config = task.body.at("config").as_object()};
  asl::WriteResults wanted;
  wanted.branch = task.key.branch;
  wanted.map_run = request.map_run;
  wanted.children = task.body.at("children").to_number<std::int64_t>();
  effects_.post([this, request = std::move(request), wanted, id = row.id] {
    try {
      if (parts_.map_store == nullptr) {
        throw base::Error(base::ErrorCode::unsupported, "there is no object store to write to");
      }
      json::value details = parts_.map_store->write(
          request, [&](const auto& take) { each_child(parts_, id, wanted, take); });
      post(id, asl::ResultsWritten{wanted.branch, asl::make_data(std::move(details))});
    } catch (const std::exception& error) {
      post(id, asl::ResultsFailed{wanted.branch, what_of(error)});
    }
  });
}

void Driver::carry_out_stops(const std::vector<std::string>& arns) {
  for (const std::string& arn : arns) {
    pool_.post([this, arn] {
      const auto over = [this, arn](const std::exception_ptr& failure) {
        if (failure) return;  // it stands there still, and the next start tries again
        try {
          parts_.commits.submit(
              [arn](store::Transaction& tx) {
                tx.execute("DELETE FROM stops WHERE arn = $1", {arn});
              },
              nullptr);
        } catch (const base::Error& error) {
          base::log_warning("a stop is kept", {{"execution", arn}, {"error", error.message()}});
        }
      };
      std::optional<std::int64_t> express;
      {
        const std::lock_guard lock(mutex_);
        const auto found = express_.find(arn);
        if (found != express_.end()) express = found->second;
      }
      if (express) {
        post(*express, asl::Stop{}, over);
        return;
      }
      const auto row = parts_.executions.find(arn);
      if (!row || row->status != asl::Status::running) {
        over(nullptr);
        return;
      }
      post(row->id, asl::Stop{}, over);
    });
  }
}

}  // namespace andon::workflow
