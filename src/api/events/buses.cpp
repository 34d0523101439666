// SPDX-License-Identifier: Apache-2.0
// Event buses, and the tags of buses and rules.
#include "api/events/rows.hpp"
#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"

namespace andon::api::event_rows {
namespace {

control::TagMap read_tags(const json::object& input) {
  control::TagMap tags;
  const base::JsonReader reader(input, "", {.separator = ": "});
  for (const base::JsonReader& tag : reader.children("Tags")) {
    tags[tag.required_text("Key")] = tag.string("Value");
  }
  return tags;
}

json::object describe(const EventParts& parts, const events::Bus& bus) {
  json::object told{{"Name", bus.name},
                    {"Arn", parts.queue.arns().bus(bus.name)},
                    {"CreationTime", base::to_epoch_seconds(bus.created)},
                    {"LastModifiedTime", base::to_epoch_seconds(bus.modified)}};
  put_unless_empty(told, "Description", bus.description);
  return told;
}

json::value create(const EventParts& parts, const OperationContext& context) {
  const auto tags = read_tags(context.input);
  const events::Bus bus = parts.rules.create_bus(
      *maybe_text(context.input, "Name"), maybe_text(context.input, "Description").value_or(""));
  const std::string arn = parts.queue.arns().bus(bus.name);
  parts.tags.set(arn, tags);
  json::object told{{"EventBusArn", arn}};
  put_unless_empty(told, "Description", bus.description);
  return told;
}

json::value update(const EventParts& parts, const OperationContext& context) {
  const events::Bus bus = parts.rules.update_bus(read_bus(context.input, "Name"),
                                                 maybe_text(context.input, "Description"));
  json::object told{{"Arn", parts.queue.arns().bus(bus.name)}, {"Name", bus.name}};
  put_unless_empty(told, "Description", bus.description);
  return told;
}

json::value describe_bus(const EventParts& parts, const OperationContext& context) {
  return describe(parts, parts.rules.bus(read_bus(context.input, "Name")));
}

void forget_tags(const EventParts& parts, const std::string& arn) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : parts.tags.of(arn)) keys.push_back(key);
  parts.tags.remove(arn, keys);
}

json::value remove(const EventParts& parts, const OperationContext& context) {
  const std::string name = read_bus(context.input, "Name");
  parts.rules.delete_bus(name);
  forget_tags(parts, parts.queue.arns().bus(name));
  return nullptr;
}

json::value list(const EventParts& parts, const OperationContext& context) {
  const PageOf page = read_page(context.input);
  auto buses = parts.rules.buses(maybe_text(context.input, "NamePrefix").value_or(""), page.after,
                                 page.limit + 1);
  json::object output{{"EventBuses", json::array()}};
  end_page(output, page, buses, [](const events::Bus& bus) { return bus.name; });
  for (const events::Bus& bus : buses) {
    output["EventBuses"].as_array().push_back(describe(parts, bus));
  }
  return output;
}

// The ARN, where it is that of a bus or a rule that is there.
std::string tagged(const EventParts& parts, const json::object& input) {
  const std::string arn = *maybe_text(input, "ResourceARN");
  constexpr std::string_view kRule = ":rule/";
  constexpr std::string_view kBus = ":event-bus/";
  if (const std::size_t at = arn.find(kRule); at != std::string::npos) {
    const std::string rest = arn.substr(at + kRule.size());
    const std::size_t slash = rest.find('/');
    const std::string bus =
        slash == std::string::npos ? std::string(events::kDefaultBus) : rest.substr(0, slash);
    const std::string name = slash == std::string::npos ? rest : rest.substr(slash + 1);
    return parts.queue.arns().rule(bus, parts.rules.rule(bus, name).name);
  }
  if (arn.find(kBus) != std::string::npos) {
    return parts.queue.arns().bus(parts.rules.bus(events::bus_name(arn)).name);
  }
  throw base::Error(base::ErrorCode::not_found,
                    "ResourceARN is that of no event bus and no rule of this server");
}

json::value tag(const EventParts& parts, const OperationContext& context) {
  parts.tags.set(tagged(parts, context.input), read_tags(context.input));
  return json::object{};
}

json::value untag(const EventParts& parts, const OperationContext& context) {
  parts.tags.remove(tagged(parts, context.input),
                    base::JsonReader(context.input, "", {.separator = ": "}).strings("TagKeys"));
  return json::object{};
}

json::value list_tags(const EventParts& parts, const OperationContext& context) {
  json::array tags;
  for (const auto& [key, value] : parts.tags.of(tagged(parts, context.input))) {
    tags.push_back(json::object{{"Key", key}, {"Value", value}});
  }
  return json::object{{"Tags", std::move(tags)}};
}

}  // namespace

std::vector<Operation> bus_rows(const EventParts& parts) {
  const MemberRule name = needed(text("Name", 1, 256));
  const MemberRule description = text("Description", 0, 512);
  const MemberRule arn = needed(text("ResourceARN", 1, 1600));
  return {row(parts, "CreateEventBus", {name, description, list_rule("Tags")}, create),
          row(parts, "UpdateEventBus", {text("Name", 1, 256), description}, update),
          row(parts, "DescribeEventBus", {text("Name", 1, 1600)}, describe_bus),
          row(parts, "DeleteEventBus", {name}, remove),
          row(parts, "ListEventBuses", with_page({text("NamePrefix", 1, 256)}), list),
          row(parts, "TagResource", {arn, needed(list_rule("Tags"))}, tag),
          row(parts, "UntagResource", {arn, needed(list_rule("TagKeys"))}, untag),
          row(parts, "ListTagsForResource", {arn}, list_tags)};
}

}  // namespace andon::api::event_rows
