// SPDX-License-Identifier: Apache-2.0
// The engine interface is deprecated in OpenSSL 3, but Debian 12 has no provider for PKCS#11.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "trust/keys/pkcs11_key.hpp"

#include <openssl/engine.h>
#include <openssl/ui.h>

#include <algorithm>
#include <array>
#include <mutex>
#include <set>

#include "base/error/error.hpp"
#include "base/os/file.hpp"
#include "base/text/encoding.hpp"
#include "base/text/split.hpp"
#include "trust/digests/digest.hpp"
#include "trust/keys/openssl_pem.hpp"

namespace andon::trust {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::string_view kScheme = "pkcs11:";
constexpr std::size_t kMaxUriBytes = 1024;
// Those that the engine knows; it takes a URI with any other for none.
constexpr std::array<std::string_view, 7> kAttributes{"token",  "manufacturer", "serial", "model",
                                                      "object", "id",           "type"};
constexpr std::size_t kMaxPinBytes = 32;  // of the engine
constexpr std::size_t kMaxPinFileBytes = 256;

std::string pin_from(std::string_view source) {
  const std::string path = base::percent_decode(source).value_or("");
  const std::string_view without_scheme =
      path.starts_with("file://") ? std::string_view(path).substr(7)
      : path.starts_with("file:") ? std::string_view(path).substr(5)
                                  : std::string_view(path);
  if (!without_scheme.starts_with('/')) {
    throw Error(ErrorCode::invalid_argument,
                "pin-source must be the absolute path of a file that holds the PIN");
  }
  const std::string text = base::read_file(std::string(without_scheme), kMaxPinFileBytes);
  return std::string(base::trim(text, " \t\r\n"));
}

void check_pin(const std::string& pin) {
  if (pin.size() <= kMaxPinBytes) return;
  throw Error(ErrorCode::invalid_argument, "its PIN has more than " + std::to_string(kMaxPinBytes) +
                                               " bytes, which OpenSSL's engine does not take");
}

void check_attributes(std::string_view key) {
  bool names_key = false;
  for (const std::string_view attribute : base::split(key.substr(kScheme.size()), ';')) {
    const std::string_view name = attribute.substr(0, attribute.find('='));
    if (std::ranges::find(kAttributes, name) == kAttributes.end() ||
        name.size() == attribute.size()) {
      throw Error(ErrorCode::invalid_argument,
                  "'" + std::string(attribute) +
                      "' is no part of a PKCS#11 URI that is known here: token, manufacturer, "
                      "serial, model, object, id and type are, each with its value");
    }
    names_key = names_key || name == "object" || name == "id";
  }
  if (names_key) return;
  throw Error(ErrorCode::invalid_argument,
              "the URI must say which key it is, by object=LABEL or id=%01");
}

struct EngineFree {
  void operator()(ENGINE* engine) const {
    ENGINE_finish(engine);
    ENGINE_free(engine);
  }
};
using EnginePtr = std::unique_ptr<ENGINE, EngineFree>;

EnginePtr start_engine(const std::string& module_path) {
  ERR_clear_error();
  ENGINE* const found = ENGINE_by_id("pkcs11");
  if (found == nullptr) {
    ERR_clear_error();
    throw Error(ErrorCode::failed_precondition,
                "OpenSSL's engine 'pkcs11' is not on this machine; install the package "
                "libengine-pkcs11-openssl");
  }
  if (!module_path.empty()) {
    ENGINE_ctrl_cmd_string(found, "MODULE_PATH", module_path.c_str(), 0);
  }
  if (ENGINE_init(found) != 1) {
    ENGINE_free(found);
    throw Error(ErrorCode::failed_precondition,
                "OpenSSL's engine 'pkcs11' does not start: " + openssl_reason());
  }
  EnginePtr engine(found);
  // It writes to standard error else what its error says.
  ENGINE_ctrl_cmd(found, "QUIET", 0, nullptr, nullptr, 0);
  return engine;
}

Error failure(const Pkcs11Uri& uri) {
  const std::string reason = openssl_reason();
  if (reason.find("PIN") != std::string::npos) {
    return {ErrorCode::permission_denied,
            "the token refuses the PIN (" + reason +
                "); it is not tried again, so that the token does not lock itself: put it right"};
  }
  if (reason.find("load PKCS#11 module") != std::string::npos) {
    return {ErrorCode::failed_precondition,
            "the PKCS#11 module " +
                (uri.module_path.empty() ? std::string("of p11-kit") : uri.module_path) +
                " cannot be loaded; name the token's library by module-path="};
  }
  return {ErrorCode::not_found,
          "there is no such token, or no such private key on it (" + reason +
              (uri.pin.empty() ? "); where the token wants a PIN, name it by pin-source="
                               : "); is it plugged in? `pkcs11-tool --list-objects` shows what "
                                 "is there")};
}

// The one engine of this process. Once it has made a key it is never given back: keys live as long
// as their connections, and must not lose their module.
class Engine {
 public:
  PrivateKey load(const Pkcs11Uri& uri) {
    const std::lock_guard lock(mutex_);
    const std::string login = sha256_hex(uri.key + '\n' + uri.pin);
    if (refused_.contains(login)) {
      throw Error(ErrorCode::permission_denied,
                  "its token has refused this PIN before; it is not tried again, so that the "
                  "token does not lock itself: put it right");
    }
    start(uri.module_path);
    if (EVP_PKEY* const key = try_load(uri)) {
      has_keys_ = true;
      return PrivateKey(key);
    }
    Error error = failure(uri);
    // The engine looks for tokens once, and one may be plugged in by the next time. (Its command to
    // look again crashes in libp11 0.4.12.)
    if (!has_keys_) engine_.reset();
    if (error.code() == ErrorCode::permission_denied && refused_.size() < kMostRefused) {
      refused_.insert(login);
    }
    throw error;
  }

 private:
  static constexpr std::size_t kMostRefused = 64;  // keys of a process

  void start(const std::string& module_path) {
    if (engine_ && module_path != module_path_) {
      throw Error(ErrorCode::failed_precondition,
                  "this process uses the PKCS#11 module " + module_path_ +
                      " already; all its keys must be by the same one");
    }
    if (!engine_) engine_ = start_engine(module_path);
    module_path_ = module_path;
  }

  EVP_PKEY* try_load(const Pkcs11Uri& uri) const {
    ERR_clear_error();
    if (!uri.pin.empty()) ENGINE_ctrl_cmd_string(engine_.get(), "PIN", uri.pin.c_str(), 0);
    return ENGINE_load_private_key(engine_.get(), uri.key.c_str(),
                                   const_cast<UI_METHOD*>(UI_null()), nullptr);
  }

  std::mutex mutex_;
  EnginePtr engine_;
  bool has_keys_ = false;
  std::string module_path_;
  std::set<std::string> refused_;
};

Engine& engine() {
  static auto* const only = new Engine;
  return *only;
}

}  // namespace

bool is_pkcs11_uri(std::string_view source) {
  return source.starts_with(kScheme);
}

Pkcs11Uri read_pkcs11_uri(std::string_view uri) {
  if (uri.size() > kMaxUriBytes) {
    throw Error(ErrorCode::invalid_argument, "a PKCS#11 URI has at most 1024 bytes");
  }
  const std::size_t question = uri.find('?');
  Pkcs11Uri parsed{std::string(uri.substr(0, question)), {}, {}};
  check_attributes(parsed.key);
  if (question == std::string_view::npos) return parsed;
  for (const std::string_view attribute : base::split(uri.substr(question + 1), '&')) {
    const std::size_t equals = std::min(attribute.find('='), attribute.size());
    const std::string_view name = attribute.substr(0, equals);
    const std::string_view value = attribute.substr(std::min(equals + 1, attribute.size()));
    if (name == "module-path") {
      parsed.module_path = base::percent_decode(value).value_or("");
    } else if (name == "pin-value") {
      parsed.pin = base::percent_decode(value).value_or("");
    } else if (name == "pin-source") {
      parsed.pin = pin_from(value);
    } else {
      throw Error(ErrorCode::invalid_argument,
                  "after the '?' of a PKCS#11 URI come module-path=, pin-source= and pin-value=, "
                  "with '&' between");
    }
  }
  check_pin(parsed.pin);
  if (!parsed.module_path.empty() && !parsed.module_path.starts_with('/')) {
    throw Error(ErrorCode::invalid_argument, "module-path must be the absolute path of a library");
  }
  return parsed;
}

PrivateKey load_pkcs11_key(std::string_view uri) {
  return engine().load(read_pkcs11_uri(uri));
}

}  // namespace andon::trust
