// SPDX-License-Identifier: Apache-2.0
#include "edge/builtin/token_settings.hpp"

#include <fmt/format.h>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/json/json_reader.hpp"
#include "base/text/encoding.hpp"
#include "base/text/number.hpp"
#include "recipe/reader/json_or_yaml.hpp"
#include "trust/keys/pkcs11_key.hpp"

namespace andon::edge {
namespace {

namespace json = base::json;
using base::Error;
using base::ErrorCode;

constexpr recipe::DocumentLimits kConfigLimits{
    .max_bytes = 4U << 20U, .max_depth = 64, .max_values = 200'000};

[[noreturn]] void refuse(const std::string& what) {
  throw Error(ErrorCode::invalid_argument, what);
}

std::optional<unsigned long> slot_of(const json::value* found) {
  if (found == nullptr || found->is_null()) return std::nullopt;
  std::optional<unsigned long> slot;
  if (found->is_string()) {
    slot = base::parse_integer<unsigned long>(std::string_view(found->get_string()));
  } else if (found->is_int64() && found->get_int64() >= 0) {
    slot = static_cast<unsigned long>(found->get_int64());
  }
  if (!slot) refuse("slot must be the number of a slot, as `pkcs11-tool -L` shows it");
  return slot;
}

std::string pin_of(const json::value* found) {
  if (found == nullptr || found->is_null()) return {};
  // 0123 without quotes is the number 123.
  if (!found->is_string()) refuse("userPin must be a text: put it in quotes");
  return std::string(found->get_string());
}

std::string encoded(std::string_view path) {
  return base::percent_encode(path, base::Slash::keep);
}

// Null where the path leads nowhere.
const json::object* object_at(const json::value& all,
                              std::initializer_list<std::string_view> path) {
  const json::value* at = &all;
  for (const std::string_view key : path) {
    const json::object* const object = at->if_object();
    at = object == nullptr ? nullptr : object->if_contains(key);
    if (at == nullptr) return nullptr;
  }
  return at->if_object();
}

// A path, or a URI of one.
std::string file_of(const std::string& path) {
  const std::string file =
      path.starts_with("file://") ? base::percent_decode(path.substr(7)).value_or("") : path;
  if (file.starts_with('/')) return file;
  refuse("system.privateKeyPath must be pkcs11:object=…;type=private or an absolute path");
}

}  // namespace

fs::path token_pin_file(const Layout& layout) {
  return layout.config() / "token-pin";
}

TokenSettings read_token_settings(const json::object& configuration) {
  const base::JsonReader reader(configuration, std::string(kPkcs11Provider));
  TokenSettings settings;
  settings.library = reader.optional_string("library").value_or("");
  if (!settings.library.empty() && !settings.library.starts_with('/')) {
    refuse("library must be the absolute path of the token's PKCS#11 library");
  }
  settings.slot = slot_of(reader.find("slot"));
  settings.pin = pin_of(reader.find("userPin"));
  return settings;
}

std::string how_token_differs(const std::string& key, const json::object& configuration) {
  try {
    const TokenSettings wanted = read_token_settings(configuration);
    if (wanted.library.empty() && !wanted.slot) return {};
    if (!trust::is_pkcs11_uri(key)) {
      return "without effect: this device's key is on no PKCS#11 token; enrol it with one "
             "(andon-edge provision --key)";
    }
    const trust::Pkcs11Uri used = trust::read_pkcs11_uri(key);
    std::string differs;
    if (!wanted.library.empty() && wanted.library != used.module_path) {
      differs =
          "library " + wanted.library + " is not the one by which this device reaches its key";
    }
    if (wanted.slot && used.slot && *wanted.slot != *used.slot) {
      differs += fmt::format("{}slot {} is not the one of this device's key, {}",
                             differs.empty() ? "" : "; ", *wanted.slot, *used.slot);
    }
    if (differs.empty()) return {};
    return differs + ": it is used as the device was enrolled (andon-edge provision)";
  } catch (const Error& error) {
    return error.message();
  }
}

GreengrassKey read_greengrass_key(std::string_view text, const std::string& pin_file) {
  const json::value all =
      recipe::parse_json_or_yaml(text, "Greengrass' configuration", kConfigLimits);
  const json::object* const system = object_at(all, {"system"});
  if (system == nullptr) refuse("it has no 'system': is it the config.yaml of a nucleus?");
  const base::JsonReader reader(*system, "system");
  GreengrassKey key;
  key.has_certificate_on_token =
      trust::is_pkcs11_uri(reader.optional_string("certificateFilePath").value_or(""));
  const std::string path = reader.string("privateKeyPath");
  if (!trust::is_pkcs11_uri(path)) {
    key.source = file_of(path);
    return key;
  }
  const json::object* const provider =
      object_at(all, {"services", kPkcs11Provider, "configuration"});
  if (provider == nullptr) {
    refuse("system.privateKeyPath is on a PKCS#11 token, but services." +
           std::string(kPkcs11Provider) + ".configuration is not there");
  }
  const TokenSettings settings = read_token_settings(*provider);
  if (settings.library.empty()) refuse(std::string(kPkcs11Provider) + ": library is missing");
  const trust::Pkcs11Uri uri = trust::read_pkcs11_uri(path);
  key.source = uri.key;
  if (settings.slot && !uri.slot) key.source += fmt::format(";slot-id={}", *settings.slot);
  key.source += "?module-path=" + encoded(settings.library);
  // Greengrass takes no PIN from there, but others that share the file may.
  key.pin = uri.pin.empty() ? settings.pin : uri.pin;
  if (!key.pin.empty()) {
    key.source += "&pin-source=" + encoded(pin_file);
  } else if (!uri.pin_file.empty()) {
    key.source += "&pin-source=" + encoded(uri.pin_file);
  }
  static_cast<void>(trust::read_pkcs11_uri(key.source));
  return key;
}

}  // namespace andon::edge
