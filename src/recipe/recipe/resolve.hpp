// SPDX-License-Identifier: Apache-2.0
// From the components that deployments name to the full set that a device runs: one version of
// each, dependencies included. Asks for candidates until nothing changes. Pure but for the
// callback; any thread.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/error/error.hpp"
#include "recipe/recipe/recipe.hpp"

namespace andon::recipe {

// One wish: several deployments (thing groups) may name the same component.
struct RootComponent {
  std::string component;
  std::string requirement;   // version or range
  std::string requested_by;  // "thinggroup/G1"
};

// Who asks -> range as written. Who is a target ("thinggroup/G1") or a component name.
using Requirements = std::map<std::string, std::string>;

struct Candidate {
  Recipe recipe;
  std::string recipe_text;  // as served, for storing; may be empty
  std::string arn;          // of the component version; may be empty for local ones
};

// The best version that satisfies all requirements; nothing where there is none.
using CandidateSource = std::function<std::optional<Candidate>(const std::string& component,
                                                               const Requirements& requirements)>;

struct ResolvedComponent {
  Candidate candidate;
  bool is_root = false;
  Requirements requirements;              // who wanted it, and what
  std::vector<std::string> dependencies;  // component names, built-in ones left out
};

class ResolutionError : public base::Error {
 public:
  enum class Kind {
    no_version,            // nobody has a version that fits the one who asks
    requirements_not_met,  // those who ask cannot agree
    circular,              // components depend on each other in a ring
    bad_answer,            // the source answered something that does not fit what was asked
    too_large,             // more components than the limit, or it does not settle
  };
  ResolutionError(Kind kind, std::string message);
  [[nodiscard]] Kind kind() const { return kind_; }

 private:
  Kind kind_;
};

// What the agent itself provides; as root or dependency it is satisfied and left out.
[[nodiscard]] const std::set<std::string>& built_in_components();

// Dependencies come before those who need them; else by name, so the same input gives the same
// order. Throws ResolutionError naming who wants what; passes on what `source` throws.
[[nodiscard]] std::vector<ResolvedComponent> resolve_components(
    const std::vector<RootComponent>& roots, const CandidateSource& source,
    const std::set<std::string>& built_in = built_in_components());

// The range that satisfies all of `requirements`. Throws invalid_argument naming who wrote a
// malformed one.
[[nodiscard]] VersionRange merged_range(const Requirements& requirements);

}  // namespace andon::recipe
