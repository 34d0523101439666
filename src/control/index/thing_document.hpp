// SPDX-License-Identifier: Apache-2.0
// Room: index. The fleet as it is searched (fleet indexing of AWS IoT), and groups by query.
// One thing, or one group, with the fields that a query may name. There is no index beside the
// tables: a search reads them, some hundred rows a step. Within the caller's transaction.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time/time.hpp"
#include "query/search/search_query.hpp"
#include "store/sql/database.hpp"

namespace andon::control {

struct Connectivity {
  bool is_connected = false;
  base::Timestamp changed;
  std::string reason;  // of its end
};

struct ThingDocument {
  std::string name;
  std::string id;
  std::string type_name;
  std::map<std::string, std::string> attributes;
  std::int64_t version = 1;
  std::vector<std::string> groups;           // parents included; by name
  std::optional<Connectivity> connectivity;  // nothing: never seen
};

struct GroupDocument {
  std::string name;
  std::string id;
  std::string description;
  std::map<std::string, std::string> attributes;
  std::vector<std::string> ancestors;
};

// Whether dynamic groups are among a thing's groups.
enum class GroupsSeen : std::uint8_t { all, named_only };
[[nodiscard]] std::vector<ThingDocument> read_documents(store::Transaction& tx,
                                                        const std::string& after, std::size_t limit,
                                                        GroupsSeen seen);
[[nodiscard]] std::optional<ThingDocument> read_document(store::Transaction& tx,
                                                         const std::string& thing, GroupsSeen seen);
[[nodiscard]] std::vector<GroupDocument> read_group_documents(store::Transaction& tx,
                                                              const std::string& after,
                                                              std::size_t limit);

[[nodiscard]] std::vector<std::string> values_of(const ThingDocument& thing,
                                                 std::string_view field);
[[nodiscard]] std::vector<std::string> values_of(const GroupDocument& group,
                                                 std::string_view field);

enum class IndexKind : std::uint8_t { things, thing_groups };
// A query all of whose fields there are; else invalid_argument, or unsupported for what AWS has and
// this server has not (shadows, Device Defender).
[[nodiscard]] query::SearchQuery parse_query(std::string_view text, IndexKind kind);
void check_field(const std::string& field, IndexKind kind);

}  // namespace andon::control
