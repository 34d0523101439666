// SPDX-License-Identifier: Apache-2.0
// The items of a Map state under way: lists in memory that nobody copies, or pages of a stored
// execution that are read one at a time. Owned by the Fork of its branch; one thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "asl/data/held.hpp"

namespace andon::asl {

inline constexpr std::int64_t kItemsInPage = 20;

class MapItems {
 public:
  // `items`: a list, or an object, whose members become the items. Throws
  // Failure(States.ItemReaderFailed) for something else. The first list decides whether items
  // have keys.
  void append(const Data& items);

  [[nodiscard]] std::int64_t size() const { return size_; }
  [[nodiscard]] Data value(std::int64_t index) const;
  // Where the items are the members of an object.
  [[nodiscard]] std::optional<std::string> key(std::int64_t index) const;

  // ---- for the records of execution.hpp; `prefix` is "branch/3/items/"
  // Adds the pages that are new or longer than they were.
  void store(const std::string& prefix, std::vector<std::pair<std::string, std::string>>& records);
  // Lets go of what is in pages, which `source` has.
  void read_from(std::string prefix, std::shared_ptr<const RecordSource> source);
  [[nodiscard]] json::value to_json() const;
  [[nodiscard]] static MapItems from_json(const json::value& value, std::string prefix,
                                          std::shared_ptr<const RecordSource> source);

 private:
  struct Segment {
    std::int64_t first = 0;
    Data list;  // with keys: of pairs [key, value]
  };
  // The list that `index` lies in, and its place there.
  [[nodiscard]] std::pair<Data, std::size_t> at(std::int64_t index) const;

  std::int64_t size_ = 0;
  std::int64_t stored_ = 0;  // the first that are in pages
  bool keyed_ = false;
  std::vector<Segment> segments_;
  std::string prefix_;
  std::shared_ptr<const RecordSource> source_;
  mutable std::int64_t page_ = -1;  // the one in memory
  mutable Data page_items_;
};

}  // namespace andon::asl
