// SPDX-License-Identifier: Apache-2.0
#include "builds/registry/builds.hpp"

#include <utility>

#include "base/error/error.hpp"
#include "base/text/id.hpp"
#include "base/text/number.hpp"

namespace andon::builds {
namespace {

using base::Error;
using base::ErrorCode;
using store::Row;
using store::Transaction;

constexpr std::string_view kTables = R"sql(
CREATE TABLE build_projects (
  name TEXT NOT NULL PRIMARY KEY,
  config TEXT NOT NULL,          -- JSON
  created_ms BIGINT NOT NULL,
  modified_ms BIGINT NOT NULL,
  last_number BIGINT NOT NULL    -- of the builds that were ever started
);
CREATE TABLE builds (
  place INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  project TEXT NOT NULL,
  number BIGINT NOT NULL,
  token TEXT NOT NULL,           -- of the client; '': none
  status TEXT NOT NULL,
  started_ms BIGINT NOT NULL,
  ended_ms BIGINT,
  record TEXT NOT NULL           -- JSON
);
CREATE INDEX builds_project ON builds (project, place);
CREATE INDEX builds_open ON builds (project) WHERE ended_ms IS NULL;
CREATE UNIQUE INDEX builds_token ON builds (project, token) WHERE token <> '';
)sql";

constexpr const char* kColumns = "id, project, number, status, started_ms, ended_ms, record, place";
constexpr std::size_t kId = 36;

Project project_of(const Row& row) {
  return {.name = row.text(0),
          .config = base::parse_json(row.text(1), "a stored build project").as_object(),
          .created = base::from_epoch_millis(row.integer(2)),
          .modified = base::from_epoch_millis(row.integer(3))};
}

Build build_of(const Row& row) {
  Build build{.id = row.text(0),
              .project = row.text(1),
              .number = row.integer(2),
              .status = row.text(3),
              .started = base::from_epoch_millis(row.integer(4)),
              .ended = std::nullopt,
              .record = base::parse_json(row.text(6), "a stored build").as_object()};
  if (const auto ended = row.optional_integer(5)) build.ended = base::from_epoch_millis(*ended);
  return build;
}

std::optional<Project> find_project(Transaction& tx, const std::string& name) {
  const auto row = tx.query_one(
      "SELECT name, config, created_ms, modified_ms FROM build_projects WHERE name = $1", {name});
  if (!row) return std::nullopt;
  return project_of(*row);
}

Error no_project(const std::string& name) {
  return Error(ErrorCode::not_found, "Project cannot be found: " + name.substr(0, 200));
}

}  // namespace

std::string project_arn(const fleet::Arns& arns, const std::string& name) {
  return "arn:aws:codebuild:" + arns.region() + ":" + arns.account() + ":project/" + name;
}

std::string build_arn(const fleet::Arns& arns, const Build& build) {
  return "arn:aws:codebuild:" + arns.region() + ":" + arns.account() + ":build/" + build.project +
         ":" + build.id;
}

std::optional<std::string> build_id(std::string_view text) {
  const std::string_view id = text.substr(text.rfind(':') + 1);
  if (text.find(':') == std::string_view::npos || id.size() != kId ||
      id.find_first_not_of("0123456789abcdef-") != std::string_view::npos) {
    return std::nullopt;
  }
  return std::string(id);
}

std::string project_name(std::string_view text) {
  return std::string(text.starts_with("arn:") ? text.substr(text.rfind('/') + 1) : text);
}

Builds::Builds(store::Database& database, const base::Clock& clock, Told told)
    : database_(database), clock_(clock), told_(std::move(told)) {
  database.migrate("builds", {{"0001-builds", kTables}});
}

Project Builds::create(const std::string& name, const json::object& config) {
  const base::Timestamp now = clock_.now();
  return database_.write([&](Transaction& tx) {
    if (find_project(tx, name)) {
      throw Error(ErrorCode::already_exists, "Project already exists: " + name);
    }
    if (tx.query_one("SELECT COUNT(*) FROM build_projects")->integer(0) >= kMostProjects) {
      throw Error(ErrorCode::resource_exhausted, "there are 1000 build projects; delete some");
    }
    tx.execute(
        "INSERT INTO build_projects (name, config, created_ms, modified_ms, last_number) VALUES "
        "($1, $2, $3, $3, 0)",
        {name, base::to_text(config), base::to_epoch_millis(now)});
    return *find_project(tx, name);
  });
}

Project Builds::change(const std::string& name, const json::object& changes) {
  return database_.write([&](Transaction& tx) {
    auto project = find_project(tx, name);
    if (!project) throw no_project(name);
    for (const auto& [member, value] : changes) {
      if (value.is_null()) {
        project->config.erase(member);
      } else {
        project->config[member] = value;
      }
    }
    project->modified = clock_.now();
    tx.execute("UPDATE build_projects SET config = $2, modified_ms = $3 WHERE name = $1",
               {name, base::to_text(project->config), base::to_epoch_millis(project->modified)});
    return *std::move(project);
  });
}

std::optional<Project> Builds::find(const std::string& name) const {
  return database_.read([&](Transaction& tx) { return find_project(tx, name); });
}

void Builds::remove(const std::string& name) {
  database_.write([&](Transaction& tx) {
    tx.execute("DELETE FROM builds WHERE project = $1 AND ended_ms IS NOT NULL", {name});
    tx.execute("DELETE FROM build_projects WHERE name = $1", {name});
  });
}

Builds::Names Builds::list(By by, Order order, const std::string& after, std::size_t limit) const {
  const std::string key = by == By::name      ? "name"
                          : by == By::created ? "printf('%015d/%s', created_ms, name)"
                                              : "printf('%015d/%s', modified_ms, name)";
  const bool is_up = order == Order::ascending;
  return database_.read([&](Transaction& tx) {
    Names page;
    std::string last;
    for (const Row& row :
         tx.query("SELECT name, " + key + " FROM build_projects WHERE $1 = '' OR " + key +
                      (is_up ? " > " : " < ") + "$1 ORDER BY 2 " + (is_up ? "ASC" : "DESC") +
                      " LIMIT $2",
                  {after, static_cast<std::int64_t>(limit) + 1})) {
      if (page.names.size() == limit) {
        page.next = last;
        break;
      }
      page.names.push_back(row.text(0));
      last = row.text(1);
    }
    return page;
  });
}

std::pair<Build, bool> Builds::start(const New& wanted) {
  const base::Timestamp now = clock_.now();
  return database_.write([&](Transaction& tx) -> std::pair<Build, bool> {
    if (!find_project(tx, wanted.project)) throw no_project(wanted.project);
    if (!wanted.token.empty()) {
      const auto row = tx.query_one(
          std::string("SELECT ") + kColumns + " FROM builds WHERE project = $1 AND token = $2",
          {wanted.project, wanted.token});
      if (row) return {build_of(*row), false};
    }
    if (wanted.most_at_once > 0 &&
        tx.query_one("SELECT COUNT(*) FROM builds WHERE project = $1 AND ended_ms IS NULL",
                     {wanted.project})
                ->integer(0) >= wanted.most_at_once) {
      throw Error(ErrorCode::resource_exhausted,
                  "Cannot have more than " + std::to_string(wanted.most_at_once) +
                      " builds in queue for the project " + wanted.project);
    }
    tx.execute("UPDATE build_projects SET last_number = last_number + 1 WHERE name = $1",
               {wanted.project});
    Build build{.id = base::random_uuid(),
                .project = wanted.project,
                .number = tx.query_one("SELECT last_number FROM build_projects WHERE name = $1",
                                       {wanted.project})
                              ->integer(0),
                .status = "IN_PROGRESS",
                .started = now,
                .ended = std::nullopt,
                .record = wanted.record};
    tx.execute(
        "INSERT INTO builds (id, project, number, token, status, started_ms, record) VALUES ($1, "
        "$2, $3, $4, $5, $6, $7)",
        {build.id, build.project, build.number, wanted.token, build.status,
         base::to_epoch_millis(now), base::to_text(build.record)});
    tx.execute(
        "DELETE FROM builds WHERE project = $1 AND ended_ms IS NOT NULL AND place <= (SELECT place "
        "FROM builds WHERE project = $1 ORDER BY place DESC LIMIT 1 OFFSET $2)",
        {build.project, kKept});
    told_(tx, build);
    return {std::move(build), true};
  });
}

std::optional<Build> Builds::find_build(const std::string& id) const {
  return database_.read([&](Transaction& tx) -> std::optional<Build> {
    const auto row =
        tx.query_one(std::string("SELECT ") + kColumns + " FROM builds WHERE id = $1", {id});
    if (!row) return std::nullopt;
    return build_of(*row);
  });
}

std::vector<Build> Builds::open() const {
  return database_.read([&](Transaction& tx) {
    std::vector<Build> all;
    for (const Row& row : tx.query(std::string("SELECT ") + kColumns +
                                   " FROM builds WHERE ended_ms IS NULL ORDER BY place")) {
      all.push_back(build_of(row));
    }
    return all;
  });
}

Builds::Names Builds::list_builds(const std::string& project, Order order, const std::string& after,
                                  std::size_t limit) const {
  const bool is_up = order == Order::ascending;
  std::int64_t place = is_up ? 0 : INT64_MAX;
  if (!after.empty()) place = base::parse_integer<std::int64_t>(after).value_or(place);
  return database_.read([&](Transaction& tx) {
    if (!project.empty() && !find_project(tx, project)) throw no_project(project);
    Names page;
    std::int64_t last = 0;
    for (const Row& row : tx.query(std::string("SELECT ") + kColumns +
                                       " FROM builds WHERE ($1 = '' OR project = $1) AND place " +
                                       (is_up ? ">" : "<") + " $2 ORDER BY place " +
                                       (is_up ? "ASC" : "DESC") + " LIMIT $3",
                                   {project, place, static_cast<std::int64_t>(limit) + 1})) {
      if (page.names.size() == limit) {
        page.next = std::to_string(last);
        break;
      }
      page.names.push_back(row.text(1) + ":" + row.text(0));
      last = row.integer(7);
    }
    return page;
  });
}

std::optional<Build> Builds::note(const std::string& id,
                                  const std::function<void(Build&)>& change) {
  return database_.write([&](Transaction& tx) -> std::optional<Build> {
    const auto row = tx.query_one(
        std::string("SELECT ") + kColumns + " FROM builds WHERE id = $1 AND ended_ms IS NULL",
        {id});
    if (!row) return std::nullopt;
    Build build = build_of(*row);
    change(build);
    if (build.is_over() && !build.ended) build.ended = clock_.now();
    tx.execute(
        "UPDATE builds SET status = $2, ended_ms = $3, record = $4 WHERE id = $1",
        {id, build.status,
         build.ended ? store::SqlValue(base::to_epoch_millis(*build.ended)) : store::SqlValue(),
         base::to_text(build.record)});
    if (build.is_over()) told_(tx, build);
    return build;
  });
}

}  // namespace andon::builds
