// SPDX-License-Identifier: Apache-2.0
#include "cli/device/asked_command.hpp"

#include <iostream>
#include <utility>

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "base/json/json_text.hpp"
#include "base/text/encoding.hpp"
#include "cli/terminal/table.hpp"
#include "cli/terminal/terminal.hpp"
#include "fleet/command/command_request.hpp"

namespace andon::cli {
namespace {

namespace json = base::json;

// Less than the server's longest, so that a terminal is soon told what is wrong with the way there.
constexpr int kWaitSeconds = 15;

}  // namespace

json::object carry_through(ServerClient& server, const std::string& path, const json::object& body,
                           const OnAnswer& on_answer) {
  const json::value begun = server->rest("andon", "POST", path, body);
  const std::string id = base::JsonReader(begun, "command").string("commandId");
  const std::string answers = "/andon/v1/commands/" + base::percent_encode(id) +
                              "/answers?waitSeconds=" + std::to_string(kWaitSeconds) + "&after=";
  std::int64_t after = 0;
  for (;;) {
    const json::value page = server->rest("andon", "GET", answers + std::to_string(after));
    const base::JsonReader reader(page, "answers");
    for (const json::value& answer : *reader.optional_array("answers")) {
      on_answer(answer.as_object());
    }
    after = reader.integer("after");
    if (!reader.optional_bool("isOver").value_or(false)) continue;
    if (reader.string("status") == "SUCCEEDED") return reader.child_or_empty("result").object();
    const base::JsonReader error = reader.child_or_empty("error");
    throw base::Error(fleet::error_code_of(error.optional_string("code").value_or("")),
                      error.optional_string("message").value_or("the command failed"));
  }
}

int print_examination(const ServerChoice& choice, const std::string& path, const json::object& body,
                      bool as_json) {
  ServerClient server(choice);
  json::array checks;
  json::object result = carry_through(server, path, body, [&](const json::object& answer) {
    if (const auto* row = answer.if_contains("row")) checks.push_back(*row);
  });
  const std::string verdict = text_of(result, "verdict");
  if (as_json) {
    result["checks"] = std::move(checks);
    std::cout << base::json_text(result) << '\n';
  } else {
    Table table({"VERDICT", "CHECK", "FOUND"});
    for (const json::value& row : checks) {
      table.add({text_of(row, "verdict"), text_of(row, "check"), text_of(row, "text")});
    }
    std::cout << table.text();
  }
  return verdict == "bad" ? base::exit_code(base::ErrorCode::failed_precondition) : 0;
}

}  // namespace andon::cli
