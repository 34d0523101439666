// SPDX-License-Identifier: Apache-2.0
// Walks from the roots through the versions chosen so far, collecting who wants what; where a
// choice is missing or no longer fits, asks for another and walks again. What a dropped version
// wanted is forgotten, since each walk starts from nothing.
#include "recipe/recipe/resolve.hpp"

#include <algorithm>
#include <deque>
#include <functional>

namespace andon::recipe {
namespace {

constexpr std::size_t kMaxComponents = 500;
constexpr std::size_t kMaxRounds = 2000;

using Kind = ResolutionError::Kind;

std::string list_of(const Requirements& requirements) {
  std::string text;
  for (const auto& [who, range] : requirements) {
    if (!text.empty()) text += ", ";
    text += who + " wants \"" + (range.empty() ? "*" : range) + "\"";
  }
  return text;
}

// What a walk found: each reachable component with the wishes for it, in order of discovery.
struct Walk {
  std::vector<std::string> order;
  std::map<std::string, Requirements> wanted;
};

class Resolver {
 public:
  Resolver(const std::vector<RootComponent>& roots, const CandidateSource& source,
           const std::set<std::string>& built_in)
      : roots_(roots), source_(source), built_in_(built_in) {}

  std::vector<ResolvedComponent> run() {
    for (std::size_t round = 0; round < kMaxRounds; ++round) {
      const Walk reached = walk();
      const auto unmet = std::find_if(
          reached.order.begin(), reached.order.end(),
          [&](const std::string& name) { return !fits(name, reached.wanted.at(name)); });
      if (unmet == reached.order.end()) return ordered(reached);
      choose(*unmet, reached.wanted.at(*unmet));
    }
    throw ResolutionError(Kind::too_large,
                          "the dependencies do not settle: versions keep asking for each other's "
                          "replacement; pin the components' versions in the deployment");
  }

 private:
  [[nodiscard]] Walk walk() const {
    Walk reached;
    std::deque<std::string> waiting;
    const auto want = [&](const std::string& name, const std::string& who,
                          const std::string& range) {
      if (built_in_.contains(name)) return;
      auto& requirements = reached.wanted[name];
      if (requirements.empty()) {
        reached.order.push_back(name);
        waiting.push_back(name);
      }
      if (const auto [wish, first] = requirements.emplace(who, range);
          !first && wish->second != range) {
        requirements.emplace(who + " (again)", range);
      }
    };
    for (const auto& root : roots_) want(root.component, root.requested_by, root.requirement);
    while (!waiting.empty()) {
      if (reached.order.size() > kMaxComponents) {
        throw ResolutionError(Kind::too_large, "more than " + std::to_string(kMaxComponents) +
                                                   " components would be needed");
      }
      const auto name = std::move(waiting.front());
      waiting.pop_front();
      const auto chosen = chosen_.find(name);
      if (chosen == chosen_.end()) continue;
      for (const auto& dependency : chosen->second.recipe.dependencies) {
        want(dependency.component, name, dependency.requirement_text);
      }
    }
    return reached;
  }

  [[nodiscard]] bool fits(const std::string& name, const Requirements& requirements) {
    const auto chosen = chosen_.find(name);
    if (chosen == chosen_.end()) return false;
    const auto met = met_.find(name);
    if (met != met_.end() && met->second == requirements) return true;
    if (!range_of(name, requirements).contains(chosen->second.recipe.component_version)) {
      return false;
    }
    met_.insert_or_assign(name, requirements);
    return true;
  }

  [[nodiscard]] static VersionRange range_of(const std::string& name,
                                             const Requirements& requirements) {
    try {
      return merged_range(requirements);
    } catch (base::Error& error) {
      throw ResolutionError(Kind::requirements_not_met, name + ": " + error.message());
    }
  }

  void choose(const std::string& name, const Requirements& requirements) {
    const auto range = range_of(name, requirements);
    auto candidate = source_(name, requirements);
    if (!candidate) {
      const bool agreed = requirements.size() == 1;
      throw ResolutionError(agreed ? Kind::no_version : Kind::requirements_not_met,
                            "no version of " + name + " fits" + (agreed ? "" : " everybody") +
                                ": " + list_of(requirements) +
                                (agreed ? "; create that version, or change the requirement"
                                        : "; change one of them so that a version fits all"));
    }
    const auto& recipe = candidate->recipe;
    if (recipe.component_name != name || !range.contains(recipe.component_version)) {
      throw ResolutionError(Kind::bad_answer, "asked for " + name + " (" + list_of(requirements) +
                                                  ") and got " + recipe.id());
    }
    chosen_.insert_or_assign(name, *std::move(candidate));
    met_.insert_or_assign(name, requirements);
  }

  // Depth first, by name; a component on its own path is a ring.
  [[nodiscard]] std::vector<ResolvedComponent> ordered(const Walk& reached) {
    std::vector<ResolvedComponent> result;
    std::set<std::string> done;
    std::vector<std::string> path;
    const std::function<void(const std::string&)> visit = [&](const std::string& name) {
      if (done.contains(name)) return;
      const auto ring = std::find(path.begin(), path.end(), name);
      if (ring != path.end()) {
        std::string text;
        for (auto step = ring; step != path.end(); ++step) text += *step + " -> ";
        throw ResolutionError(Kind::circular,
                              "components depend on each other in a ring: " + text + name);
      }
      path.push_back(name);
      std::set<std::string> dependencies;
      for (const auto& dependency : chosen_.at(name).recipe.dependencies) {
        if (!built_in_.contains(dependency.component)) dependencies.insert(dependency.component);
      }
      for (const auto& dependency : dependencies) visit(dependency);
      path.pop_back();
      done.insert(name);
      result.push_back({chosen_.at(name),
                        is_root(name),
                        reached.wanted.at(name),
                        {dependencies.begin(), dependencies.end()}});
    };
    std::set<std::string> names(reached.order.begin(), reached.order.end());
    for (const auto& name : names) visit(name);
    return result;
  }

  [[nodiscard]] bool is_root(const std::string& name) const {
    return std::any_of(roots_.begin(), roots_.end(),
                       [&](const RootComponent& root) { return root.component == name; });
  }

  const std::vector<RootComponent>& roots_;
  const CandidateSource& source_;
  const std::set<std::string>& built_in_;
  std::map<std::string, Candidate> chosen_;
  std::map<std::string, Requirements> met_;  // what each choice was last found to fit
};

}  // namespace

ResolutionError::ResolutionError(Kind kind, std::string message)
    : base::Error(kind == Kind::no_version ? base::ErrorCode::not_found
                                           : base::ErrorCode::failed_precondition,
                  std::move(message)),
      kind_(kind) {}

const std::set<std::string>& built_in_components() {
  static const std::set<std::string> names{"aws.greengrass.Nucleus",
                                           "aws.greengrass.NucleusLite",
                                           "aws.greengrass.TokenExchangeService",
                                           "aws.greengrass.Cli",
                                           "aws.greengrass.StreamManager",
                                           "aws.greengrass.ShadowManager",
                                           "aws.greengrass.SecretManager",
                                           "aws.greengrass.LogManager",
                                           "aws.greengrass.DiskSpooler",
                                           "aws.greengrass.DockerApplicationManager",
                                           "aws.greengrass.clientdevices.Auth",
                                           "aws.greengrass.clientdevices.IPDetector",
                                           "aws.greengrass.clientdevices.mqtt.Bridge",
                                           "aws.greengrass.clientdevices.mqtt.EMQX",
                                           "aws.greengrass.clientdevices.mqtt.Moquette",
                                           "aws.greengrass.crypto.Pkcs11Provider",
                                           "aws.greengrass.telemetry.NucleusEmitter"};
  return names;
}

VersionRange merged_range(const Requirements& requirements) {
  VersionRange merged;
  for (const auto& [who, text] : requirements) {
    try {
      merged = merged.intersect(VersionRange::parse(text));
    } catch (base::Error& error) {
      throw error.with_context(who);
    }
  }
  return merged;
}

std::vector<ResolvedComponent> resolve_components(const std::vector<RootComponent>& roots,
                                                  const CandidateSource& source,
                                                  const std::set<std::string>& built_in) {
  return Resolver(roots, source, built_in).run();
}

}  // namespace andon::recipe
