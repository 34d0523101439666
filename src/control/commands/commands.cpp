// SPDX-License-Identifier: Apache-2.0
#include "control/commands/commands.hpp"

#include <array>
#include <utility>

#include "base/error/error.hpp"
#include "base/text/id.hpp"
#include "base/text/number.hpp"
#include "control/commands/schema.hpp"
#include "control/shared/membership.hpp"
#include "control/shared/sql_text.hpp"
#include "fleet/names/topic.hpp"

namespace andon::control {
namespace {

using base::Error;
using base::ErrorCode;
using std::chrono::steady_clock;

constexpr std::chrono::milliseconds kGlance{200};

constexpr std::array<std::pair<std::string_view, CommandStatus>, 6> kStatuses{{
    {"WAITING", CommandStatus::waiting},
    {"RUNNING", CommandStatus::running},
    {"SUCCEEDED", CommandStatus::succeeded},
    {"FAILED", CommandStatus::failed},
    {"CANCELED", CommandStatus::canceled},
    {"TIMED_OUT", CommandStatus::timed_out},
}};

constexpr std::string_view kColumns =
    "SELECT number, id, thing, kind, component, what, principal, principal_name, principal_arn, "
    "started_ms, deadline_ms, status, error_code, error, result, ended_ms FROM commands ";

CommandRecord record_of(const store::Row& row) {
  CommandRecord record{.id = row.text(1),
                       .thing = row.text(2),
                       .kind = row.text(3),
                       .component = row.text(4),
                       .what = row.text(5),
                       .asker = {row.text(6), row.text(7), row.text(8)},
                       .started = stored_time(row.integer(9)),
                       .deadline_ms = row.integer(10),
                       .outcome = {command_status(row.text(11)), row.text(12), row.text(13),
                                   stored_object(row.text(14))},
                       .ended = {}};
  if (const auto ended = row.optional_integer(15)) record.ended = stored_time(*ended);
  return record;
}

}  // namespace

std::string_view to_string(CommandStatus status) {
  for (const auto& [word, one] : kStatuses) {
    if (one == status) return word;
  }
  throw Error(ErrorCode::internal, "a command's status has no name");
}

CommandStatus command_status(std::string_view word) {
  for (const auto& [one, status] : kStatuses) {
    if (one == word) return status;
  }
  throw Error(ErrorCode::data_corrupted, "a command has the status " + std::string(word));
}

bool is_over(CommandStatus status) {
  return status != CommandStatus::waiting && status != CommandStatus::running;
}

Commands::Commands(Parts parts)
    : parts_(std::move(parts)),
      running_(
          [this](const std::string& thing, std::string_view word, const std::string& payload) {
            parts_.notifier.publish(fleet::DeviceTopics(thing).command(word), payload);
          },
          parts_.limits) {
  migrate_commands(parts_.database);
  say_what_was_cut_off();
  worker_.emplace(
      "commands to devices", [this] { return step(); }, kGlance);
}

void Commands::say_what_was_cut_off() {
  const auto records = parts_.database.read([](store::Transaction& tx) {
    std::vector<CommandRecord> found;
    for (const auto& row : tx.query(std::string(kColumns) + "WHERE ended_ms IS NULL")) {
      found.push_back(record_of(row));
    }
    return found;
  });
  for (const CommandRecord& record : records) {
    write_end(record.id, {CommandStatus::failed,
                          std::string(base::to_string(ErrorCode::unavailable)),
                          "the server ended in the middle of it; what the device did is not known",
                          {}});
  }
}

CommandRecord Commands::start(const std::string& thing, fleet::CommandRequest request,
                              const CommandAsker& asker) {
  fleet::check_command(request);
  request.id = base::random_uuid();
  request.asked_by = asker.name;
  const CommandRecord record{.id = request.id,
                             .thing = thing,
                             .kind = std::string(to_string(request.kind)),
                             .component = request.component,
                             .what = fleet::describe(request),
                             .asker = asker,
                             .started = parts_.clock.now(),
                             .deadline_ms = request.deadline.count(),
                             .outcome = {},
                             .ended = {}};
  running_.reserve(thing, request, steady_clock::now());
  try {
    parts_.database.write([&](store::Transaction& tx) {
      if (!has_thing(tx, thing)) {
        throw Error(ErrorCode::not_found, "there is no thing " + thing.substr(0, 128));
      }
      tx.execute(
          "INSERT INTO commands (id, thing, kind, component, what, principal, principal_name, "
          "principal_arn, started_ms, deadline_ms, status, error_code, error, result) VALUES ($1, "
          "$2, $3, $4, $5, $6, $7, $8, $9, $10, $11, '', '', '{}')",
          {record.id, record.thing, record.kind, record.component, record.what, asker.principal,
           asker.name, asker.principal_arn, to_stored(record.started), record.deadline_ms,
           std::string(to_string(CommandStatus::waiting))});
      tx.execute(
          "DELETE FROM commands WHERE number <= (SELECT max(number) FROM commands) - $1 AND "
          "ended_ms IS NOT NULL",
          {kMostKept});
    });
  } catch (...) {
    running_.forget(request.id);
    throw;
  }
  running_.begin(request.id, steady_clock::now());
  return record;
}

void Commands::take(std::string_view topic, std::string_view payload) {
  const auto read = fleet::parse_command_answers(topic);
  if (!read) return;
  running_.take(read->thing, read->command_id, payload, steady_clock::now());
  if (!running_.ended().empty()) worker_->wake();
}

void Commands::read(const std::string& id, std::uint64_t after, std::chrono::milliseconds wait,
                    RunningCommands::Read done) {
  running_.read(id, after, wait, std::move(done), steady_clock::now());
}

void Commands::reader_gone(const std::string& id) {
  running_.reader_gone(id, steady_clock::now());
}

void Commands::cancel(const std::string& id, const std::string& by) {
  if (!running_.cancel(id, "canceled by " + by, steady_clock::now())) {
    const CommandRecord record = find(id);
    throw Error(ErrorCode::failed_precondition, "command " + record.id + " is over: " +
                                                    std::string(to_string(record.outcome.status)));
  }
  worker_->wake();
}

CommandRecord Commands::find(const std::string& id) const {
  auto record = parts_.database.read([&](store::Transaction& tx) -> std::optional<CommandRecord> {
    const auto row = tx.query_one(std::string(kColumns) + "WHERE id = $1", {id});
    if (!row) return std::nullopt;
    return record_of(*row);
  });
  if (!record) throw Error(ErrorCode::not_found, "there is no command " + id.substr(0, 64));
  // The row knows beginning and end.
  if (!record->ended) {
    if (auto outcome = running_.outcome(id)) record->outcome = *std::move(outcome);
  }
  return *std::move(record);
}

Page<CommandRecord> Commands::list(const std::string& thing, const PageRequest& page) const {
  const std::int64_t before =
      page.after.empty() ? INT64_MAX : base::parse_int64(page.after).value_or(0);
  const auto limit = static_cast<std::int64_t>(page.limit);
  Page<CommandRecord> found;
  parts_.database.read([&](store::Transaction& tx) {
    const std::string where =
        thing.empty() ? "WHERE number < $1" : "WHERE thing = $3 AND number < $1";
    std::vector<store::SqlValue> values{before, limit + 1};
    if (!thing.empty()) values.emplace_back(thing);
    std::int64_t last = 0;
    for (const auto& row :
         tx.query(std::string(kColumns) + where + " ORDER BY number DESC LIMIT $2", values)) {
      if (found.items.size() == page.limit) {
        found.next = std::to_string(last);
        return;
      }
      last = row.integer(0);
      found.items.push_back(record_of(row));
    }
  });
  for (CommandRecord& record : found.items) {
    if (record.ended) continue;
    if (auto outcome = running_.outcome(record.id)) record.outcome = *std::move(outcome);
  }
  return found;
}

bool Commands::step() {
  running_.tick(steady_clock::now());
  for (const auto& [id, outcome] : running_.ended()) {
    write_end(id, outcome);
    running_.settle(id);
  }
  return false;
}

void Commands::write_end(const std::string& id, const CommandOutcome& outcome) {
  const auto record =
      parts_.database.write([&](store::Transaction& tx) -> std::optional<CommandRecord> {
        tx.execute(
            "UPDATE commands SET status = $1, error_code = $2, error = $3, result = $4, ended_ms = "
            "$5 WHERE id = $6",
            {std::string(to_string(outcome.status)), outcome.error_code, outcome.error,
             base::to_text(outcome.result), to_stored(parts_.clock.now()), id});
        const auto row = tx.query_one(std::string(kColumns) + "WHERE id = $1", {id});
        if (!row) return std::nullopt;
        return record_of(*row);
      });
  if (record && parts_.on_ended) parts_.on_ended(*record);
}

}  // namespace andon::control
