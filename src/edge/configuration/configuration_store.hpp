// SPDX-License-Identifier: Apache-2.0
// The live configuration of every component: read by scripts and over IPC, changed by deployments
// and by the components themselves. Held in memory, written through to config.db before a change
// is seen; changes happen one after another. Main thread only. After a crash each change has
// happened whole or not at all.
#pragma once

#include <deque>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/json.hpp"
#include "base/time/time.hpp"
#include "edge/state/state_writer.hpp"
#include "store/sql/database.hpp"

namespace andon::edge {

namespace json = base::json;

using Configurations = std::map<std::string, json::object>;  // by component

class ConfigurationStore {
 public:
  // Gets the component and the key paths that changed, the shortest that cover all changes.
  using ChangeHandler = std::function<void(
      const std::string& component, const std::vector<std::vector<std::string>>& changed_paths)>;

  // Reads what is saved; `writer` is of the same database. A row that cannot be read is put aside
  // (table damaged_configuration), and the others count.
  ConfigurationStore(const store::Database& database, StateWriter& writer,
                     const base::Clock& clock);
  ConfigurationStore(const ConfigurationStore&) = delete;
  ConfigurationStore& operator=(const ConfigurationStore&) = delete;
  ~ConfigurationStore() { *alive_ = false; }

  // Why a component's saved configuration was put aside at the start, by component.
  [[nodiscard]] const std::map<std::string, std::string>& damaged() const { return damaged_; }
  // What a component has in the place of what was put aside. At the start, before anybody changes
  // something.
  void restore(const std::string& component, json::object content);

  [[nodiscard]] const Configurations& all() const { return current_; }
  [[nodiscard]] const json::object* find(std::string_view component) const;
  // Null where the path leads nowhere. The empty path is the whole configuration.
  [[nodiscard]] const json::value* find_at(std::string_view component,
                                           const std::vector<std::string>& key_path) const;

  enum class MergeOutcome { merged, older_than_current };
  // Gets an error instead of an outcome: invalid_argument where the key path goes through something
  // that is not an object, or the root is replaced by something that is not one, or the result
  // would be too deep; resource_exhausted where it would be too large (recipe/deployment).
  using MergeDone = std::function<void(MergeOutcome, std::exception_ptr)>;
  // A component's own change. `done` is called once the change is durable and seen, or refused.
  void merge(const std::string& component, std::vector<std::string> key_path, json::value value,
             base::Timestamp written_at, MergeDone done);

  // A deployment's change of everything: `change` is called when no other is on its way; all others
  // wait until end_change(). In between: write() inside a transaction, adopt() once it is durable.
  // It must not throw.
  void begin_change(std::function<void()> change);
  static void write(store::Transaction& transaction, const Configurations& all,
                    base::Timestamp now);
  void adopt(Configurations all);
  void end_change();

  // What components see: recipe variables in texts have their values. Null where there is no such
  // component. The values may change without the configuration (another version of a dependency);
  // refresh() tells who listens.
  [[nodiscard]] const json::object* resolved(const std::string& component) const;
  void refresh();
  using Resolver = std::function<json::object(const std::string& component, const json::object&)>;
  void set_resolver(Resolver resolver) { resolver_ = std::move(resolver); }

  void on_change(ChangeHandler handler) { handlers_.push_back(std::move(handler)); }

 private:
  void read(const store::Row& row);
  // The text of `content`. Throws where it is beyond a limit.
  [[nodiscard]] std::string checked_text(const std::string& component,
                                         const json::object& content) const;
  void refresh(const std::string& component);
  void start_changes();
  void merge_now(const std::string& component, const std::vector<std::string>& key_path,
                 const json::value& value, base::Timestamp written_at, const MergeDone& done);

  StateWriter& writer_;
  const base::Clock& clock_;
  Configurations current_;
  Configurations resolved_;
  Resolver resolver_;
  std::map<std::string, std::string> damaged_;
  std::map<std::string, std::size_t> bytes_;  // of each as text
  std::map<std::string, base::Timestamp> updated_;
  std::vector<ChangeHandler> handlers_;
  bool changing_ = false;
  bool starting_ = false;
  std::deque<std::function<void()>> waiting_;  // for their turn to change
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

// The shortest key paths that cover every difference: one for each member that was added, removed
// or replaced; objects on both sides are compared inside. Pure.
[[nodiscard]] std::vector<std::vector<std::string>> changed_paths(const json::object& before,
                                                                  const json::object& after);

}  // namespace andon::edge
