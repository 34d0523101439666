// SPDX-License-Identifier: Apache-2.0
#include "cli/registry/registry_command.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <string>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/json/json_reader.hpp"
#include "base/json/json_text.hpp"
#include "base/text/encoding.hpp"
#include "base/text/escape.hpp"
#include "base/text/id.hpp"
#include "cli/registry/lineage.hpp"
#include "cli/registry/registry.hpp"
#include "cli/registry/report_files.hpp"
#include "cli/terminal/server_choice.hpp"
#include "cli/terminal/subcommand.hpp"
#include "cli/terminal/table.hpp"
#include "cli/terminal/terminal.hpp"
#include "options/usage_error.hpp"

namespace andon::cli {
namespace {

namespace json = base::json;

struct Options {
  ServerChoice server;
  std::string model;
  std::string name;
  std::string description;
  std::string report;
  std::string reason;
  std::string alias;
  bool approve = false;
  bool remove = false;
  bool history = false;
  bool as_json = false;
};

void print(const json::value& value) {
  std::cout << base::json_text(value) << '\n';
}

int list_models(const Options& options) {
  ServerClient server(options.server);
  Table table({"MODEL", "NEWEST", "APPROVAL", "MADE"});
  json::array all;
  json::object input{{"MaxResults", 100}};
  while (true) {
    const json::value page = server->sagemaker("ListModelPackageGroups", input);
    const base::JsonReader reader(page, "ListModelPackageGroups");
    for (const base::JsonReader& group : reader.children("ModelPackageGroupSummaryList")) {
      const std::string name = group.string("ModelPackageGroupName");
      const json::value newest =
          server->sagemaker("ListModelPackages", {{"ModelPackageGroupName", name},
                                                  {"SortBy", "CreationTime"},
                                                  {"SortOrder", "Descending"},
                                                  {"MaxResults", 1}});
      const auto packages =
          base::JsonReader(newest, "ListModelPackages").children("ModelPackageSummaryList");
      json::object one{{"name", name}};
      if (packages.empty()) {
        table.add({name, "", "", ""});
      } else {
        const json::value package = packages.front().object();
        const auto version = packages.front().integer("ModelPackageVersion");
        table.add({name, std::to_string(version), text_of(package, "ModelApprovalStatus"),
                   ago_of(package, "CreationTime", server.now())});
        one["newest"] = package;
      }
      all.emplace_back(std::move(one));
    }
    const auto next = reader.optional_string("NextToken");
    if (!next) break;
    input["NextToken"] = *next;
  }
  if (options.as_json) {
    print(json::object{{"models", std::move(all)}});
  } else if (table.empty()) {
    fmt::print(stderr, "no models; register one: andon model register FILE.onnx --name NAME\n");
  } else {
    std::cout << table.text();
  }
  return 0;
}

int show_model(const Options& options) {
  ServerClient server(options.server);
  const ModelReference model = parse_model_reference(options.model);
  if (model.version != 0 || !model.alias.empty()) {
    const json::value package = server->sagemaker(
        "DescribeModelPackage", {{"ModelPackageName", find_model_package(*server, model).arn}});
    if (options.as_json) {
      print(package);
      return 0;
    }
    fmt::print("model     {}\napproval  {}\n", model.text(),
               text_of(package, "ModelApprovalStatus"));
    if (const std::string opening = opening_of(package); !opening.empty()) {
      fmt::print("check     {}\n", opening);
    }
    for (const auto& [label, member] :
         {std::pair{"said", "ApprovalDescription"}, std::pair{"what", "ModelPackageDescription"},
          std::pair{"arn", "ModelPackageArn"}}) {
      const std::string text = text_of(package, member);
      if (!text.empty()) fmt::print("{:<9} {}\n", label, text);
    }
    fmt::print("made      {}\ncomponent {} {}\n", ago_of(package, "CreationTime", server.now()),
               model.component(), model.component_version());
    const std::vector<LineageEntry> lineage = lineage_of(package);
    if (!lineage.empty()) fmt::print("lineage\n{}", to_text(lineage));
    if (waiting_execution(package)) {
      fmt::print(stderr, "it waits for a decision: andon model approve {0}, or reject {0}\n",
                 model.text());
    }
    return 0;
  }
  Table table({"MODEL", "APPROVAL", "ARN"});
  json::array all;
  for (const ModelPackage& package : model_packages(*server, model.name)) {
    table.add({package.model.text(), package.approval, package.arn});
    all.push_back(json::object{
        {"version", package.model.version}, {"approval", package.approval}, {"arn", package.arn}});
  }
  if (options.as_json) {
    print(json::object{{"name", model.name}, {"versions", std::move(all)}});
  } else {
    std::cout << table.text();
  }
  return 0;
}

void print_figures(const json::value& value, const std::string& name, int depth) {
  constexpr int kDeepest = 3;
  if (const auto* object = value.if_object()) {
    if (depth == kDeepest) return;
    for (const auto& [key, below] : *object) {
      print_figures(below, name.empty() ? std::string(key) : name + "." + std::string(key),
                    depth + 1);
    }
  } else if (!value.is_array() && !value.is_null()) {
    const std::string text =
        value.is_string() ? std::string(value.get_string()) : base::to_text(value);
    fmt::print("{:<40} {}\n", base::escape_line(name), base::escape_line(text.substr(0, 200)));
  }
}

int show_report(const Options& options) {
  constexpr std::size_t kMostBytes = 64U << 20U;
  constexpr std::string_view kS3 = "s3://";
  ServerClient server(options.server);
  const ModelPackage found = find_model_package(*server, parse_model_reference(options.model));
  const json::value package =
      server->sagemaker("DescribeModelPackage", {{"ModelPackageName", found.arn}});
  const std::string uri = report_of(package);
  const std::size_t slash = uri.find('/', kS3.size());
  if (!uri.starts_with(kS3) || slash == std::string::npos) {
    throw base::Error(base::ErrorCode::not_found,
                      found.model.text() +
                          " was registered without a report; give one with andon model register "
                          "--report FILE");
  }
  const json::value report =
      base::parse_json(server->get_object(uri.substr(kS3.size(), slash - kS3.size()),
                                          uri.substr(slash + 1), kMostBytes),
                       uri, {kMostBytes, 64});
  if (options.as_json) {
    print(report);
  } else {
    fmt::print("{:<40} {}\n", "report", base::escape_line(uri));
    print_figures(report, "", 0);
  }
  return 0;
}

// The registered objects themselves are the artifacts.
void create_component(ServerClient& server, const ModelReference& model, const std::string& folder,
                      const ModelParts& parts, const std::string& description) {
  const json::object recipe{
      {"RecipeFormatVersion", "2020-01-25"},
      {"ComponentName", model.component()},
      {"ComponentVersion", model.component_version()},
      {"ComponentDescription", description.empty() ? "Model " + model.text() : description},
      {"ComponentPublisher", "andon"},
      {"Manifests", json::array{json::object{{"Platform", {{"os", "linux"}, {"runtime", "*"}}},
                                             {"Artifacts", model_artifacts(folder, parts)}}}}};
  (void)server->rest("greengrass", "POST", "/greengrass/v2/createComponentVersion",
                     {{"inlineRecipe", base::to_base64(base::to_text(recipe))}});
}

int register_model(const Options& options) {
  const ModelParts parts = model_parts(options.model);
  std::vector<ReportFile> pictures;
  if (!options.report.empty()) pictures = pictures_of_report(options.report);
  ServerClient server(options.server);
  Terminal terminal;
  const std::string token = base::random_uuid();
  const std::string folder = options.name + "/" + token + "/";
  for (const vision::ModelFile::Part& part : parts) {
    upload(*server, terminal, kModelBucket, folder + part.place, part.path);
  }
  std::string report;
  if (!options.report.empty()) {
    // Beside the model's folder, all of which is the model.
    report = upload_report(*server, terminal, "reports/" + folder, options.report, pictures);
  }
  const std::string arn = create_model_package(*server, {.name = options.name,
                                                         .folder = folder,
                                                         .token = token,
                                                         .description = options.description,
                                                         .report = report});
  const ModelReference model{.name = options.name,
                             .version = std::stoi(arn.substr(arn.rfind('/') + 1))};
  create_component(server, model, folder, parts, options.description);
  if (options.approve) set_approval(*server, arn, "Approved", options.reason);
  if (options.as_json) {
    print(json::object{{"name", model.name},
                       {"version", model.version},
                       {"modelPackageArn", arn},
                       {"componentName", model.component()},
                       {"componentVersion", model.component_version()},
                       {"approval", options.approve ? "Approved" : "PendingManualApproval"}});
    return 0;
  }
  fmt::print("{}\n", model.text());
  if (!options.approve) {
    fmt::print(stderr, "it waits for approval: andon model approve {}\n", model.text());
  }
  return 0;
}

int decide(const Options& options, const char* approval) {
  ServerClient server(options.server);
  const ModelPackage package = find_model_package(*server, parse_model_reference(options.model));
  // Looked at before: the execution takes its token out of the package when it goes on.
  const auto execution = waiting_execution(
      server->sagemaker("DescribeModelPackage", {{"ModelPackageName", package.arn}}));
  set_approval(*server, package.arn, approval, options.reason);
  if (options.as_json) {
    json::object decided{
        {"name", package.model.name}, {"version", package.model.version}, {"approval", approval}};
    if (execution) decided["execution"] = *execution;
    print(decided);
    return 0;
  }
  fmt::print("{} {}\n", package.model.text(), approval);
  if (execution) {
    fmt::print(stderr, "the execution that waited for it goes on: andon workflow show {}\n",
               execution->empty() ? "EXECUTION" : *execution);
  }
  return 0;
}

std::string version_or_dash(const base::JsonReader& move, std::string_view key) {
  const auto version = move.optional_integer(key);
  return version ? std::to_string(*version) : "";
}

int show_moves(const Options& options, ServerClient& server, const std::string& path) {
  Table table({"ALIAS", "FROM", "TO", "WHO", "WHEN", "NOTE"});
  json::array all;
  std::string next;
  do {
    const std::string query =
        (options.alias.empty() ? std::string("?maxResults=100")
                               : "?maxResults=100&alias=" + base::percent_encode(options.alias)) +
        (next.empty() ? "" : "&nextToken=" + base::percent_encode(next));
    const json::value page = server->rest("andon", "GET", path + "/alias-moves" + query);
    const base::JsonReader reader(page, "ListModelAliasMoves");
    for (const base::JsonReader& move : reader.children("moves")) {
      const json::value one = move.object();
      table.add({text_of(one, "alias"), version_or_dash(move, "fromVersion"),
                 version_or_dash(move, "toVersion"), text_of(one, "movedBy"),
                 text_of(one, "movedAt"), text_of(one, "note")});
      all.push_back(one);
    }
    next = reader.optional_string("nextToken").value_or("");
  } while (!next.empty());
  if (options.as_json) {
    print(json::object{{"moves", std::move(all)}});
  } else {
    std::cout << table.text();
  }
  return 0;
}

int show_aliases(const Options& options, ServerClient& server, const std::string& path) {
  const json::value answer = server->rest("andon", "GET", path + "/aliases");
  if (options.as_json) {
    print(answer);
    return 0;
  }
  Table table({"ALIAS", "VERSION", "MOVED"});
  for (const base::JsonReader& one :
       base::JsonReader(answer, "ListModelAliases").children("aliases")) {
    table.add({text_of(one.object(), "alias"), std::to_string(one.integer("version")),
               text_of(one.object(), "movedAt")});
  }
  std::cout << table.text();
  return 0;
}

int alias_model(const Options& options) {
  const ModelReference model = parse_model_reference(options.model);
  ServerClient server(options.server);
  const std::string path = "/andon/v1/models/" + base::percent_encode(model.name);
  if (options.history) return show_moves(options, server, path);
  if (options.alias.empty()) {
    if (options.remove) throw options::UsageError("--remove needs the alias: NAME ALIAS --remove");
    return show_aliases(options, server, path);
  }
  const std::string place = path + "/aliases/" + base::percent_encode(options.alias);
  json::object body;
  if (!options.reason.empty()) body["note"] = options.reason;
  if (options.remove) {
    (void)server->rest("andon", "DELETE", place, body);
    if (options.as_json) print(json::object{{"name", model.name}, {"alias", options.alias}});
    return 0;
  }
  const ModelPackage package = find_model_package(*server, model);
  body["version"] = package.model.version;
  const json::value answer = server->rest("andon", "PUT", place, body);
  if (options.as_json) {
    print(answer);
  } else {
    fmt::print("{}@{} is {}\n", model.name, options.alias, package.model.text());
  }
  return 0;
}

int approve(const Options& options) {
  return decide(options, "Approved");
}

int reject(const Options& options) {
  return decide(options, "Rejected");
}

}  // namespace

void add_registry_commands(CLI::App& app, std::function<int()>& selected) {
  const auto options = std::make_shared<Options>();
  CLI::App* model = noun(app, "model", "Models: register and approve, measure, make smaller");
  const auto add = [&](const char* name, const char* help, int (*run)(const Options&)) {
    CLI::App* command = model->add_subcommand(name, help);
    add_server_options(*command, options->server);
    command->add_flag("--json", options->as_json, "Print one JSON object");
    command->callback(
        [options, run, &selected] { selected = [options, run] { return run(*options); }; });
    return command;
  };
  const auto of_one = [&](CLI::App* command) {
    command
        ->add_option("model", options->model,
                     "NAME for the newest, NAME@3 for the third, NAME@ALIAS")
        ->required();
    return command;
  };
  add("list", "Models of a server, each with its newest version", list_models);
  of_one(add("show", "The versions of a model, or one of them", show_model));
  of_one(add("report", "What was measured of a model, where that was registered with it",
             show_report));
  CLI::App* made = add("register",
                       "Upload a model, register it as the next version of NAME, and make it "
                       "component NAME.Model of that version",
                       register_model);
  made->add_option("file", options->model, "The ONNX file; what belongs to it is taken along")
      ->type_name("FILE")
      ->required();
  made->add_option("--name", options->name, "What it is called on the server")->required();
  made->add_option("--description", options->description, "What it is");
  made->add_option(
          "--report", options->report,
          "What was measured of it: report.json of `andon model eval` or of the trainer, with the "
          "pictures beside it that it names; a QA stage holds the model to it")
      ->type_name("FILE");
  made->add_flag("--approve", options->approve, "Approve it at once");
  of_one(add("approve", "Say that a model may be deployed", approve))
      ->add_option("--reason", options->reason, "Why");
  of_one(add("reject", "Say that a model may not be deployed", reject))
      ->add_option("--reason", options->reason, "Why");
  CLI::App* alias = of_one(add("alias",
                               "Aliases of a model: list them, put one on a version "
                               "(alias tags@3 champion), --remove it, or tell its --history",
                               alias_model));
  alias->add_option("alias", options->alias, "The alias, such as champion");
  alias->add_flag("--remove", options->remove, "Remove the alias");
  alias->add_flag("--history", options->history, "Every move there ever was, the newest first");
  alias->add_option("--reason", options->reason, "Why it moves; kept with the move");
}

}  // namespace andon::cli
