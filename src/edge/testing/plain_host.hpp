// SPDX-License-Identifier: Apache-2.0
// Components for tests of the supervisor: scripts as they are, and one trace that they write to.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/os/file.hpp"
#include "edge/run/component.hpp"

namespace andon::edge {

class PlainHost final : public ComponentHost {
 public:
  explicit PlainHost(base::fs::path root) : root_(std::move(root)) {}
  recipe::Lifecycle interpolated(const ComponentSpec& spec) override { return spec.lifecycle; }
  std::map<std::string, std::string> environment(const ComponentSpec& spec, const RunAs&) override {
    return {{"COMPONENT", spec.name},
            {"SVCUID", "token of " + spec.name},
            {"PATH", "/usr/local/bin:/usr/bin:/bin"},
            {"TRACE", (root_ / "trace").string()}};
  }
  base::fs::path working_directory(const ComponentSpec&) override { return directory_; }
  base::fs::path log_file(const ComponentSpec& spec) override {
    return root_ / (spec.name + ".log");
  }
  bool is_installed(const ComponentSpec& spec) override {
    return installed_[spec.name] == spec.identity;
  }
  void note_installed(const ComponentSpec& spec) override { installed_[spec.name] = spec.identity; }
  bool is_bootstrapped(const ComponentSpec& spec) override {
    return bootstrapped_[spec.name] == spec.identity;
  }
  void note_bootstrapped(const ComponentSpec& spec, std::optional<RestartOf> restart) override {
    bootstrapped_[spec.name] = spec.identity;
    if (restart) restarts.push_back(*restart);
  }
  bool has_artifacts(const ComponentSpec& spec) override { return !lacking_.contains(spec.name); }

  [[nodiscard]] std::set<std::string> held() const override { return held_; }
  void note_held(const std::set<std::string>& components) override { held_ = components; }

  [[nodiscard]] Sandbox sandbox(const ComponentSpec&, bool) const override { return sandbox_; }
  void set_sandbox(Sandbox sandbox) { sandbox_ = std::move(sandbox); }

  void set_lacking(std::set<std::string> components) { lacking_ = std::move(components); }

  void set_directory(base::fs::path directory) { directory_ = std::move(directory); }

  std::vector<RestartOf> restarts;

 private:
  base::fs::path root_;
  base::fs::path directory_ = root_;
  std::map<std::string, std::string> installed_;
  std::map<std::string, std::string> bootstrapped_;
  std::set<std::string> lacking_;
  std::set<std::string> held_;
  Sandbox sandbox_;
};

inline ComponentSpec make_spec(const std::string& name, const std::string& version,
                               const std::map<recipe::Step, std::string>& scripts,
                               const std::vector<std::string>& hard = {}) {
  ComponentSpec spec;
  spec.name = name;
  spec.version = version;
  spec.identity = version;
  spec.hard_dependencies = hard;
  spec.dependencies = hard;
  for (const auto& [step, script] : scripts) spec.lifecycle.steps[step].script = script;
  return spec;
}

}  // namespace andon::edge
