// SPDX-License-Identifier: Apache-2.0
#include "builds/spec/buildspec.hpp"

#include <algorithm>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/text/ascii.hpp"
#include "recipe/reader/json_or_yaml.hpp"

namespace andon::builds {
namespace {

namespace json = base::json;
using base::Error;
using base::ErrorCode;

constexpr std::size_t kMostBytes = 256U << 10U;
constexpr std::size_t kMostShown = 100;

Error wrong(const std::string& place, const std::string& message) {
  return Error(ErrorCode::invalid_argument,
               "YAML_FILE_ERROR: buildspec: " + place + ": " + message);
}

// The members of an object, of which there are no others.
class Members {
 public:
  Members(const json::value& value, std::string place) : place_(std::move(place)) {
    if (!value.is_object()) throw wrong(place_, "must be a mapping");
    object_ = &value.get_object();
  }
  [[nodiscard]] const std::string& place() const { return place_; }
  [[nodiscard]] std::string place(std::string_view key) const {
    return place_.empty() ? std::string(key) : place_ + "." + std::string(key);
  }

  const json::value* find(std::string_view key) {
    known_.emplace_back(key);
    const auto* value = object_->if_contains(key);
    return value == nullptr || value->is_null() ? nullptr : value;
  }
  std::string text(std::string_view key) {
    const json::value* value = find(key);
    return value == nullptr ? std::string() : text_of(*value, place(key));
  }
  // A list of texts; one text alone is one, too.
  std::vector<std::string> texts(std::string_view key) {
    std::vector<std::string> all;
    const json::value* value = find(key);
    if (value == nullptr) return all;
    if (!value->is_array()) return {text_of(*value, place(key))};
    for (const json::value& one : value->get_array()) all.push_back(text_of(one, place(key)));
    return all;
  }
  std::map<std::string, std::string> variables(std::string_view key) {
    std::map<std::string, std::string> all;
    const json::value* value = find(key);
    if (value == nullptr) return all;
    if (!value->is_object()) throw wrong(place(key), "must be a mapping");
    for (const auto& [name, one] : value->get_object()) {
      check_variable(name, place(key));
      all[std::string(name)] = text_of(one, place(key) + "." + std::string(name));
    }
    return all;
  }
  void refuse(std::string_view key, const std::string& why) {
    if (find(key) != nullptr) throw wrong(place(key), why);
  }
  void refuse_others() const {
    for (const auto& member : *object_) {
      if (std::ranges::find(known_, std::string_view(member.key())) != known_.end()) continue;
      throw wrong(place(std::string(member.key()).substr(0, kMostShown)),
                  "is not known to this server");
    }
  }

  static void check_variable(std::string_view name, const std::string& place) {
    if (!name.empty() && base::is_name_of(name, "_") && !base::is_digit(name.front())) return;
    throw wrong(place, "'" + std::string(name.substr(0, kMostShown)) + "' is no variable's name");
  }

 private:
  static std::string text_of(const json::value& value, const std::string& place) {
    std::string text;
    if (value.is_string()) {
      text = value.get_string();
    } else if (value.is_number() || value.is_bool()) {
      text = base::to_text(value);
    } else {
      throw wrong(place, "must be a text");
    }
    if (text.find('\0') != std::string::npos) throw wrong(place, "has a NUL in it");
    return text;
  }

  std::string place_;
  const json::object* object_ = nullptr;
  std::vector<std::string> known_;
};

Phase read_phase(const json::value& value, const std::string& place, bool is_install) {
  Members members(value, place);
  Phase phase;
  phase.commands = members.texts("commands");
  phase.finally = members.texts("finally");
  const std::string failure = members.text("on-failure");
  if (failure == "ABORT") {
    phase.on_failure = Phase::OnFailure::abort;
  } else if (failure == "CONTINUE") {
    phase.on_failure = Phase::OnFailure::go_on;
  } else if (!failure.empty()) {
    throw wrong(members.place("on-failure"), "must be ABORT or CONTINUE");
  }
  if (const json::value* versions = members.find("runtime-versions"); versions != nullptr) {
    if (!is_install) throw wrong(members.place("runtime-versions"), "is for phase install");
    Members wanted(*versions, members.place("runtime-versions"));
    (void)wanted.find("python");  // the machine's python3, as functions have it
    wanted.refuse_others();
  }
  members.refuse("run-as", "commands are run by the build's own user; leave it out");
  members.refuse_others();
  return phase;
}

SpecArtifacts read_artifacts(const json::value& value) {
  Members members(value, "artifacts");
  SpecArtifacts artifacts{.files = members.texts("files"),
                          .excluded = members.texts("exclude-paths"),
                          .base_directory = members.text("base-directory"),
                          .name = members.text("name")};
  const std::string discards = members.text("discard-paths");
  if (!discards.empty() && discards != "yes" && discards != "no" && discards != "true" &&
      discards != "false") {
    throw wrong("artifacts.discard-paths", "must be yes or no");
  }
  artifacts.discards_paths = discards == "yes" || discards == "true";
  members.refuse("secondary-artifacts", "there is one artifact a build here");
  members.refuse("enable-symlinks", "links are not stored");
  members.refuse_others();
  if (artifacts.files.empty()) throw wrong("artifacts.files", "is missing");
  return artifacts;
}

}  // namespace

BuildSpec parse_buildspec(std::string_view text) {
  json::value document;
  try {
    document = recipe::parse_json_or_yaml(text, "buildspec", {.max_bytes = kMostBytes});
  } catch (const Error& error) {
    throw Error(ErrorCode::invalid_argument, "YAML_FILE_ERROR: " + error.message());
  }
  Members members(document, "");
  const std::string version = members.text("version");
  if (version != "0.2") throw wrong("version", "must be 0.2");
  BuildSpec spec;
  if (const json::value* given = members.find("env"); given != nullptr) {
    Members env(*given, "env");
    const std::string shell = env.text("shell");
    if (!shell.empty()) spec.shell = shell;
    if (spec.shell != "bash" && spec.shell != "sh") {
      throw wrong("env.shell", "must be bash or sh");
    }
    spec.variables = env.variables("variables");
    spec.parameters = env.variables("parameter-store");
    spec.secrets = env.variables("secrets-manager");
    spec.exported = env.texts("exported-variables");
    for (const std::string& name : spec.exported) {
      Members::check_variable(name, "env.exported-variables");
    }
    if (env.text("git-credential-helper") == "yes") {
      throw wrong("env.git-credential-helper", "builds have no network of their own here");
    }
    env.refuse_others();
  }
  if (const json::value* given = members.find("phases"); given != nullptr) {
    Members phases(*given, "phases");
    for (std::size_t i = 0; i < kPhases.size(); ++i) {
      const std::string name = base::to_lower(kPhases[i]);
      if (const json::value* one = phases.find(name); one != nullptr) {
        spec.phases[i] = read_phase(*one, "phases." + name, i == 0);
      }
    }
    phases.refuse_others();
  }
  if (const json::value* given = members.find("artifacts"); given != nullptr) {
    spec.artifacts = read_artifacts(*given);
  }
  members.refuse("cache", "there is no cache here; leave it out");
  members.refuse("reports", "there are no reports here; leave it out");
  members.refuse("batch", "there are no batches here");
  members.refuse("proxy", "builds have no network of their own here");
  members.refuse("run-as", "commands are run by the build's own user; leave it out");
  members.refuse_others();
  return spec;
}

}  // namespace andon::builds
