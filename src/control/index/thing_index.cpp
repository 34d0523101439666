// SPDX-License-Identifier: Apache-2.0
#include "control/index/thing_index.hpp"

#include <utility>

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "control/index/index_settings.hpp"
#include "control/index/shadow_fields.hpp"

namespace andon::control {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::size_t kStep = 500;
void require_searched(store::Transaction& tx, const std::vector<std::string>& fields) {
  for (const std::string& field : fields) {
    if (read_shadow_field(field)) control::require_searched(read_index_settings(tx), field);
  }
}

// With those of its shadows.
std::vector<std::string> all_values_of(ShadowFields& shadows, const ThingDocument& thing,
                                       const std::string& field) {
  const auto shadow = read_shadow_field(field);
  return shadow ? shadows.values(thing.name, *shadow) : values_of(thing, field);
}
std::vector<std::string> all_values_of(ShadowFields& /*shadows*/, const GroupDocument& group,
                                       const std::string& field) {
  return values_of(group, field);
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
Page<Document> find(store::Transaction& tx, const query::SearchQuery& query,
                    const PageRequest& page, const Read& read) {
  Page<Document> result;
  ShadowFields shadows(tx);
  walk(read, page.after, [&](Document& document) {
    const auto values = [&](const std::string& field) {
      return all_values_of(shadows, document, field);
    };
    if (!query.matches(values)) {
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
  return database_.read([](store::Transaction& tx) { return read_index_settings(tx); });
}

void ThingIndex::set_settings(const json::object& settings) {
  database_.write([&](store::Transaction& tx) {
    tx.execute(
        "INSERT INTO index_settings (id, settings) VALUES (1, $1) "
        "ON CONFLICT (id) DO UPDATE SET settings = excluded.settings",
        {base::to_text(merge_index_settings(read_index_settings(tx), settings))});
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
             ? reader.child(kThingSettings).string("thingIndexingMode") != "OFF"
             : reader.child(kGroupSettings).string("thingGroupIndexingMode") != "OFF";
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
    require_searched(tx, read.fields());
    return find<ThingDocument>(tx, read, page, [&](const std::string& after) {
      return read_documents(tx, after, kStep, GroupsSeen::all);
    });
  });
}

Page<GroupDocument> ThingIndex::search_groups(const std::string& query,
                                              const PageRequest& page) const {
  const query::SearchQuery read = parse_query(query, IndexKind::thing_groups);
  require_on(IndexKind::thing_groups);
  return database_.read([&](store::Transaction& tx) {
    return find<GroupDocument>(tx, read, page, [&](const std::string& after) {
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
  database_.read([&](store::Transaction& tx) {
    require_searched(tx, read.fields());
    require_searched(tx, {field});
    ShadowFields shadows(tx);
    const auto take = [&](const auto& document) {
      const auto values = [&](const std::string& name) {
        return all_values_of(shadows, document, name);
      };
      if (read.matches(values)) {
        ++found.matched;
        for (std::string& value : values(field)) found.values.push_back(std::move(value));
      }
      return true;
    };
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
