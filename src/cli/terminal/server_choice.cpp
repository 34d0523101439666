// SPDX-License-Identifier: Apache-2.0
#include "cli/terminal/server_choice.hpp"

#include <CLI/CLI.hpp>
#include <utility>

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "base/text/encoding.hpp"
#include "cli/terminal/profile.hpp"

namespace andon::cli {
namespace {

using base::Error;
using base::ErrorCode;

bool is_announced(const base::fs::path& data) {
  std::error_code ignored;
  return base::fs::exists(data / "server.json", ignored);
}

std::optional<std::string> last_signed_in() {
  try {
    return Profiles(Profiles::default_directory()).chosen();
  } catch (const Error&) {
    return std::nullopt;  // no home: nobody signed in
  }
}

}  // namespace

void add_server_options(CLI::App& command, ServerChoice& choice) {
  auto* data = command
                   .add_option("--data", choice.data,
                               "Data directory of andon-server, for its address and key")
                   ->type_name("DIR")
                   ->default_str("data, else /var/lib/andon/server");
  command
      .add_option("--server", choice.server,
                  "A server that `andon login` knows, wherever it is (default: the last)")
      ->type_name("NAME")
      ->excludes(data);
}

std::optional<base::fs::path> data_directory(const ServerChoice& choice) {
  if (!choice.data.empty()) return choice.data;
  if (!choice.server.empty()) return std::nullopt;
  const base::fs::path usual = default_data_directory();
  if (is_announced(usual) || !last_signed_in()) return usual;
  return std::nullopt;
}

Connection connect(const ServerChoice& choice) {
  if (const auto data = data_directory(choice)) return read_connection(*data);
  const Profiles profiles(Profiles::default_directory());
  return profiles.read(choice.server.empty() ? profiles.chosen().value_or("") : choice.server);
}

base::json::array ServerClient::all(std::string_view service, const std::string& target,
                                    std::string_view member, const std::string& token) {
  base::json::array found;
  std::string next;
  do {
    const char* const joint = target.find('?') == std::string::npos ? "?" : "&";
    const base::json::value page = aws_.rest(
        service, "GET",
        next.empty() ? target : target + joint + token + "=" + base::percent_encode(next));
    const base::JsonReader reader(page, "answer");
    if (const auto* items = reader.optional_array(member)) {
      found.insert(found.end(), items->begin(), items->end());
    }
    std::string following = reader.optional_string(token).value_or("");
    if (following == next) break;
    next = std::move(following);
  } while (!next.empty());
  return found;
}

}  // namespace andon::cli
