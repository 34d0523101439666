// SPDX-License-Identifier: Apache-2.0
#include "fleet/provisioning/server_addresses.hpp"

#include <algorithm>
#include <string>

#include "base/error/error.hpp"

namespace andon::fleet {
namespace {

constexpr std::string_view kAsk = "includeServerAddresses";
constexpr std::string_view kAddress = "serverAddress";
constexpr std::string_view kBefore = "serverAddressesBefore";
constexpr std::size_t kMostHost = 253;  // of DNS

Endpoint read_host(const base::JsonReader& reader) {
  Endpoint endpoint = read_endpoint(reader);
  if (endpoint.host.size() > kMostHost) {
    throw base::Error(base::ErrorCode::invalid_argument,
                      reader.where() + ": host has more than 253 characters");
  }
  return endpoint;
}

}  // namespace

json::object to_json(const ServerAddress& address) {
  return {{"mqtt", to_json(address.mqtt)}, {"dataPlane", to_json(address.data_plane)}};
}

ServerAddress read_server_address(const base::JsonReader& reader) {
  return {read_host(reader.child("mqtt")), read_host(reader.child("dataPlane"))};
}

bool ServerAddresses::was_at(const ServerAddress& address) const {
  return std::ranges::find(before, address) != before.end();
}

void ask_for_server_addresses(json::object& question) {
  question[kAsk] = true;
}

bool asks_for_server_addresses(const json::object& question) {
  return base::JsonReader(question, "").optional_bool(kAsk).value_or(false);
}

void put_server_addresses(json::object& answer, const ServerAddresses& addresses) {
  json::array before;
  for (const ServerAddress& one : addresses.before) {
    if (before.size() == kMaxAddressesBefore) break;
    before.emplace_back(to_json(one));
  }
  answer[kAddress] = to_json(addresses.now);
  answer[kBefore] = std::move(before);
}

std::optional<ServerAddresses> parse_server_addresses(std::string_view answer) {
  const json::value value = base::parse_json(answer, "job message", kFromServer);
  const base::JsonReader reader(value, "job message");
  if (!reader.has(kAddress)) return std::nullopt;
  ServerAddresses addresses{read_server_address(reader.child(kAddress)), {}};
  if (const json::array* const before = reader.optional_array(kBefore)) {
    for (const json::value& one : *before) {
      if (addresses.before.size() == kMaxAddressesBefore) break;
      addresses.before.push_back(read_server_address(base::JsonReader(one, std::string(kBefore))));
    }
  }
  return addresses;
}

}  // namespace andon::fleet
