// SPDX-License-Identifier: Apache-2.0
#include "inspect/trigger/trigger_settings.hpp"

#include <array>
#include <utility>

#include "inspect/outputs/output_settings.hpp"

namespace andon::inspect {
namespace {

using base::JsonReader;
using std::chrono::milliseconds;

enum class Type { http, modbus, gpio };
constexpr std::array<std::pair<std::string_view, Type>, 3> kTypes{
    {{"http", Type::http}, {"modbus", Type::modbus}, {"gpio", Type::gpio}}};

TriggerEdge read_edge(const JsonReader& reader) {
  constexpr std::array<std::pair<std::string_view, TriggerEdge>, 3> kEdges{
      {{"rising", TriggerEdge::rising},
       {"falling", TriggerEdge::falling},
       {"both", TriggerEdge::both}}};
  return reader.choice("edge", kEdges).value_or(TriggerEdge::rising);
}

ModbusTriggerSettings read_modbus(const JsonReader& reader) {
  constexpr std::int64_t kMostAddress = 65'535;
  ModbusTriggerSettings settings{.peer = read_modbus_peer(reader)};
  if (reader.has("input") == reader.has("coil")) {
    reader.fail("input", "or \"coil\" must be said, one of them");
  }
  const bool is_coil = reader.has("coil");
  settings.table = is_coil ? ModbusTable::coil : ModbusTable::discrete_input;
  settings.address = static_cast<int>(
      reader.optional_integer(is_coil ? "coil" : "input", 0, kMostAddress).value_or(0));
  settings.edge = read_edge(reader);
  settings.poll =
      read_millis(reader, "pollMs", settings.poll, milliseconds{1}, milliseconds{1'000});
  return settings;
}

}  // namespace

TriggerSettings read_trigger(const JsonReader& section) {
  const auto type = section.choice("type", kTypes);
  if (!type) section.fail("type", "is missing: http, modbus or gpio");
  TriggerSettings settings;
  switch (*type) {
    case Type::http: {
      section.allow_only({"type", "pictureTimeoutMs", "cameraLatencyMs", "address"});
      HttpTriggerSettings http;
      http.address = section.optional_string("address").value_or(http.address);
      settings.input = std::move(http);
      break;
    }
    case Type::modbus:
      section.allow_only({"type", "pictureTimeoutMs", "cameraLatencyMs", "host", "port", "unit",
                          "input", "coil", "edge", "pollMs"});
      settings.input = read_modbus(section);
      break;
    case Type::gpio:
      section.allow_only(
          {"type", "pictureTimeoutMs", "cameraLatencyMs", "chip", "line", "activeLow", "edge"});
      settings.input = GpioTriggerSettings{read_gpio_place(section), read_edge(section)};
      break;
  }
  constexpr milliseconds kLongest{60'000};
  settings.picture_timeout =
      read_millis(section, "pictureTimeoutMs", settings.picture_timeout, milliseconds{1}, kLongest);
  settings.camera_latency =
      read_millis(section, "cameraLatencyMs", settings.camera_latency, milliseconds{0}, kLongest);
  if (settings.camera_latency >= settings.picture_timeout) {
    section.fail("cameraLatencyMs",
                 fmt::format("is {}, not less than pictureTimeoutMs ({})",
                             settings.camera_latency.count(), settings.picture_timeout.count()));
  }
  return settings;
}

}  // namespace andon::inspect
