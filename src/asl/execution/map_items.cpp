// SPDX-License-Identifier: Apache-2.0
#include "asl/execution/map_items.hpp"

#include <algorithm>

#include "asl/data/failure.hpp"

namespace andon::asl {

void MapItems::append(const Data& items) {
  Data list = items;
  if (const auto* object = items->if_object()) {
    json::array pairs;
    pairs.reserve(object->size());
    for (const auto& member : *object) {
      pairs.push_back(json::array{json::string(member.key()), member.value()});
    }
    list = make_data(std::move(pairs));
  }
  const bool keyed = items->is_object();
  if (!list->is_array() || (size_ > 0 && keyed != keyed_)) {
    throw failure(kItemReaderFailed, "The items of a Map state must be an array or an object");
  }
  keyed_ = keyed;
  if (list->get_array().empty()) return;
  const auto count = static_cast<std::int64_t>(list->get_array().size());
  segments_.push_back({size_, std::move(list)});
  size_ += count;
}

std::pair<Data, std::size_t> MapItems::at(std::int64_t index) const {
  const auto after = std::ranges::upper_bound(segments_, index, {}, &Segment::first);
  if (after != segments_.begin()) {
    const Segment& segment = *std::prev(after);
    const auto place = static_cast<std::size_t>(index - segment.first);
    if (place < segment.list->get_array().size()) return {segment.list, place};
  }
  const std::int64_t page = index / kItemsInPage;
  const auto place = static_cast<std::size_t>(index % kItemsInPage);
  if (page != page_ || place >= page_items_->get_array().size()) {
    page_items_ = make_data(read_record(source_.get(), prefix_ + std::to_string(page) + "/"));
    page_ = page;
  }
  return {page_items_, place};
}

Data MapItems::value(std::int64_t index) const {
  const auto [list, place] = at(index);
  const json::value& item = list->as_array().at(place);
  return part_of(list, keyed_ ? item.as_array().at(1) : item);
}

std::optional<std::string> MapItems::key(std::int64_t index) const {
  if (!keyed_) return std::nullopt;
  const auto [list, place] = at(index);
  return std::string(list->as_array().at(place).as_array().at(0).as_string());
}

void MapItems::store(const std::string& prefix,
                     std::vector<std::pair<std::string, std::string>>& records) {
  while (stored_ < size_) {
    const std::int64_t page = stored_ / kItemsInPage;
    const std::int64_t end = std::min(size_, (page + 1) * kItemsInPage);
    std::string text = "[";
    for (std::int64_t i = page * kItemsInPage; i < end; ++i) {
      const auto [list, place] = at(i);
      if (text.size() > 1) text += ',';
      text += base::to_text(list->get_array()[place]);
    }
    text += ']';
    records.emplace_back(prefix + std::to_string(page) + "/", std::move(text));
    stored_ = end;
  }
}

void MapItems::read_from(std::string prefix, std::shared_ptr<const RecordSource> source) {
  prefix_ = std::move(prefix);
  source_ = std::move(source);
  if (source_ == nullptr) return;
  std::erase_if(segments_, [&](const Segment& segment) {
    return segment.first + static_cast<std::int64_t>(segment.list->get_array().size()) <= stored_;
  });
}

json::value MapItems::to_json() const {
  return json::object{{"size", size_}, {"keyed", keyed_}};
}

MapItems MapItems::from_json(const json::value& value, std::string prefix,
                             std::shared_ptr<const RecordSource> source) {
  MapItems items;
  items.size_ = items.stored_ = value.at("size").as_int64();
  items.keyed_ = value.at("keyed").as_bool();
  items.prefix_ = std::move(prefix);
  items.source_ = std::move(source);
  return items;
}

}  // namespace andon::asl
