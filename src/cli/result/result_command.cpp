// SPDX-License-Identifier: Apache-2.0
#include "cli/result/result_command.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/json/json_reader.hpp"
#include "base/json/json_text.hpp"
#include "base/os/file.hpp"
#include "base/text/encoding.hpp"
#include "base/time/time.hpp"
#include "cli/result/result_line.hpp"
#include "cli/terminal/server_choice.hpp"
#include "cli/terminal/subcommand.hpp"
#include "options/choice.hpp"

namespace andon::cli {
namespace {

namespace json = base::json;

constexpr std::chrono::milliseconds kGlance{500};
constexpr int kPage = 500;

struct Options {
  ServerChoice server;
  std::string id;
  std::string thing;
  std::string group;
  std::string label;
  std::string verdict;
  std::string least_score;
  std::string most_score;
  std::string from;
  std::string until;
  std::string format = "jsonl";
  std::string output;
  std::string note;
  std::string groups;
  std::string zone;
  std::vector<std::string> shifts;
  int since_minutes = 0;
  int limit = 50;
  int lines = 10;
  bool follow = false;
  bool nothing = false;
  bool as_json = false;
};

class Session {
 public:
  explicit Session(const ServerChoice& choice) : server_(choice) {}

  json::object get(const std::string& path, const std::string& query) {
    return server_->rest("andon", "GET", path + (query.empty() ? "" : "?" + query)).as_object();
  }
  json::object post(const std::string& path, const json::object& body) {
    return server_->rest("andon", "POST", path, body).as_object();
  }
  json::object put(const std::string& path, const json::object& body) {
    return server_->rest("andon", "PUT", path, body).as_object();
  }
  [[nodiscard]] base::Timestamp now() const { return server_.now(); }

 private:
  ServerClient server_;
};

// name=value&...
class Query {
 public:
  Query& add(std::string_view name, std::string_view value) {
    if (value.empty()) return *this;
    text_ += (text_.empty() ? "" : "&") + std::string(name) + "=" + base::percent_encode(value);
    return *this;
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
};

Query filter_of(const Options& options, const Session& session) {
  std::string from = options.from;
  if (options.since_minutes > 0) {
    from = base::to_iso8601(session.now() - std::chrono::minutes(options.since_minutes));
  }
  return Query()
      .add("thing", options.thing)
      .add("thingGroupName", options.group)
      .add("class", options.label)
      .add("verdict", options.verdict)
      .add("minScore", options.least_score)
      .add("maxScore", options.most_score)
      .add("from", from)
      .add("until", options.until);
}

std::string next_of(const json::object& page) {
  return base::JsonReader(page, "page").optional_string("nextToken").value_or("");
}

// The newest, oldest last; at most `limit`. `newest` is the id to go on from.
json::array newest_results(Session& session, const Query& filter, int limit, std::string* newest) {
  json::array all;
  std::string next;
  do {
    const int wanted = std::min(limit - static_cast<int>(all.size()), kPage);
    Query query = filter;
    query.add("maxResults", std::to_string(wanted)).add("nextToken", next);
    json::object page = session.get("/andon/v1/results", query.text());
    if (newest != nullptr && newest->empty()) {
      *newest = base::JsonReader(page, "page").string("newestId");
    }
    for (json::value& one : page.at("results").as_array()) all.push_back(std::move(one));
    next = next_of(page);
  } while (!next.empty() && static_cast<int>(all.size()) < limit);
  return all;
}

void print_result(const Options& options, const json::value& result) {
  std::cout << (options.as_json ? base::json_text(result) : result_line(result.as_object()))
            << '\n';
}

int list(const Options& options) {
  Session session(options.server);
  json::array all = newest_results(session, filter_of(options, session), options.limit, nullptr);
  if (options.as_json) {
    std::cout << base::json_text(json::object{{"results", std::move(all)}}) << '\n';
    return 0;
  }
  for (const json::value& one : all) print_result(options, one);
  return 0;
}

int tail(const Options& options) {
  Session session(options.server);
  const Query filter = filter_of(options, session);
  std::string newest;
  json::array last = newest_results(session, filter, std::max(options.lines, 1), &newest);
  if (options.lines == 0) last.clear();
  for (std::size_t i = last.size(); i-- > 0;) print_result(options, last[i]);
  std::cout.flush();
  while (options.follow) {
    Query query = filter;
    query.add("afterId", newest).add("maxResults", std::to_string(kPage));
    const json::object page = session.get("/andon/v1/results", query.text());
    const json::array& more = page.at("results").as_array();
    for (const json::value& one : more) print_result(options, one);
    std::cout.flush();
    if (!std::cout) return 0;  // nobody reads any more
    // What the filter leaves out is passed over, unless the page ended before the end.
    newest = next_of(page).empty() ? base::JsonReader(page, "page").string("newestId")
             : more.empty()        ? newest
                                   : base::JsonReader(more.back(), "result").string("resultId");
    if (next_of(page).empty()) std::this_thread::sleep_for(kGlance);
  }
  return 0;
}

int show(const Options& options) {
  Session session(options.server);
  const json::object result =
      session.get("/andon/v1/results/" + base::percent_encode(options.id), "");
  if (options.as_json) {
    std::cout << base::json_text(result) << '\n';
    return 0;
  }
  std::cout << result_line(result) << '\n';
  for (const json::value& item : result.at("reviews").as_array()) {
    const base::JsonReader review(item, "review");
    std::cout << fmt::format("  {}  {}  {}", review.string("at"), review.string("kind"),
                             review.string("by"));
    for (const char* const key : {"class", "verdict", "note"}) {
      const std::string text = one_line(review.optional_string(key).value_or(""));
      if (!text.empty()) std::cout << "  " << text;
    }
    std::cout << '\n';
  }
  if (const auto* message = result.if_contains("message")) {
    std::cout << base::to_pretty_text(*message) << '\n';
  }
  return 0;
}

int counts(const Options& options) {
  Session session(options.server);
  const Query filter = filter_of(options, session);
  json::array all;
  std::string next;
  do {
    Query query = filter;
    query.add("groupBy", options.groups).add("nextToken", next);
    json::object page = session.get("/andon/v1/result-counts", query.text());
    for (json::value& one : page.at("counts").as_array()) all.push_back(std::move(one));
    next = next_of(page);
  } while (!next.empty());
  if (options.as_json) {
    std::cout << base::json_text(json::object{{"counts", std::move(all)}}) << '\n';
    return 0;
  }
  for (const json::value& item : all) {
    const base::JsonReader count(item, "count");
    for (const char* const by : {"hour", "day", "shift", "thing", "class", "verdict"}) {
      const auto text = count.optional_string(by);
      if (!text) continue;
      std::cout << (text->empty() ? "-" : one_line(*text)) << "  ";
    }
    std::cout << count.integer("count") << '\n';
  }
  return 0;
}

// "early=06:00" -> {"name", "start"}.
json::object shift_of(const std::string& text) {
  const std::size_t equals = text.rfind('=');
  if (equals == std::string::npos) {
    throw base::Error(base::ErrorCode::invalid_argument,
                      "'" + text + "' is no shift: give NAME=HH:MM, such as early=06:00");
  }
  return {{"name", text.substr(0, equals)}, {"start", text.substr(equals + 1)}};
}

int shifts(const Options& options) {
  Session session(options.server);
  json::object plan = session.get("/andon/v1/result-shifts", "");
  if (!options.zone.empty() || !options.shifts.empty()) {
    if (!options.zone.empty()) plan["timeZone"] = options.zone;
    if (!options.shifts.empty()) {
      json::array all;
      for (const std::string& one : options.shifts) {
        if (one != "none" || options.shifts.size() > 1) all.push_back(shift_of(one));
      }
      plan["shifts"] = std::move(all);
    }
    plan = session.put("/andon/v1/result-shifts", plan);
  }
  if (options.as_json) {
    std::cout << base::json_text(plan) << '\n';
    return 0;
  }
  std::cout << one_line(base::JsonReader(plan, "shifts").string("timeZone")) << '\n';
  for (const json::value& item : plan.at("shifts").as_array()) {
    const base::JsonReader shift(item, "shift");
    std::cout << fmt::format("  {}  {}\n", shift.string("start"), one_line(shift.string("name")));
  }
  return 0;
}

int export_results(const Options& options) {
  Session session(options.server);
  const Query filter = filter_of(options, session);
  std::ofstream file;
  if (!options.output.empty()) {
    file.open(options.output, std::ios::binary | std::ios::trunc);
    if (!file) {
      throw base::Error(base::ErrorCode::invalid_argument,
                        "cannot write to '" + options.output + "'");
    }
  }
  std::ostream& out = options.output.empty() ? std::cout : file;
  std::string next;
  do {
    Query query = filter;
    query.add("format", options.format).add("nextToken", next);
    const json::object page = session.get("/andon/v1/result-export", query.text());
    out << base::JsonReader(page, "export").string("content") << std::flush;
    if (!out) {
      throw base::Error(base::ErrorCode::resource_exhausted,
                        "the export could not be written to its end");
    }
    next = next_of(page);
  } while (!next.empty());
  return 0;
}

int review(const Options& options, const char* what, const json::object& body) {
  Session session(options.server);
  const json::object answer =
      session.post("/andon/v1/results/" + base::percent_encode(options.id) + "/" + what, body);
  std::cout << (options.as_json ? base::json_text(answer)
                                : base::JsonReader(answer, "review").string("reviewId"))
            << '\n';
  return 0;
}

int confirm(const Options& options) {
  return review(options, "confirm", {{"note", options.note}});
}

int overrule(const Options& options) {
  json::object body{{"note", options.note}};
  if (options.nothing && !options.label.empty()) {
    throw base::Error(base::ErrorCode::invalid_argument,
                      "--class and --nothing exclude each other");
  }
  if (options.nothing || !options.label.empty()) body["class"] = options.label;
  if (!options.verdict.empty()) body["verdict"] = options.verdict;
  return review(options, "overrule", body);
}

}  // namespace

void add_result_commands(CLI::App& app, std::function<int()>& selected) {
  CLI::App* result = noun(app, "result", "What devices found");
  const auto options = std::make_shared<Options>();
  const auto add = [&](const char* name, const char* help, int (*work)(const Options&)) {
    CLI::App* command = result->add_subcommand(name, help);
    add_server_options(*command, options->server);
    command->callback(
        [&selected, options, work] { selected = [options, work] { return work(*options); }; });
    return command;
  };
  const auto with_json = [&](CLI::App* command, const char* help) {
    command->add_flag("--json", options->as_json, help);
    return command;
  };
  const auto with_filter = [&](CLI::App* command) {
    command->add_option("--thing", options->thing, "Only of this device");
    command
        ->add_option("--group", options->group,
                     "Only of devices that are in this thing group, or in one below it")
        ->type_name("GROUP");
    command->add_option("--class", options->label, "Only with this class as the surest finding");
    command
        ->add_option("--from", options->from, "Only of this time (2026-11-22T10:00:00Z) or later")
        ->type_name("TIME");
    command->add_option("--until", options->until, "Only before this time")->type_name("TIME");
    command->add_option("--since", options->since_minutes, "Only of so many minutes until now")
        ->type_name("MINUTES")
        ->check(CLI::Range(1, 5'256'000))
        ->excludes("--from");
  };
  const auto with_scores = [&](CLI::App* command) {
    command->add_option("--verdict", options->verdict, "Only with this verdict");
    command->add_option("--min-score", options->least_score, "Only with at least this score")
        ->check(CLI::Number);
    command->add_option("--max-score", options->most_score, "Only with at most this score")
        ->check(CLI::Number);
  };
  const auto of_one = [&](CLI::App* command) {
    command->add_option("id", options->id, "The result's number")->required();
    return command;
  };

  CLI::App* list_command =
      with_json(add("list", "List results, newest first", list), "Print one JSON object");
  with_filter(list_command);
  with_scores(list_command);
  list_command->add_option("--limit", options->limit, "At most so many")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  CLI::App* tail_command =
      with_json(add("tail", "Print the last results; with -f, more as they come", tail),
                "Print a JSON object a line");
  with_filter(tail_command);
  with_scores(tail_command);
  tail_command->add_flag("-f,--follow", options->follow, "And more as they come");
  tail_command->add_option("-n,--lines", options->lines, "So many of the last")
      ->check(CLI::Range(0, 10'000))
      ->capture_default_str();
  of_one(with_json(add("show", "Print a result, what was said of it, and its message", show),
                   "Print one JSON object"));
  CLI::App* counts_command =
      with_json(add("counts", "Count results by hour, device and class, or as --by says", counts),
                "Print one JSON object");
  with_filter(counts_command);
  counts_command->add_option("--verdict", options->verdict, "Only with this verdict");
  counts_command
      ->add_option("--by", options->groups,
                   "thing, hour or shift, class, verdict, with commas between them; or none")
      ->type_name("GROUPS");
  CLI::App* shifts_command =
      with_json(add("shifts", "Show when the plant's shifts begin, or say so with --set", shifts),
                "Print one JSON object");
  shifts_command
      ->add_option("--set", options->shifts,
                   "All of them: early=06:00 late=14:00 night=22:00; or none alone")
      ->type_name("NAME=HH:MM");
  shifts_command->add_option("--time-zone", options->zone, "As IANA has it: Europe/Berlin")
      ->type_name("ZONE");
  CLI::App* export_command =
      add("export", "Write results, newest first, with their messages (jsonl) or as a table (csv)",
          export_results);
  with_filter(export_command);
  with_scores(export_command);
  export_command->add_option("--format", options->format, "jsonl or csv")
      ->check(options::one_of({"jsonl", "csv"}))
      ->capture_default_str();
  export_command->add_option("--output", options->output, "Write to this file, not to stdout")
      ->type_name("FILE");
  CLI::App* confirm_command = of_one(
      with_json(add("confirm", "Say that a result is right", confirm), "Print one JSON object"));
  confirm_command->add_option("--note", options->note, "Why");
  CLI::App* overrule_command =
      of_one(with_json(add("overrule", "Say what it is instead; the result itself stays", overrule),
                       "Print one JSON object"));
  overrule_command->add_option("--class", options->label, "What it is");
  overrule_command->add_flag("--nothing", options->nothing, "There is nothing");
  overrule_command->add_option("--verdict", options->verdict, "What should have been said: OK, NG");
  overrule_command->add_option("--note", options->note, "Why");
}

}  // namespace andon::cli
