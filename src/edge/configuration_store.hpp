// SPDX-License-Identifier: Apache-2.0
// The live configuration of every component: read by scripts and over IPC, changed by deployments
// and by the components themselves. Held in memory, written through to config.db before a change
// is seen. Main thread only. After a crash each change has happened whole or not at all.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "base/time.hpp"
#include "store/database.hpp"

namespace andon::edge {

namespace json = base::json;

using Configurations = std::map<std::string, json::object>;  // by component

class ConfigurationStore {
 public:
  // Gets the component and the key paths that changed, the shortest that cover all changes.
  using ChangeHandler = std::function<void(
      const std::string& component, const std::vector<std::vector<std::string>>& changed_paths)>;

  ConfigurationStore(store::Database& database, const base::Clock& clock);

  [[nodiscard]] const Configurations& all() const { return current_; }
  [[nodiscard]] const json::object* find(std::string_view component) const;
  // Null where the path leads nowhere. The empty path is the whole configuration.
  [[nodiscard]] const json::value* find_at(std::string_view component,
                                           const std::vector<std::string>& key_path) const;

  enum class MergeOutcome { merged, older_than_current };
  // A component's own change. Throws invalid_argument where `key_path` goes through something that
  // is not an object, or the root is replaced by something that is not one.
  MergeOutcome merge(const std::string& component, const std::vector<std::string>& key_path,
                     const json::value& value, base::Timestamp written_at);

  // A deployment's change of everything: write() inside its transaction, then adopt() once that
  // is committed.
  static void write(store::Transaction& transaction, const Configurations& all,
                    base::Timestamp now);
  void adopt(Configurations all);

  // What components see: recipe variables in texts have their values. Null where there is no such
  // component. The values may change without the configuration (another version of a dependency);
  // refresh() tells who listens.
  [[nodiscard]] const json::object* resolved(const std::string& component) const;
  void refresh();
  using Resolver = std::function<json::object(const std::string& component, const json::object&)>;
  void set_resolver(Resolver resolver) { resolver_ = std::move(resolver); }

  void on_change(ChangeHandler handler) { handlers_.push_back(std::move(handler)); }

 private:
  void refresh(const std::string& component);

  store::Database& database_;
  const base::Clock& clock_;
  Configurations current_;
  Configurations resolved_;
  Resolver resolver_;
  std::map<std::string, base::Timestamp> updated_;
  std::vector<ChangeHandler> handlers_;
};

// The shortest key paths that cover every difference: one for each member that was added, removed
// or replaced; objects on both sides are compared inside. Pure.
[[nodiscard]] std::vector<std::vector<std::string>> changed_paths(const json::object& before,
                                                                  const json::object& after);

}  // namespace andon::edge
