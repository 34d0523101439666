// SPDX-License-Identifier: Apache-2.0
#include "recipe/recipe/lifecycle.hpp"

#include <algorithm>
#include <cmath>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/text/ascii.hpp"
#include "base/text/number.hpp"
#include "recipe/reader/member_reader.hpp"

namespace andon::recipe {
namespace {

struct StepRow {
  Step step;
  std::string_view name;
  std::chrono::seconds default_timeout;  // zero: none
};

using std::chrono_literals::operator""s;

constexpr StepRow kSteps[] = {
    {Step::bootstrap, "bootstrap", 120s}, {Step::install, "install", 120s},
    {Step::startup, "startup", 120s},     {Step::run, "run", 0s},
    {Step::shutdown, "shutdown", 15s},    {Step::recover, "recover", 60s},
    {Step::uninstall, "uninstall", 120s},
};

constexpr std::string_view kStepMembers[] = {"Script", "RequiresPrivilege", "Skipif", "Timeout",
                                             "Setenv"};
constexpr std::string_view kOperatingSystems[] = {"linux", "darwin", "windows"};

const StepRow* find_step(std::string_view name) {
  const auto* row = std::find_if(std::begin(kSteps), std::end(kSteps), [&](const StepRow& step) {
    return base::equal_ignoring_case(step.name, name);
  });
  return row == std::end(kSteps) ? nullptr : row;
}

std::string below(const std::string& place, std::string_view key) {
  return place + base::join_pointer({std::string(key)});
}

void put(json::object& into, std::string_view key, json::value value, const std::string& place,
         Problems& problems) {
  if (into.contains(key)) {
    problems.push_back({place, "is there twice (upper and lower case do not matter)"});
  }
  into[key] = std::move(value);
}

json::value normalise_step(const json::value& value, const std::set<std::string>& keywords,
                           const std::string& place, const LifecycleFindings& findings) {
  const auto* object = value.if_object();
  if (object == nullptr) return value;  // a script, or what read_lifecycle complains about
  json::object normal;
  for (const auto& member : *object) {
    const std::string key = member.key();
    const auto where = below(place, key);
    const auto* name =
        std::find_if(std::begin(kStepMembers), std::end(kStepMembers),
                     [&](std::string_view known) { return base::equal_ignoring_case(known, key); });
    if (name != std::end(kStepMembers)) {
      put(normal, *name, member.value(), where, findings.problems);
    } else if (keywords.contains(key)) {
      put(normal, key, normalise_step(member.value(), keywords, where, findings), where,
          findings.problems);
    } else {
      findings.ignored.push_back({where,
                                  "is ignored: it is not a member of a lifecycle step (Script, "
                                  "RequiresPrivilege, Skipif, Timeout, Setenv)"});
    }
  }
  return normal;
}

json::value keep_selected(const json::value& value, const std::set<std::string>& keywords,
                          const std::vector<std::string>& selections) {
  const auto* object = value.if_object();
  if (object == nullptr) return value;
  const bool selects = std::any_of(object->begin(), object->end(), [&](const auto& member) {
    return keywords.contains(std::string(member.key()));
  });
  if (selects) {
    for (const auto& selection : selections) {
      const auto* chosen = object->if_contains(selection);
      if (chosen != nullptr) return keep_selected(*chosen, keywords, selections);
    }
    return nullptr;
  }
  json::object kept;
  for (const auto& member : *object) {
    auto child = keep_selected(member.value(), keywords, selections);
    if (!child.is_null()) kept[member.key()] = std::move(child);
  }
  return kept;
}

// In order of priority; "all" always ends it.
std::vector<std::string> selections_of(const Manifest& manifest) {
  auto selections = manifest.selections;
  if (selections.empty()) {
    const auto os = manifest.platform.find("os");
    if (os != manifest.platform.end()) selections.push_back(os->second);
  }
  selections.emplace_back("all");
  return selections;
}

std::optional<double> to_seconds(std::string_view text) {
  const auto seconds = base::parse_number(text);
  constexpr double kLongest = 366.0 * 86'400;
  if (!seconds || !(*seconds > 0) || *seconds > kLongest) return std::nullopt;
  return seconds;
}

std::string read_timeout(const MemberReader& reader) {
  const auto* value = reader.find("Timeout");
  if (value == nullptr) return {};
  std::string text;
  if (const auto* given = value->if_string()) {
    text = *given;
    if (text.find('{') != std::string::npos) return text;  // known when the step runs
  } else if (value->is_number()) {
    text = base::to_text(*value);
  }
  if (!to_seconds(text)) reader.problem("Timeout", "must be a positive number of seconds");
  return text;
}

std::string read_skip_if(const MemberReader& reader) {
  auto text = reader.optional_string("Skipif").value_or("");
  const auto blank = text.find(' ');
  const auto word = std::string_view(text).substr(0, blank);
  const bool has_argument =
      blank != std::string::npos && text.find_first_not_of(' ', blank) != std::string::npos;
  if (!text.empty() && (!has_argument || (word != "onpath" && word != "exists"))) {
    reader.problem("Skipif", "must be \"onpath <program>\" or \"exists <file>\"");
  }
  return text;
}

LifecycleStep read_step(const json::value& value, const std::string& place, Problems& problems) {
  LifecycleStep step;
  if (const auto* script = value.if_string()) {
    step.script = *script;
    return step;
  }
  if (!value.is_object()) {
    problems.push_back({place, "must be a script or an object"});
    return step;
  }
  const MemberReader reader(value, place, problems);
  step.script = reader.optional_string("Script").value_or("");
  step.requires_privilege = reader.optional_bool("RequiresPrivilege").value_or(false);
  step.skip_if = read_skip_if(reader);
  step.timeout = read_timeout(reader);
  step.setenv = reader.scalar_map("Setenv", "");
  return step;
}

}  // namespace

std::string_view to_string(Step step) {
  return std::find_if(std::begin(kSteps), std::end(kSteps),
                      [&](const StepRow& row) { return row.step == step; })
      ->name;
}

std::optional<std::chrono::milliseconds> step_timeout(const LifecycleStep& step, Step which) {
  if (step.timeout.empty()) {
    const auto* row = find_step(to_string(which));
    if (row->default_timeout == 0s) return std::nullopt;
    return row->default_timeout;
  }
  const auto seconds = to_seconds(step.timeout);
  if (!seconds) {
    throw base::Error(base::ErrorCode::invalid_argument,
                      "the Timeout of step " + std::string(to_string(which)) + " is \"" +
                          step.timeout + "\" but must be a positive number of seconds");
  }
  return std::chrono::milliseconds(std::llround(std::ceil(*seconds * 1000)));
}

std::set<std::string> selection_keywords(const std::vector<Manifest>& manifests) {
  std::set<std::string> keywords(std::begin(kOperatingSystems), std::end(kOperatingSystems));
  keywords.insert("all");
  for (const auto& manifest : manifests) {
    keywords.insert(manifest.selections.begin(), manifest.selections.end());
  }
  return keywords;
}

json::object normalise_lifecycle(const json::object& lifecycle,
                                 const std::set<std::string>& keywords, const std::string& place,
                                 const LifecycleFindings& findings) {
  json::object normal;
  for (const auto& member : lifecycle) {
    const std::string key = member.key();
    const auto where = below(place, key);
    const auto& value = member.value();
    if (keywords.contains(key)) {
      if (const auto* object = value.if_object()) {
        put(normal, key, normalise_lifecycle(*object, keywords, where, findings), where,
            findings.problems);
      } else {
        findings.problems.push_back({where, "must be an object"});
      }
    } else if (const auto* step = find_step(key)) {
      if (value.is_null()) continue;
      put(normal, step->name, normalise_step(value, keywords, where, findings), where,
          findings.problems);
    } else if (base::equal_ignoring_case(key, "Setenv")) {
      put(normal, "Setenv", value, where, findings.problems);
    } else {
      findings.ignored.push_back({where,
                                  "is ignored: it is not a lifecycle step (bootstrap, install, "
                                  "startup, run, shutdown, recover, uninstall, Setenv)"});
    }
  }
  return normal;
}

json::object effective_lifecycle(const Recipe& recipe, const Manifest& manifest) {
  if (!manifest.lifecycle.empty()) return manifest.lifecycle;
  const auto kept = keep_selected(recipe.lifecycle, selection_keywords(recipe.manifests),
                                  selections_of(manifest));
  return kept.is_object() ? kept.get_object() : json::object{};
}

Lifecycle read_lifecycle(const json::object& lifecycle, const std::string& place,
                         Problems& problems) {
  Lifecycle read;
  const json::value value(lifecycle);
  read.setenv = MemberReader(value, place, problems).scalar_map("Setenv", "");
  for (const auto& row : kSteps) {
    const auto* step = lifecycle.if_contains(row.name);
    if (step == nullptr) continue;
    read.steps.emplace(row.step, read_step(*step, below(place, row.name), problems));
  }
  if (read.steps.contains(Step::startup) && read.steps.contains(Step::run)) {
    problems.push_back({place,
                        "has both startup and run: a component is either a background "
                        "service (startup) or a program (run)"});
  }
  return read;
}

const LifecycleStep* Lifecycle::find(Step step) const {
  const auto found = steps.find(step);
  return found == steps.end() ? nullptr : &found->second;
}

}  // namespace andon::recipe
