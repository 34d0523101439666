// SPDX-License-Identifier: Apache-2.0
#include "cli/apply/sources.hpp"

#include <algorithm>
#include <map>

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "base/text/ascii.hpp"
#include "cli/function/package.hpp"
#include "stacks/language/template.hpp"
#include "stacks/plan/plan.hpp"

namespace andon::cli {
namespace {

namespace fs = base::fs;
namespace json = base::json;
using base::Error;
using base::ErrorCode;

constexpr std::size_t kMostBytes = 4U << 20U;

// A stack's name: letters, digits and hyphens.
std::string stack_name(std::string text) {
  for (char& c : text) {
    if (!base::is_letter_or_digit(c)) c = '-';
  }
  if (text.empty() || !base::is_letter(text.front())) text.insert(0, "stack-");
  return text;
}

std::string without(std::string text, std::string_view end) {
  if (text.ends_with(end)) text.resize(text.size() - end.size());
  return text;
}

json::object read_document(const fs::path& file) {
  const json::value document =
      stacks::parse_document(base::read_file(file, kMostBytes), file.string());
  if (!document.is_object()) {
    throw Error(ErrorCode::invalid_argument, file.string() + ": a template is an object");
  }
  return document.get_object();
}

std::string filled(std::string text, const std::string& account, const std::string& region) {
  for (const auto& [name, value] :
       {std::pair<std::string, std::string>{"${AWS::AccountId}", account},
        {"${AWS::Region}", region},
        {"${AWS::Partition}", "aws"}}) {
    for (std::size_t at = text.find(name); at != std::string::npos; at = text.find(name)) {
      text.replace(at, name.size(), value);
    }
  }
  return text;
}

// The files of an asset manifest, but for the templates themselves.
std::vector<Upload> read_assets(const fs::path& manifest, const std::string& account,
                                const std::string& region) {
  std::vector<Upload> uploads;
  const json::value document =
      base::parse_json(base::read_file(manifest, kMostBytes), manifest.string());
  const base::JsonReader reader(document, manifest.filename().string());
  const auto* files = reader.optional_object("files");
  for (const auto& [hash, file] : files == nullptr ? json::object() : *files) {
    const base::JsonReader asset(file, "files." + std::string(hash));
    const base::JsonReader source = asset.child_or_empty("source");
    if (!source.has("path")) continue;  // made by a command
    const std::string path = source.required_text("path");
    if (path.ends_with(".template.json")) continue;
    const auto* destinations = asset.optional_object("destinations");
    if (destinations == nullptr || destinations->empty()) continue;
    const base::JsonReader destination(destinations->begin()->value(), asset.place("destinations"));
    Upload upload{.bucket = filled(destination.required_text("bucketName"), account, region),
                  .key = filled(destination.required_text("objectKey"), account, region),
                  .what = path,
                  .file = {},
                  .bytes = {}};
    const fs::path local = manifest.parent_path() / path;
    if (source.optional_string("packaging").value_or("file") == "zip") {
      upload.bytes = read_package(local);
    } else {
      upload.file = local;
    }
    uploads.push_back(std::move(upload));
  }
  return uploads;
}

// Without placeholders that no server fills: CDK writes them where a stack has no environment.
StackSource read_synthesised(const fs::path& file, const std::string& account,
                             const std::string& region) {
  StackSource source;
  const std::string base_name = without(file.filename().string(), ".template.json");
  source.name = stack_name(base_name);
  source.file = file;
  source.document = read_document(file);
  source.uploads = take_local_files(source.document, file.parent_path());
  const fs::path assets = file.parent_path() / (base_name + ".assets.json");
  if (fs::exists(assets)) {
    std::ranges::move(read_assets(assets, account, region), std::back_inserter(source.uploads));
  }
  return source;
}

// The templates of a cloud assembly, those first that others need.
std::vector<StackSource> read_assembly(const fs::path& folder, const std::string& account,
                                       const std::string& region) {
  const fs::path manifest = folder / "manifest.json";
  const json::value document =
      base::parse_json(base::read_file(manifest, kMostBytes), manifest.string());
  const base::JsonReader reader(document, "manifest.json");
  std::map<std::string, StackSource> sources;
  std::map<std::string, std::vector<std::string>> dependencies;
  std::vector<std::string> ids;
  const auto* artifacts = reader.optional_object("artifacts");
  for (const auto& [id, value] : artifacts == nullptr ? json::object() : *artifacts) {
    const base::JsonReader artifact(value, "artifacts." + std::string(id));
    if (artifact.optional_string("type") != "aws:cloudformation:stack") continue;
    const base::JsonReader properties = artifact.child_or_empty("properties");
    StackSource source =
        read_synthesised(folder / properties.required_text("templateFile"), account, region);
    source.name = properties.optional_string("stackName").value_or(source.name);
    ids.emplace_back(id);
    dependencies[std::string(id)] = artifact.strings("dependencies");
    sources.emplace(std::string(id), std::move(source));
  }
  std::vector<StackSource> sorted;
  for (const std::string& id : stacks::in_order(ids, dependencies)) {
    sorted.push_back(std::move(sources.at(id)));
  }
  if (sorted.empty()) {
    throw Error(ErrorCode::not_found, manifest.string() + " names no stack");
  }
  return sorted;
}

StackSource read_template_file(const fs::path& file, const std::string& name) {
  StackSource source{
      .name = stack_name(name), .file = file, .document = read_document(file), .uploads = {}};
  source.uploads = take_local_files(source.document, file.parent_path());
  return source;
}

}  // namespace

std::vector<StackSource> read_sources(const fs::path& path, const std::string& account,
                                      const std::string& region) {
  if (fs::is_directory(path)) {
    const fs::path folder = fs::canonical(path);
    for (const char* name : {"template.yaml", "template.yml", "template.json"}) {
      if (fs::exists(path / name)) {
        std::vector<StackSource> one;
        one.push_back(read_template_file(path / name, folder.filename().string()));
        return one;
      }
    }
    if (fs::exists(path / "manifest.json")) return read_assembly(path, account, region);
    throw Error(ErrorCode::not_found,
                path.string() +
                    " has no template.yaml, template.json or, of `cdk synth`, "
                    "manifest.json");
  }
  if (!fs::exists(path)) {
    throw Error(ErrorCode::not_found, "there is no file or directory '" + path.string() + "'");
  }
  std::vector<StackSource> one;
  const std::string file = path.filename().string();
  if (file.ends_with(".template.json")) {
    one.push_back(read_synthesised(path, account, region));
  } else if (path.stem() == "template") {
    one.push_back(read_template_file(path, fs::absolute(path).parent_path().filename().string()));
  } else {
    one.push_back(read_template_file(path, path.stem().string()));
  }
  return one;
}

}  // namespace andon::cli
