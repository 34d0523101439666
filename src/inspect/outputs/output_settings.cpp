// SPDX-License-Identifier: Apache-2.0
#include "inspect/outputs/output_settings.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

namespace andon::inspect {
namespace {

using base::JsonReader;
namespace json = base::json;
using std::chrono::milliseconds;

constexpr std::size_t kMostNameBytes = 64;
constexpr std::size_t kMostTextBytes = 2048;
constexpr std::size_t kMostArguments = 64;
constexpr std::size_t kMostHeaders = 32;
constexpr std::int64_t kMostAtOnce = 8;
constexpr std::int64_t kMostWord = 65'535;
constexpr milliseconds kLongest{60'000};

enum class Type { modbus, gpio, http, mqtt, command };
constexpr std::array<std::pair<std::string_view, Type>, 5> kTypes{{{"modbus", Type::modbus},
                                                                   {"gpio", Type::gpio},
                                                                   {"http", Type::http},
                                                                   {"mqtt", Type::mqtt},
                                                                   {"command", Type::command}}};

int word(const JsonReader& reader, std::string_view key, int otherwise) {
  return static_cast<int>(reader.optional_integer(key, 0, kMostWord).value_or(otherwise));
}

std::string text(const JsonReader& reader, std::string_view key) {
  std::string value = reader.required_text(key);
  if (value.size() > kMostTextBytes || value.find('\0') != std::string::npos) {
    reader.fail(key, fmt::format("is longer than {} bytes, or has a zero in it", kMostTextBytes));
  }
  return value;
}

ModbusOutput read_modbus(const JsonReader& reader) {
  ModbusOutput output{.peer = read_modbus_peer(reader)};
  if (reader.has("coil") == reader.has("register")) {
    reader.fail("coil", "or \"register\" must be said, one of them");
  }
  if (reader.has("coil")) {
    output.address = word(reader, "coil", 0);
    if (reader.has("value") || reader.has("rest")) {
      reader.fail("value", "and \"rest\" are of a register; a coil is on or off");
    }
    return output;
  }
  output.table = ModbusTable::holding_register;
  output.address = word(reader, "register", 0);
  output.value = word(reader, "value", 1);
  output.rest = word(reader, "rest", 0);
  if (output.value == output.rest) reader.fail("value", "is the same as \"rest\"");
  return output;
}

HttpOutput read_http(const JsonReader& reader) {
  HttpOutput output{.url = text(reader, "url"),
                    .headers = reader.string_map("headers"),
                    .ca_file = reader.optional_string("caFile").value_or("")};
  if (!output.url.starts_with("http://") && !output.url.starts_with("https://")) {
    reader.fail("url", "must begin with http:// or https://");
  }
  if (output.headers.size() > kMostHeaders) {
    reader.fail("headers", fmt::format("are more than {}", kMostHeaders));
  }
  for (const auto& [name, value] : output.headers) {
    if ((name + value).find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos) {
      reader.fail("headers", "may have no line breaks in them");
    }
  }
  return output;
}

MqttOutput read_mqtt(const JsonReader& reader) {
  constexpr std::array<std::pair<std::string_view, bool>, 2> kTo{
      {{"broker", false}, {"device", true}}};
  MqttOutput output{.topic = text(reader, "topic"),
                    .is_local = reader.choice("to", kTo).value_or(false)};
  if (output.topic.find_first_of("+#") != std::string::npos) {
    reader.fail("topic", "may have no wildcards (+, #)");
  }
  return output;
}

CommandOutput read_command(const JsonReader& reader) {
  CommandOutput output{.arguments = reader.strings("command")};
  if (output.arguments.empty() || output.arguments.front().empty()) {
    reader.fail("command", "must be a list: the program, then its arguments");
  }
  if (output.arguments.size() > kMostArguments) {
    reader.fail("command", fmt::format("has more than {} parts", kMostArguments));
  }
  for (const std::string& argument : output.arguments) {
    if (argument.size() > kMostTextBytes || argument.find('\0') != std::string::npos) {
      reader.fail("command",
                  fmt::format("has a part of more than {} bytes, or a zero in it", kMostTextBytes));
    }
  }
  return output;
}

std::vector<Judgement> read_verdicts(const JsonReader& reader, Type type) {
  constexpr std::array<std::pair<std::string_view, Judgement>, 3> kJudgements{
      {{"OK", Judgement::ok}, {"DOUBT", Judgement::doubt}, {"NG", Judgement::ng}}};
  if (!reader.has("verdicts")) {
    if (type == Type::modbus || type == Type::gpio) return {Judgement::ng};
    return {Judgement::ok, Judgement::doubt, Judgement::ng};
  }
  std::vector<Judgement> verdicts;
  for (const std::string& name : reader.strings("verdicts", kJudgements.size() + 1)) {
    const auto* const known =
        std::ranges::find(kJudgements, name, &std::pair<std::string_view, Judgement>::first);
    if (known == kJudgements.end() || std::ranges::count(verdicts, known->second) > 0) {
      reader.fail("verdicts", "must be a list of OK, DOUBT and NG, each once at most");
    }
    verdicts.push_back(known->second);
  }
  if (verdicts.empty()) reader.fail("verdicts", "is empty: it would never be given");
  return verdicts;
}

void allow_members(const JsonReader& reader, Type type) {
  switch (type) {
    case Type::modbus:
      return reader.allow_only({"name", "type", "verdicts", "deadlineMs", "delayMs", "leadMs",
                                "pulseMs", "host", "port", "unit", "coil", "register", "value",
                                "rest"});
    case Type::gpio:
      return reader.allow_only({"name", "type", "verdicts", "deadlineMs", "delayMs", "leadMs",
                                "pulseMs", "chip", "line", "activeLow"});
    case Type::http:
      return reader.allow_only({"name", "type", "verdicts", "deadlineMs", "delayMs", "leadMs",
                                "atOnce", "url", "headers", "caFile"});
    case Type::mqtt:
      return reader.allow_only(
          {"name", "type", "verdicts", "deadlineMs", "delayMs", "leadMs", "topic", "to"});
    case Type::command:
      return reader.allow_only(
          {"name", "type", "verdicts", "deadlineMs", "delayMs", "leadMs", "atOnce", "command"});
  }
}

void read_times(const JsonReader& reader, OutputSettings& output) {
  output.deadline = read_millis(reader, "deadlineMs", output.deadline, milliseconds{1}, kLongest);
  output.delay = read_millis(reader, "delayMs", output.delay, milliseconds{0}, kLongest);
  if (output.delay >= output.deadline) {
    reader.fail("delayMs", fmt::format("is {}, not before deadlineMs ({})", output.delay.count(),
                                       output.deadline.count()));
  }
  // A tenth of the time, but enough for a busy machine to come to it.
  constexpr milliseconds kLeast{20};
  const milliseconds usual = std::min(std::max(output.deadline / 10, kLeast), output.deadline / 2);
  output.lead = read_millis(reader, "leadMs", usual, milliseconds{0}, kLongest);
  if (output.lead >= output.deadline) {
    reader.fail("leadMs", fmt::format("is {}, not less than deadlineMs ({})", output.lead.count(),
                                      output.deadline.count()));
  }
}

OutputSettings read_output(const JsonReader& reader) {
  const auto type = reader.choice("type", kTypes);
  if (!type) reader.fail("type", "is missing: modbus, gpio, http, mqtt or command");
  allow_members(reader, *type);
  OutputSettings output;
  output.name = reader.required_text("name");
  if (output.name.size() > kMostNameBytes) {
    reader.fail("name", fmt::format("is longer than {} bytes", kMostNameBytes));
  }
  output.verdicts = read_verdicts(reader, *type);
  read_times(reader, output);
  output.pulse = read_millis(reader, "pulseMs", output.pulse, milliseconds{0}, kLongest);
  if (*type == Type::http || *type == Type::command) {
    constexpr std::int64_t kUsual = 2;
    output.at_once = static_cast<std::size_t>(
        reader.optional_integer("atOnce", 1, kMostAtOnce).value_or(kUsual));
  }
  switch (*type) {
    case Type::modbus:
      output.target = read_modbus(reader);
      break;
    case Type::gpio:
      output.target = GpioOutput{read_gpio_place(reader)};
      break;
    case Type::http:
      output.target = read_http(reader);
      break;
    case Type::mqtt:
      output.target = read_mqtt(reader);
      break;
    case Type::command:
      output.target = read_command(reader);
      break;
  }
  return output;
}

}  // namespace

bool OutputSettings::is_for(Judgement judgement) const {
  return std::ranges::find(verdicts, judgement) != verdicts.end();
}

milliseconds read_millis(const JsonReader& reader, std::string_view key, milliseconds otherwise,
                         milliseconds least, milliseconds most) {
  return milliseconds(reader.optional_integer(key, least.count(), most.count())
                          .value_or(static_cast<std::int64_t>(otherwise.count())));
}

ModbusPeer read_modbus_peer(const JsonReader& reader) {
  constexpr std::int64_t kMostUnit = 255;
  ModbusPeer peer;
  peer.host = text(reader, "host");
  peer.port =
      static_cast<std::uint16_t>(reader.optional_integer("port", 1, kMostWord).value_or(peer.port));
  peer.unit = static_cast<int>(reader.optional_integer("unit", 0, kMostUnit).value_or(peer.unit));
  return peer;
}

GpioPlace read_gpio_place(const JsonReader& reader) {
  GpioPlace place;
  place.chip = text(reader, "chip");
  if (!reader.has("line")) reader.fail("line", "is missing: the line's number on the chip");
  place.line = static_cast<std::uint32_t>(word(reader, "line", 0));
  place.is_active_low = reader.optional_bool("activeLow").value_or(false);
  return place;
}

std::vector<OutputSettings> read_outputs(const JsonReader& root) {
  const auto given = root.children("outputs");
  if (given.size() > kMostOutputs) {
    root.fail("outputs", fmt::format("are {}, at most {} are given", given.size(), kMostOutputs));
  }
  std::vector<OutputSettings> outputs;
  std::set<std::string> names;
  for (const JsonReader& reader : given) {
    outputs.push_back(read_output(reader));
    if (!names.insert(outputs.back().name).second) {
      reader.fail("name", fmt::format("\"{}\" is another output's, too", outputs.back().name));
    }
  }
  return outputs;
}

}  // namespace andon::inspect
