// SPDX-License-Identifier: Apache-2.0
#include "control/index/thing_index.hpp"

#include <utility>

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "control/shared/sql_text.hpp"

namespace andon::control {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::size_t kStep = 500;
constexpr std::string_view kThings = "thingIndexingConfiguration";
constexpr std::string_view kGroups = "thingGroupIndexingConfiguration";
constexpr std::size_t kMostSettingsBytes = 64U << 10U;

json::object standard_settings() {
  return {{kThings,
           {{"thingIndexingMode", "REGISTRY"},
            {"thingConnectivityIndexingMode", "STATUS"},
            {"deviceDefenderIndexingMode", "OFF"},
            {"namedShadowIndexingMode", "OFF"}}},
          {kGroups, {{"thingGroupIndexingMode", "ON"}}}};
}

void check_things(const base::JsonReader& things) {
  const std::string mode = things.string("thingIndexingMode");
  if (mode != "OFF" && mode != "REGISTRY") {
    throw Error(
        mode == "REGISTRY_AND_SHADOW" ? ErrorCode::unsupported : ErrorCode::invalid_argument,
        things.place("thingIndexingMode") +
            ": must be OFF or REGISTRY; shadows are not searched by this server");
  }
  for (const std::string_view other : {"deviceDefenderIndexingMode", "namedShadowIndexingMode"}) {
    if (things.optional_string(other).value_or("OFF") != "OFF") {
      throw Error(ErrorCode::unsupported,
                  things.place(other) + ": must be OFF; this server does not search them");
    }
  }
  const std::string connectivity =
      things.optional_string("thingConnectivityIndexingMode").value_or("OFF");
  if (connectivity != "OFF" && connectivity != "STATUS") {
    things.fail("thingConnectivityIndexingMode", "must be OFF or STATUS");
  }
}

// Walks all documents of a kind, some at a time; `look` answers whether it wants more.
template <typename Read, typename Look>
void walk(const Read& read, std::string after, const Look& look) {
  while (true) {
    auto documents = read(after);
    for (auto& document : documents) {
      after = document.name;
      if (!look(document)) return;
    }
    if (documents.size() < kStep) return;
  }
}

template <typename Document, typename Read>
Page<Document> find(const query::SearchQuery& query, const PageRequest& page, const Read& read) {
  Page<Document> result;
  walk(read, page.after, [&](Document& document) {
    if (!query.matches([&](const std::string& field) { return values_of(document, field); })) {
      return true;
    }
    if (result.items.size() == page.limit) {
      result.next = result.items.back().name;
      return false;
    }
    result.items.push_back(std::move(document));
    return true;
  });
  return result;
}

}  // namespace

ThingIndex::ThingIndex(store::Database& database) : database_(database) {}

json::object ThingIndex::settings() const {
  return database_.read([&](store::Transaction& tx) {
    const auto row = tx.query_one("SELECT settings FROM index_settings WHERE id = 1");
    return row ? stored_object(row->text(0)) : standard_settings();
  });
}

void ThingIndex::set_settings(const json::object& settings) {
  json::object merged = this->settings();
  const base::JsonReader reader(settings, "");
  if (reader.has(kThings)) {
    check_things(reader.child(kThings));
    merged[kThings] = reader.child(kThings).object();
  }
  if (reader.has(kGroups)) {
    const std::string mode = reader.child(kGroups).string("thingGroupIndexingMode");
    if (mode != "OFF" && mode != "ON") {
      reader.child(kGroups).fail("thingGroupIndexingMode", "must be OFF or ON");
    }
    merged[kGroups] = reader.child(kGroups).object();
  }
  const std::string text = base::to_text(merged);
  if (text.size() > kMostSettingsBytes) {
    throw Error(ErrorCode::invalid_argument, "the configuration has more than 64 KiB");
  }
  database_.write([&](store::Transaction& tx) {
    tx.execute(
        "INSERT INTO index_settings (id, settings) VALUES (1, $1) "
        "ON CONFLICT (id) DO UPDATE SET settings = excluded.settings",
        {text});
  });
}

IndexKind ThingIndex::kind_of(const std::string& index_name) {
  if (index_name.empty() || index_name == kThingsIndex) return IndexKind::things;
  if (index_name == kThingGroupsIndex) return IndexKind::thing_groups;
  throw Error(ErrorCode::not_found,
              "there is no index \"" + index_name + "\": AWS_Things, AWS_ThingGroups");
}

bool ThingIndex::is_on(IndexKind kind) const {
  const json::object all = settings();
  const base::JsonReader reader(all, "");
  return kind == IndexKind::things
             ? reader.child(kThings).string("thingIndexingMode") != "OFF"
             : reader.child(kGroups).string("thingGroupIndexingMode") != "OFF";
}

void ThingIndex::require_on(IndexKind kind) const {
  if (is_on(kind)) return;
  throw Error(ErrorCode::failed_precondition,
              "the index is switched off: UpdateIndexingConfiguration switches it on");
}

Page<ThingDocument> ThingIndex::search(const std::string& query, const PageRequest& page) const {
  const query::SearchQuery read = parse_query(query, IndexKind::things);
  require_on(IndexKind::things);
  return database_.read([&](store::Transaction& tx) {
    return find<ThingDocument>(read, page, [&](const std::string& after) {
      return read_documents(tx, after, kStep, GroupsSeen::all);
    });
  });
}

Page<GroupDocument> ThingIndex::search_groups(const std::string& query,
                                              const PageRequest& page) const {
  const query::SearchQuery read = parse_query(query, IndexKind::thing_groups);
  require_on(IndexKind::thing_groups);
  return database_.read([&](store::Transaction& tx) {
    return find<GroupDocument>(read, page, [&](const std::string& after) {
      return read_group_documents(tx, after, kStep);
    });
  });
}

ThingIndex::Values ThingIndex::values(const std::string& query, const std::string& field,
                                      IndexKind kind) const {
  const query::SearchQuery read = parse_query(query, kind);
  check_field(field, kind);
  require_on(kind);
  Values found;
  const auto take = [&](const auto& document) {
    if (read.matches([&](const std::string& name) { return values_of(document, name); })) {
      ++found.matched;
      for (std::string& value : values_of(document, field)) {
        found.values.push_back(std::move(value));
      }
    }
    return true;
  };
  database_.read([&](store::Transaction& tx) {
    if (kind == IndexKind::things) {
      walk(
          [&](const std::string& after) {
            return read_documents(tx, after, kStep, GroupsSeen::all);
          },
          "", take);
    } else {
      walk([&](const std::string& after) { return read_group_documents(tx, after, kStep); }, "",
           take);
    }
  });
  return found;
}

}  // namespace andon::control
