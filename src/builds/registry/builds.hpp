// SPDX-License-Identifier: Apache-2.0
// Room: registry. Build projects and builds as CodeBuild has them, in tables of their own: what a
// project is, which builds of it there were and how each stands. The room runs nothing. Each call
// is one transaction; any thread. Errors are base::Error.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/json/json.hpp"
#include "base/time/time.hpp"
#include "fleet/names/arn.hpp"
#include "store/sql/database.hpp"

namespace andon::builds {

namespace json = base::json;

struct Project {
  std::string name;
  // source, artifacts, environment, serviceRole ... as CodeBuild's Project has them.
  json::object config;
  base::Timestamp created;
  base::Timestamp modified;
};

struct Build {
  std::string id;  // a UUID; clients have it behind the project's name
  std::string project;
  std::int64_t number = 0;
  std::string status;  // IN_PROGRESS, SUCCEEDED, FAILED, FAULT, TIMED_OUT, STOPPED
  base::Timestamp started;
  std::optional<base::Timestamp> ended;
  // What it was started with (source, artifacts, environment, serviceRole, timeoutInMinutes ...)
  // and what became of it (phases, resolvedSourceVersion ...), as CodeBuild's Build has them.
  json::object record;

  [[nodiscard]] bool is_over() const { return status != "IN_PROGRESS"; }
};

// What the ARN of a project names.
[[nodiscard]] std::string project_arn(const fleet::Arns& arns, const std::string& name);
[[nodiscard]] std::string build_arn(const fleet::Arns& arns, const Build& build);
// "NAME:UUID", or its ARN; the UUID, or nothing for what is none.
[[nodiscard]] std::optional<std::string> build_id(std::string_view text);
// A project's name, or its ARN.
[[nodiscard]] std::string project_name(std::string_view text);

class Builds {
 public:
  static constexpr std::int64_t kMostProjects = 1'000;
  static constexpr std::int64_t kKept = 1'000;  // builds of one project that are over

  // Told of what changes, in the transaction in which it does: for events.
  using Told = std::function<void(store::Transaction&, const Build&)>;
  Builds(store::Database& database, const base::Clock& clock, Told told);

  Project create(const std::string& name, const json::object& config);
  // The members of `changes` replace the project's; null removes.
  Project change(const std::string& name, const json::object& changes);
  [[nodiscard]] std::optional<Project> find(const std::string& name) const;
  void remove(const std::string& name);  // with its builds; what is not there is no error
  enum class Order : std::uint8_t { ascending, descending };
  enum class By : std::uint8_t { name, created, modified };
  struct Names {
    std::vector<std::string> names;
    std::optional<std::string> next;
  };
  [[nodiscard]] Names list(By by, Order order, const std::string& after, std::size_t limit) const;

  struct New {
    std::string project;
    json::object record;
    std::string token;              // of the client; the same one is the same build
    std::int64_t most_at_once = 0;  // 0: any number
  };
  // The build, and whether it is new. resource_exhausted where as many run already.
  std::pair<Build, bool> start(const New& wanted);
  [[nodiscard]] std::optional<Build> find_build(const std::string& id) const;
  [[nodiscard]] std::vector<Build> open() const;
  // Ids of builds ("NAME:UUID") by their start; of all projects where `project` is empty.
  [[nodiscard]] Names list_builds(const std::string& project, Order order, const std::string& after,
                                  std::size_t limit) const;
  // Changes it where it is not over; gives it as it is then. Nothing where it is gone or over.
  std::optional<Build> note(const std::string& id, const std::function<void(Build&)>& change);

 private:
  store::Database& database_;
  const base::Clock& clock_;
  const Told told_;
};

}  // namespace andon::builds
