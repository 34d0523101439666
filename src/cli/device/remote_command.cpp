// SPDX-License-Identifier: Apache-2.0
#include "cli/device/remote_command.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/json/json_reader.hpp"
#include "base/json/json_text.hpp"
#include "base/os/file.hpp"
#include "base/text/encoding.hpp"
#include "base/text/escape.hpp"
#include "base/text/split.hpp"
#include "cli/device/asked_command.hpp"
#include "cli/terminal/server_choice.hpp"
#include "cli/terminal/subcommand.hpp"
#include "cli/terminal/table.hpp"
#include "cli/terminal/terminal.hpp"
#include "fleet/command/command_request.hpp"
#include "options/usage_error.hpp"
#include "trust/digests/digest.hpp"

namespace andon::cli {
namespace {

namespace json = base::json;
using base::Error;
using base::ErrorCode;
using options::UsageError;

struct Options {
  ServerChoice server;
  std::string name;
  std::string component;
  std::vector<std::string> words;
  std::string from;
  std::string to;
  std::string output;
  std::int64_t lines = 100;
  int limit_s = 0;
  int most = 50;
  bool follow = false;
  bool as_json = false;
};

std::string path_of(const std::string& thing, const char* what = "commands") {
  return "/andon/v1/things/" + base::percent_encode(thing) + "/" + what;
}

json::object body_of(const Options& options, const char* kind) {
  json::object body{{"kind", kind}};
  if (!options.component.empty()) body["component"] = options.component;
  if (options.limit_s > 0) body["deadlineSeconds"] = options.limit_s;
  return body;
}

struct NobodyReads {};

void print_line(const json::object& object) {
  std::cout << base::json_text(object) << '\n' << std::flush;
}

// Text as it comes, for as long as somebody reads it.
void print_text(const Options& options, const json::object& answer) {
  if (options.as_json) {
    print_line(answer);
    if (!std::cout) throw NobodyReads();
    return;
  }
  const auto* const text = answer.if_contains("text");
  if (text == nullptr) return;
  std::ostream& out = answer.contains("stream") ? std::cerr : std::cout;
  // A device must not steer the terminal.
  out << base::escape_controls(std::string_view(text->as_string())) << std::flush;
  if (!out) throw NobodyReads();
}

int logs(const Options& options) {
  ServerClient server(options.server);
  json::object body = body_of(options, "logs");
  body["lines"] = options.lines;
  body["follow"] = options.follow;
  try {
    carry_through(server, path_of(options.name), body,
                  [&](const json::object& answer) { print_text(options, answer); });
  } catch (const NobodyReads&) {
    return 0;  // `... | head`: the server sees that its reader has gone
  }
  return 0;
}

int tell(const Options& options, const char* kind) {
  ServerClient server(options.server);
  const json::object result =
      carry_through(server, path_of(options.name), body_of(options, kind), [](const auto&) {});
  if (options.as_json) print_line(result);
  return 0;
}

int restart(const Options& options) {
  return tell(options, "restart");
}

int stop(const Options& options) {
  return tell(options, "stop");
}

int components(const Options& options) {
  ServerClient server(options.server);
  json::array rows;
  carry_through(server, path_of(options.name), body_of(options, "components"),
                [&](const json::object& answer) {
                  if (const auto* row = answer.if_contains("row")) rows.push_back(*row);
                });
  if (options.as_json) {
    print_line({{"components", std::move(rows)}});
    return 0;
  }
  Table table({"COMPONENT", "VERSION", "STATE", "REASON"});
  for (const json::value& row : rows) {
    table.add({text_of(row, "name"), text_of(row, "version"), text_of(row, "state"),
               text_of(row, "reason")});
  }
  if (!table.empty()) std::cout << table.text();
  return 0;
}

int doctor(const Options& options) {
  return print_examination(options.server, path_of(options.name), body_of(options, "doctor"),
                           options.as_json);
}

// What the device sent, held against what it says that it sent.
struct File {
  std::string bytes;
  json::object result;
};

File fetch(const Options& options, const std::string& path, const json::object& body) {
  ServerClient server(options.server);
  Terminal terminal;
  File file;
  std::uint64_t whole = 0;
  file.result = carry_through(server, path, body, [&](const json::object& answer) {
    const base::JsonReader reader(answer, "answer");
    if (reader.has("progress")) {
      const base::JsonReader progress = reader.child("progress");
      whole = static_cast<std::uint64_t>(progress.optional_integer("ofBytes").value_or(0));
      const std::string text = progress.optional_string("text").value_or("");
      if (!text.empty() && !options.as_json) {
        terminal.step(options.name + ": " + base::escape_controls(text));
      }
    }
    const auto data = base::from_base64(reader.optional_string("data").value_or(""));
    if (data) file.bytes += *data;
    if (whole > 0 && !options.as_json) terminal.progress(options.name, file.bytes.size(), whole);
  });
  if (trust::sha256_hex(file.bytes) != text_of(file.result, "sha256")) {
    throw Error(ErrorCode::data_corrupted,
                "what came of " + options.name + " is not what it sent; try again");
  }
  return file;
}

int write_out(const Options& options, const File& file, const base::fs::path& out) {
  base::write_file_atomically(out, file.bytes, 0600);
  json::object told = file.result;
  told["file"] = base::fs::absolute(out).string();
  if (options.as_json) {
    print_line(told);
  } else {
    fmt::print("{}\n", out.string());
  }
  return 0;
}

int support_bundle(const Options& options) {
  const File file = fetch(options, path_of(options.name), body_of(options, "support-bundle"));
  return write_out(
      options, file,
      options.output.empty() ? "andon-support-" + options.name + ".tar" : options.output);
}

int frame(const Options& options) {
  const File file = fetch(options, path_of(options.name), body_of(options, "frame"));
  const std::string type = text_of(file.result, "contentType");
  const char* const ending = type == "image/jpeg" ? ".jpg" : type == "image/png" ? ".png" : ".img";
  return write_out(options, file,
                   options.output.empty() ? "frame-" + options.name + ending : options.output);
}

int shell(const Options& options) {
  ServerClient server(options.server);
  json::object body{{"commandLine", base::join(std::span<const std::string>(options.words), " ")}};
  if (options.limit_s > 0) body["deadlineSeconds"] = options.limit_s;
  json::object result;
  try {
    result = carry_through(server, path_of(options.name, "shell"), body,
                           [&](const json::object& answer) { print_text(options, answer); });
  } catch (const NobodyReads&) {
    return 0;
  }
  if (options.as_json) print_line({{"result", result}});
  const base::JsonReader reader(result, "result");
  const std::int64_t code = reader.optional_integer("exitCode").value_or(-1);
  if (code == 0) return 0;
  throw Error(ErrorCode::failed_precondition,
              code > 0 ? "it ended with exit code " + std::to_string(code)
                       : "it was ended by signal " +
                             std::to_string(reader.optional_integer("signal").value_or(0)));
}

// "NAME:/path" names a file of a device.
struct Place {
  std::string thing;
  std::string path;
};
std::optional<Place> device_place(const std::string& text) {
  const std::size_t at = text.find(":/");
  if (at == std::string::npos || at == 0 || text.find('/') < at) return std::nullopt;
  return Place{text.substr(0, at), text.substr(at + 1)};
}

int copy(const Options& given) {
  Options options = given;
  const auto from = device_place(options.from);
  const auto to = device_place(options.to);
  if (from.has_value() == to.has_value()) {
    throw UsageError("one of both must be of the form DEVICE:/PATH, and the other a file here");
  }
  json::object body{{"direction", from ? "from" : "to"}, {"path", from ? from->path : to->path}};
  if (options.limit_s > 0) body["deadlineSeconds"] = options.limit_s;
  options.name = from ? from->thing : to->thing;
  const std::string path = path_of(options.name, "copy");
  if (from) {
    const base::fs::path file(from->path);
    base::fs::path out(options.to);
    if (base::fs::is_directory(out)) out /= file.filename();
    return write_out(options, fetch(options, path, body), out);
  }
  const std::string content = base::read_file(options.from, fleet::kMostCopiedTo);
  body["content"] = base::to_base64(content);
  ServerClient server(options.server);
  const json::object result = carry_through(server, path, body, [](const auto&) {});
  if (text_of(result, "sha256") != trust::sha256_hex(content)) {
    throw Error(ErrorCode::data_corrupted, "what the device has is not what was sent; try again");
  }
  if (options.as_json) print_line(result);
  return 0;
}

int commands(const Options& options) {
  ServerClient server(options.server);
  json::array all;
  std::string next;
  do {
    std::string target =
        "/andon/v1/commands?maxResults=" + std::to_string(std::min(options.most, 200));
    if (!options.name.empty()) target += "&thing=" + base::percent_encode(options.name);
    if (!next.empty()) target += "&nextToken=" + base::percent_encode(next);
    const json::value page = server->rest("andon", "GET", target);
    for (const json::value& one : page.at("commands").as_array()) all.push_back(one);
    next = base::JsonReader(page, "page").optional_string("nextToken").value_or("");
  } while (!next.empty() && all.size() < static_cast<std::size_t>(options.most));
  if (all.size() > static_cast<std::size_t>(options.most)) {
    all.resize(static_cast<std::size_t>(options.most));
  }
  if (options.as_json) {
    print_line({{"commands", std::move(all)}});
    return 0;
  }
  Table table({"STARTED", "DEVICE", "WHO", "WHAT", "STATUS", "REASON"});
  for (const json::value& one : all) {
    const auto* const error = one.as_object().if_contains("error");
    table.add({text_of(one, "startedAt"), text_of(one, "thing"), text_of(one, "askedBy"),
               text_of(one, "what"), text_of(one, "status"),
               error == nullptr ? "" : text_of(*error, "message")});
  }
  if (!table.empty()) std::cout << table.text();
  return 0;
}

}  // namespace

void add_remote_commands(CLI::App& app, std::function<int()>& selected) {
  const auto options = std::make_shared<Options>();
  CLI::App* const device = noun(app, "device", "Devices of the fleet");
  const auto add = [&](const char* name, const char* help, int (*run)(const Options&)) {
    CLI::App* const command = device->add_subcommand(name, help);
    add_server_options(*command, options->server);
    command->add_flag("--json", options->as_json, "Print JSON");
    command->callback(
        [options, run, &selected] { selected = [options, run] { return run(*options); }; });
    return command;
  };
  const auto timed = [&](CLI::App* command) {
    command->add_option("--timeout", options->limit_s, "Seconds that it may take; 0: as usual")
        ->check(CLI::Range(0, static_cast<int>(fleet::kLongestCommand.count())))
        ->capture_default_str();
    return command;
  };
  const auto asked = [&](const char* name, const char* help, int (*run)(const Options&)) {
    CLI::App* const command = timed(add(name, help, run));
    command->add_option("name", options->name, "Thing name")->required();
    return command;
  };
  const auto of_component = [&](CLI::App* command, const char* help) {
    return command->add_option("-c,--component", options->component, help)->type_name("COMPONENT");
  };
  const auto written = [&](CLI::App* command, const char* help) {
    command->add_option("-o,--out", options->output, help)->type_name("FILE");
    return command;
  };

  CLI::App* const reading = asked("logs", "Print what a component of the device wrote", logs);
  of_component(reading, "Which one; needed where the device has several");
  reading->add_flag("-f,--follow", options->follow, "Go on with what it writes");
  reading->add_option("-n,--lines,--tail", options->lines, "Lines from the end")
      ->check(CLI::Range(std::int64_t{0}, fleet::kMostCommandLines))
      ->capture_default_str();
  of_component(asked("restart", "Restart a component, with what depends on it", restart),
               "Which one")
      ->required();
  of_component(asked("stop", "Stop a component until it is restarted or deployed", stop),
               "Which one")
      ->required();
  asked("components", "What runs on the device, as it says now", components);
  asked("doctor", "Let the device find out what is wrong with it", doctor);
  written(asked("support-bundle",
                "Fetch what others need to find out what is wrong with the device", support_bundle),
          "The tar archive; default: in this directory");
  CLI::App* const picture = asked("frame", "Fetch the newest picture that a component has", frame);
  of_component(picture, "Which one; default: the first that answers");
  written(picture, "The picture; default: in this directory");
  asked("shell", "Run a command line on the device, where it allows that", shell)
      ->add_option("command", options->words, "The command line")
      ->required();
  CLI::App* const copying =
      timed(add("copy", "Copy a file from or to the device, where it allows that", copy));
  copying->add_option("from", options->from, "A file, or DEVICE:/PATH")->required();
  copying->add_option("to", options->to, "A file, or DEVICE:/PATH")->required();
  CLI::App* const history =
      add("commands", "What was asked of devices, by whom, and what came of it", commands);
  history->add_option("name", options->name, "Thing name; default: of all");
  history->add_option("--limit", options->most, "The newest so many")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
}

}  // namespace andon::cli
