// SPDX-License-Identifier: Apache-2.0
#include "cli/audit/audit_command.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <fstream>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/json/json_reader.hpp"
#include "base/json/json_text.hpp"
#include "base/text/encoding.hpp"
#include "base/text/escape.hpp"
#include "base/text/number.hpp"
#include "cli/audit/since.hpp"
#include "cli/terminal/server_choice.hpp"
#include "cli/terminal/table.hpp"
#include "options/choice.hpp"

namespace andon::cli {
namespace {

namespace json = base::json;

constexpr int kPage = 500;

struct Options {
  ServerChoice server;
  std::string since;
  std::string until;
  std::string who;
  std::string action;
  std::string resource;
  std::string outcome;
  std::string access;
  std::string head;
  std::string output;
  int limit = 50;
  bool as_json = false;
  bool verify = false;
};

class Session {
 public:
  explicit Session(const ServerChoice& choice) : server_(choice) {}
  json::object get(const std::string& target) {
    return server_->rest("andon", "GET", target).as_object();
  }
  [[nodiscard]] base::Timestamp now() const { return server_.now(); }

 private:
  ServerClient server_;
};

std::string query_of(const Options& options, const Session& session) {
  std::string query;
  const auto add = [&query](std::string_view name, const std::string& value) {
    if (value.empty()) return;
    query += "&" + std::string(name) + "=" + base::percent_encode(value);
  };
  const auto time = [&](const std::string& text, std::string_view option) {
    return text.empty() ? text : base::to_iso8601(read_since(text, session.now(), option));
  };
  add("who", options.who);
  add("action", options.action);
  add("resource", options.resource);
  add("outcome", options.outcome);
  add("access", options.access);
  add("from", time(options.since, "--since"));
  add("until", time(options.until, "--until"));
  return query;
}

// Each page of entries, until `take` wants no more.
template <typename Take>
void each_page(Session& session, const std::string& query, const Take& take) {
  std::string next;
  do {
    std::string target = "/andon/v1/audit?maxResults=" + std::to_string(kPage) + query;
    if (!next.empty()) target += "&nextToken=" + base::percent_encode(next);
    const json::object page = session.get(target);
    if (!take(page.at("entries").as_array())) return;
    next = base::JsonReader(page, "page").optional_string("nextToken").value_or("");
  } while (!next.empty());
}

std::string one_line(const base::JsonReader& reader, std::string_view key) {
  return base::escape_line(reader.optional_string(key).value_or(""));
}

// "2026-11-22T10:00:00.123Z  ok      eva  iot:CreateThing  arn:...  from 10.0.0.1".
std::string entry_line(const json::value& item) {
  const base::JsonReader entry = base::JsonReader(item, "entry").child("entry");
  const std::string code = one_line(entry, "errorCode");
  std::string who = one_line(entry, "name");
  if (const std::string session = one_line(entry, "session"); !session.empty()) {
    who += "/" + session;
  }
  std::string line = fmt::format("{}  {:<6}  {}  {}:{}", one_line(entry, "time"),
                                 one_line(entry, "outcome"), who.empty() ? "?" : who,
                                 one_line(entry, "service"), one_line(entry, "operation"));
  for (const std::string& resource : entry.strings("resources")) {
    line += " " + base::escape_line(resource);
  }
  if (!code.empty()) line += "  " + code;
  if (const auto count = entry.optional_integer("count")) line += fmt::format("  x{}", *count);
  if (const std::string decision = one_line(entry, "decision"); !decision.empty()) {
    line += "  \"" + decision + "\"";
  }
  if (const std::string detail = one_line(entry, "detail"); !detail.empty()) {
    line += "  (" + detail + ")";
  }
  if (const std::string address = one_line(entry, "address"); !address.empty()) {
    line += "  from " + address;
  }
  return line;
}

// "SEQUENCE:HASH", as an earlier verification or export has told it.
struct KnownEntry {
  std::int64_t sequence = 0;
  std::string hash;
};
std::optional<KnownEntry> known_entry(const std::string& text) {
  if (text.empty()) return std::nullopt;
  const std::size_t colon = text.find(':');
  const auto sequence = base::parse_integer<std::int64_t>(text.substr(0, colon), 1);
  constexpr std::size_t kDigestBytes = 32;
  if (!sequence || colon == std::string::npos ||
      !base::is_hex_of(text.substr(colon + 1), kDigestBytes)) {
    throw base::Error(base::ErrorCode::invalid_argument,
                      "--head must be SEQUENCE:HASH, as `andon audit --verify` has printed it");
  }
  return KnownEntry{*sequence, text.substr(colon + 1)};
}

// What is wrong with the entry that was seen before; empty: it is the same.
std::string compare(Session& session, const KnownEntry& known, std::int64_t first) {
  if (known.sequence < first) {
    return fmt::format("entry {} is not kept any more: it cannot be compared", known.sequence);
  }
  const json::object page = session.get(fmt::format("/andon/v1/audit?sequence={}", known.sequence));
  const json::array& entries = page.at("entries").as_array();
  if (entries.empty()) {
    return fmt::format("entry {} was there and is missing: the log was put back", known.sequence);
  }
  if (base::JsonReader(entries.front(), "entry").string("hash") == known.hash) return {};
  return fmt::format("entry {} had another hash: the log was written anew", known.sequence);
}

int verify(const Options& options) {
  const auto known = known_entry(options.head);
  Session session(options.server);
  json::array problems;
  std::int64_t verified = 0;
  std::int64_t from = 0;
  std::int64_t first = 0;
  std::string head;
  do {
    const json::object step =
        session.get("/andon/v1/audit-check?fromSequence=" + std::to_string(from));
    const base::JsonReader reader(step, "answer");
    for (const json::value& problem : step.at("problems").as_array()) problems.push_back(problem);
    verified += reader.integer("verified");
    if (from == 0) first = reader.integer("firstSequence");
    head = fmt::format("{}:{}", reader.integer("lastSequence"), reader.string("lastHash"));
    from = reader.optional_integer("nextSequence").value_or(0);
  } while (from != 0);
  if (known) {
    const std::string problem = compare(session, *known, first);
    if (!problem.empty()) {
      problems.push_back(json::object{{"sequence", known->sequence}, {"problem", problem}});
    }
  }
  if (options.as_json) {
    fmt::print("{}\n", base::json_text(json::object{{"verified", verified},
                                                    {"firstSequence", first},
                                                    {"head", head},
                                                    {"problems", problems}}));
  } else {
    for (const json::value& problem : problems) {
      fmt::print("{}\n", one_line(base::JsonReader(problem, "problem"), "problem"));
    }
    fmt::print("verified: {} entries from {} on; head {}\n", verified, first, head);
  }
  if (problems.empty()) return 0;
  throw base::Error(base::ErrorCode::data_corrupted,
                    fmt::format("the audit log has {} problems", problems.size()));
}

int list(const Options& options) {
  if (options.verify) return verify(options);
  Session session(options.server);
  json::array all;
  each_page(session, query_of(options, session), [&](const json::array& entries) {
    for (const json::value& entry : entries) {
      if (std::ssize(all) == options.limit) return false;
      all.push_back(entry);
    }
    return std::ssize(all) < options.limit;
  });
  if (options.as_json) {
    fmt::print("{}\n", base::json_text(json::object{{"entries", std::move(all)}}));
    return 0;
  }
  for (const json::value& entry : all) fmt::print("{}\n", entry_line(entry));
  return 0;
}

int export_entries(const Options& options) {
  Session session(options.server);
  std::ofstream file;
  if (!options.output.empty()) {
    file.open(options.output, std::ios::binary | std::ios::trunc);
    if (!file) {
      throw base::Error(base::ErrorCode::invalid_argument,
                        "cannot write to '" + options.output + "'");
    }
  }
  std::ostream& out = options.output.empty() ? std::cout : file;
  each_page(session, query_of(options, session) + "&order=oldest", [&](const json::array& entries) {
    for (const json::value& entry : entries) {
      const json::object& object = entry.as_object();
      out << base::to_text(json::object{{"hash", object.at("hash")}, {"entry", object.at("entry")}})
          << '\n';
    }
    out.flush();
    if (!out) {
      throw base::Error(base::ErrorCode::resource_exhausted,
                        "the export could not be written to its end");
    }
    return true;
  });
  return 0;
}

}  // namespace

void add_audit_commands(CLI::App& app, std::function<int()>& selected) {
  const auto options = std::make_shared<Options>();
  const auto prepare = [&](CLI::App* command, int (*work)(const Options&)) {
    add_server_options(*command, options->server);
    command
        ->add_option("--since", options->since, "Only of this time or later, or so long ago: 12h")
        ->type_name("TIME");
    command->add_option("--until", options->until, "Only before this time")->type_name("TIME");
    command->add_option("--who", options->who,
                        "Only of this user, role, session or device, by name or ARN");
    command->add_option("--action", options->action, "iot:DeleteThing, DeleteThing, iot");
    command->add_option("--resource", options->resource, "Only on this ARN");
    command->add_option("--outcome", options->outcome, "ok, denied or error")
        ->check(options::one_of({"ok", "denied", "error"}));
    command->add_option("--access", options->access, "read or write")
        ->check(options::one_of({"read", "write"}));
    command->callback([&selected, options, work] {
      if (!selected) selected = [options, work] { return work(*options); };
    });
  };
  CLI::App* audit = app.add_subcommand("audit", "Who did what, newest first");
  audit->require_subcommand(0, 1);
  CLI::App* exported =
      audit->add_subcommand("export", "Write the entries, oldest first, as JSON lines");
  prepare(exported, export_entries);
  exported->add_option("--output", options->output, "Write to this file, not to stdout")
      ->type_name("FILE");
  prepare(audit, list);
  audit->add_option("--limit", options->limit, "At most so many")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  audit->add_flag("--json", options->as_json, "Print one JSON object");
  audit->add_flag("--verify", options->verify,
                  "Look at each entry and the chain that they make instead");
  audit
      ->add_option("--head", options->head,
                   "With --verify: what an earlier one has printed, to be found again")
      ->type_name("SEQUENCE:HASH");
}

}  // namespace andon::cli
