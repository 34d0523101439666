// SPDX-License-Identifier: Apache-2.0
// Aliases: a name for one version, or for two with weights.
#include <algorithm>
#include <set>

#include "base/error/error.hpp"
#include "workflow/machines/machines.hpp"
#include "workflow/machines/rows.hpp"

namespace andon::workflow {
namespace {

constexpr std::int64_t kMostAliases = 100;

Refusal no_such_alias() {
  return {"ResourceNotFound", "Request references a resource that does not exist."};
}

std::string to_stored(const std::vector<Route>& routes) {
  json::array list;
  for (const Route& route : routes) {
    list.push_back(
        json::object{{"stateMachineVersionArn", route.version_arn}, {"weight", route.weight}});
  }
  return base::to_text(list);
}

std::vector<Route> stored_routes(const std::string& text) {
  std::vector<Route> routes;
  const auto parsed = base::parse_json(text, "an alias's routes");
  for (const auto& route : parsed.as_array()) {
    routes.push_back({std::string(route.at("stateMachineVersionArn").as_string()),
                      route.at("weight").to_number<std::int64_t>()});
  }
  return routes;
}

MachineAlias alias_row(const store::Row& row) {
  return {.arn = row.text(0) + ":" + row.text(1),
          .name = row.text(1),
          .description = row.text(2),
          .routes = stored_routes(row.text(3)),
          .created = base::from_epoch_millis(row.integer(4)),
          .updated = base::from_epoch_millis(row.integer(5))};
}

constexpr std::string_view kSelect =
    "SELECT machine, name, description, routes, created_ms, updated_ms FROM machine_aliases ";

std::optional<MachineAlias> find(store::Transaction& tx, const MachineArn& named) {
  const auto row = tx.query_one(std::string(kSelect) + "WHERE machine = $1 AND name = $2",
                                {named.unqualified, named.qualifier});
  if (!row) return std::nullopt;
  return alias_row(*row);
}

std::string list_of(const std::vector<std::string>& items) {
  std::string text = "[";
  for (const std::string& item : items) text += (text.size() > 1 ? ", " : "") + item;
  return text + "]";
}

Refusal bad_routes(const std::string& message) {
  return {"ValidationException", message, "INVALID_ROUTING_CONFIGURATION"};
}

}  // namespace

void Machines::check_routes(store::Transaction& tx, const std::vector<Route>& routes) const {
  std::int64_t sum = 0;
  std::vector<std::string> weights;
  std::vector<std::string> arns;
  for (const Route& route : routes) {
    sum += route.weight;
    weights.push_back(std::to_string(route.weight));
    arns.push_back(route.version_arn);
  }
  for (const Route& route : routes) {
    if (!read_machine_arn(route.version_arn).is_version()) {
      throw bad_routes("Routing configuration must contain state machine version ARNs. Received: " +
                       list_of(arns));
    }
  }
  if (std::set(arns.begin(), arns.end()).size() != arns.size()) {
    throw bad_routes(
        "Routing configuration must contain distinct state machine version ARNs. Received: " +
        list_of(arns));
  }
  if (sum != 100) {
    throw bad_routes("Sum of routing configuration weights must equal 100. Received: " +
                     list_of(weights));
  }
  const std::string machine = read_machine_arn(routes.front().version_arn).unqualified;
  for (const Route& route : routes) {
    const MachineArn named = read_machine_arn(route.version_arn);
    if (named.unqualified != machine) {
      throw bad_routes(
          "Routing configuration must contain versions of one state machine. "
          "Received: " +
          list_of(arns));
    }
    const auto there =
        tx.query_one("SELECT 1 FROM machine_versions WHERE machine = $1 AND version = $2",
                     {machine, std::int64_t{std::atoll(named.qualifier.c_str())}});
    if (!there) throw no_such_alias();
  }
}

MachineAlias Machines::create_alias(const std::string& name, const std::string& description,
                                    const std::vector<Route>& routes) {
  check_alias_name(name);
  MachineAlias alias;
  database_.write([&](store::Transaction& tx) {
    check_routes(tx, routes);
    const std::string machine = read_machine_arn(routes.front().version_arn).unqualified;
    if (current(tx, machine).is_deleting) throw machine_is_deleting(machine);
    if (const auto old = find(tx, {machine, "", name})) {
      if (old->description != description || old->routes != routes) {
        throw Refusal("ConflictException",
                      "Failed to create alias because an alias with the same name and a different "
                      "routing configuration already exists.");
      }
      alias = *old;
      return;
    }
    const auto count =
        tx.query_one("SELECT count(*) FROM machine_aliases WHERE machine = $1", {machine});
    if (count->integer(0) >= kMostAliases) {
      throw Refusal("ServiceQuotaExceededException",
                    "The state machine has " + std::to_string(kMostAliases) +
                        " aliases, the most there may be; delete one first");
    }
    const base::Timestamp now = clock_.now();
    tx.execute(
        "INSERT INTO machine_aliases (machine, name, description, routes, created_ms, updated_ms) "
        "VALUES ($1, $2, $3, $4, $5, $5)",
        {machine, name, description, to_stored(routes), base::to_epoch_millis(now)});
    alias = {machine + ":" + name, name, description, routes, now, now};
  });
  return alias;
}

base::Timestamp Machines::update_alias(const std::string& arn,
                                       const std::optional<std::string>& description,
                                       const std::optional<std::vector<Route>>& routes) {
  const MachineArn named = read_machine_arn(arn);
  if (!description && !routes) {
    throw Refusal("ValidationException",
                  "Either the description or the routing configuration must be specified",
                  "MISSING_REQUIRED_PARAMETER");
  }
  base::Timestamp updated;
  database_.write([&](store::Transaction& tx) {
    const auto old = find(tx, named);
    if (!old) throw no_such_alias();
    if (routes) {
      check_routes(tx, *routes);
      if (read_machine_arn(routes->front().version_arn).unqualified != named.unqualified) {
        throw bad_routes("Routing configuration must contain versions of the alias's machine");
      }
    }
    updated = std::max(clock_.now(), old->updated);
    tx.execute(
        "UPDATE machine_aliases SET description = $1, routes = $2, updated_ms = $3 WHERE machine = "
        "$4 AND name = $5",
        {description.value_or(old->description), to_stored(routes.value_or(old->routes)),
         base::to_epoch_millis(updated), named.unqualified, named.qualifier});
  });
  return updated;
}

void Machines::delete_alias(const std::string& arn) {
  const MachineArn named = read_machine_arn(arn);
  if (!named.is_alias()) {
    throw Refusal("ValidationException", "The ARN '" + arn + "' is not that of an alias");
  }
  database_.write([&](store::Transaction& tx) {
    tx.execute("DELETE FROM machine_aliases WHERE machine = $1 AND name = $2",
               {named.unqualified, named.qualifier});
  });
}

MachineAlias Machines::describe_alias(const std::string& arn) const {
  const MachineArn named = read_machine_arn(arn);
  std::optional<MachineAlias> alias;
  database_.read([&](store::Transaction& tx) { alias = find(tx, named); });
  if (!alias) throw no_such_alias();
  return *alias;
}

Listed<MachineAlias> Machines::list_aliases(const std::string& arn, const PageOf& page) const {
  const MachineArn named = read_machine_arn(arn);
  Listed<MachineAlias> listed;
  database_.read([&](store::Transaction& tx) {
    (void)current(tx, named.unqualified);
    for (const auto& row :
         tx.query(std::string(kSelect) + "WHERE machine = $1 AND name > $2 ORDER BY name",
                  {named.unqualified, page.after})) {
      MachineAlias alias = alias_row(row);
      if (named.is_version() && std::ranges::none_of(alias.routes, [&arn](const Route& route) {
            return route.version_arn == arn;
          })) {
        continue;
      }
      if (listed.items.size() == page.limit) {
        listed.next = listed.items.back().name;
        break;
      }
      listed.items.push_back(std::move(alias));
    }
  });
  return listed;
}

}  // namespace andon::workflow
