// SPDX-License-Identifier: Apache-2.0
#include "api/commands/commands.hpp"

#include <algorithm>
#include <utility>

#include "api/constraints/rows.hpp"
#include "api/table/members.hpp"
#include "base/error/error.hpp"
#include "base/text/encoding.hpp"
#include "control/iam/principals.hpp"

namespace andon::api {
namespace {

using base::Error;
using base::ErrorCode;
using control::CommandAsker;
using control::CommandPage;
using control::CommandRecord;
using control::Commands;
using fleet::CommandKind;
using std::chrono::seconds;

constexpr PageLimits kList{.standard = 50, .maximum = 200};
constexpr std::int64_t kLongestWaitSeconds = 20;

[[noreturn]] void refuse(const std::string& message) {
  throw Error(ErrorCode::invalid_argument, message);
}

// How long a command may take where nobody says.
seconds usual_deadline(const fleet::CommandRequest& request) {
  switch (request.kind) {
    case CommandKind::logs:
      return request.follow ? seconds(3600) : seconds(60);
    case CommandKind::frame:
      return request.follow ? seconds(3600) : seconds(30);
    case CommandKind::support_bundle:
    case CommandKind::copy_from:
    case CommandKind::copy_to:
      return seconds(180);
    case CommandKind::shell:
      return seconds(60);
    default:
      return seconds(30);
  }
}

void read_deadline(fleet::CommandRequest& request, const json::object& input) {
  const auto given = optional_number(input, "deadlineSeconds");
  const std::int64_t most = fleet::kLongestCommand.count();
  if (given && (*given < 1 || *given > most)) {
    refuse("deadlineSeconds: must be between 1 and " + std::to_string(most));
  }
  request.deadline = given ? seconds(*given) : usual_deadline(request);
}

void put_outcome(json::object& told, const control::CommandOutcome& outcome) {
  told["status"] = to_string(outcome.status);
  if (!outcome.error_code.empty()) {
    told["error"] = json::object{{"code", outcome.error_code}, {"message", outcome.error}};
  }
  if (!outcome.result.empty()) told["result"] = outcome.result;
}

json::object described(const CommandRecord& record) {
  json::object told{{"commandId", record.id},
                    {"thing", record.thing},
                    {"kind", record.kind},
                    {"what", record.what},
                    {"askedBy", record.asker.name},
                    {"startedAt", base::to_iso8601(record.started)},
                    {"deadlineSeconds", record.deadline_ms / 1000}};
  put_unless_empty(told, "component", record.component);
  put_outcome(told, record.outcome);
  if (record.ended) told["endedAt"] = base::to_iso8601(*record.ended);
  return told;
}

json::object described(const std::string& id, const CommandPage& page) {
  json::array answers;
  for (const fleet::CommandAnswer& answer : page.answers) answers.push_back(to_json(answer));
  json::object told{{"commandId", id},
                    {"answers", std::move(answers)},
                    {"after", page.after},
                    {"isOver", page.has_come_to_end}};
  put_outcome(told, page.outcome);
  return told;
}

struct Service {
  Commands& commands;
  const Authorizer* authorizer;

  json::value begin(const OperationContext& context, fleet::CommandRequest request) const {
    read_deadline(request, context.input);
    return described(commands.start(required_text(context.input, "thing"), std::move(request),
                                    asker_of(authorizer, context.caller)));
  }

  // What shell and copies need is another right, so they are operations of their own.
  json::value start(const OperationContext& context) const {
    const json::object& input = context.input;
    fleet::CommandRequest request;
    request.kind = fleet::command_kind(required_text(input, "kind"));
    if (fleet::is_free_hand(request.kind)) {
      refuse("kind: RunShell and CopyFile are the operations for " +
             std::string(to_string(request.kind)));
    }
    request.component = text_or_empty(input, "component");
    if (const auto lines = optional_number(input, "lines")) request.lines = *lines;
    request.follow = flag(input, "follow");
    request.recipe = text_or_empty(input, "recipe");
    return begin(context, std::move(request));
  }

  json::value shell(const OperationContext& context) const {
    fleet::CommandRequest request;
    request.kind = CommandKind::shell;
    request.command_line = required_text(context.input, "commandLine");
    return begin(context, std::move(request));
  }

  json::value copy(const OperationContext& context) const {
    const json::object& input = context.input;
    fleet::CommandRequest request;
    const std::string direction = word_or_empty(input, "direction", {"from", "to"});
    if (direction.empty()) refuse("direction: must be from or to (the device)");
    request.kind = direction == "from" ? CommandKind::copy_from : CommandKind::copy_to;
    request.path = required_text(input, "path");
    auto content = base::from_base64(text_or_empty(input, "content"));
    if (!content) refuse("content: must be base64");
    if (direction == "from" && !content->empty()) refuse("content: only goes to a device");
    request.content = *std::move(content);
    return begin(context, std::move(request));
  }

  json::value list(const OperationContext& context) const {
    const auto page =
        commands.list(text_or_empty(context.input, "thing"), read_page(context.input, kList));
    json::array all;
    for (const CommandRecord& record : page.items) all.push_back(described(record));
    json::object output{{"commands", std::move(all)}};
    put_next(output, page.next);
    return output;
  }

  json::value get(const OperationContext& context) const {
    return described(commands.find(required_text(context.input, "commandId")));
  }

  // Logs and what a shell printed are for who asked for them.
  void read(const OperationContext& context, const Answer& answer) const {
    const std::string id = required_text(context.input, "commandId");
    const std::int64_t after = optional_number(context.input, "after").value_or(0);
    const std::int64_t wait = optional_number(context.input, "waitSeconds").value_or(0);
    if (after < 0) refuse("after: must be the number of an answer, or 0");
    if (wait < 0 || wait > kLongestWaitSeconds) {
      refuse("waitSeconds: must be between 0 and " + std::to_string(kLongestWaitSeconds));
    }
    const CommandRecord record = commands.find(id);
    if (record.asker.principal != context.caller.principal &&
        context.caller.principal != control::kOperatorPrincipal) {
      throw Error(ErrorCode::permission_denied,
                  "only " + record.asker.name + ", who asked, reads the answers of command " + id);
    }
    answer.when_gone([gone = &commands, id] { gone->reader_gone(id); });
    commands.read(id, static_cast<std::uint64_t>(after), seconds(wait),
                  [answer, id](const CommandPage& page) { answer.succeed(described(id, page)); });
  }

  json::value cancel(const OperationContext& context) const {
    const std::string id = required_text(context.input, "commandId");
    commands.cancel(id, asker_of(authorizer, context.caller).name);
    return described(commands.find(id));
  }
};

}  // namespace

CommandAsker asker_of(const Authorizer* authorizer, const Caller& caller) {
  CommandAsker asker{.principal = caller.principal,
                     .name = caller.principal.substr(caller.principal.find('/') + 1),
                     .principal_arn = {}};
  const auto known = authorizer == nullptr ? std::nullopt : authorizer->principal(caller);
  if (known) {
    asker.name = known->kind == control::Principal::Kind::account ? "root" : known->name;
    asker.principal_arn = known->arn;
  }
  return asker;
}

std::vector<Operation> command_operations(Commands& commands, const Authorizer* authorizer) {
  const Service service{commands, authorizer};
  const auto row = [&](std::string_view name, std::string_view method, std::string_view path,
                       json::value (Service::*work)(const OperationContext&)
                           const) { return own_row(name, method, path, service, work); };
  Operation reading{"andon",
                    "ReadCommand",
                    Protocol::rest_json,
                    "GET",
                    "/andon/v1/commands/{commandId}/answers",
                    200,
                    {}};
  reading.later = [service](const OperationContext& context, const Answer& answer) {
    service.read(context, answer);
  };
  return {row("StartCommand", "POST", "/andon/v1/things/{thing}/commands", &Service::start),
          row("RunShell", "POST", "/andon/v1/things/{thing}/shell", &Service::shell),
          row("CopyFile", "POST", "/andon/v1/things/{thing}/copy", &Service::copy),
          row("ListCommands", "GET", "/andon/v1/commands", &Service::list),
          row("GetCommand", "GET", "/andon/v1/commands/{commandId}", &Service::get),
          std::move(reading),
          row("CancelCommand", "POST", "/andon/v1/commands/{commandId}/cancel", &Service::cancel)};
}

}  // namespace andon::api
