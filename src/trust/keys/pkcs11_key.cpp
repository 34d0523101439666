// SPDX-License-Identifier: Apache-2.0
// What tokens have of a public key is read into the older types of OpenSSL, for delegated_key().
#define OPENSSL_SUPPRESS_DEPRECATED
#include "trust/keys/pkcs11_key.hpp"

#include <openssl/asn1.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <utility>
#include <vector>

#include "base/error/error.hpp"
#include "base/os/file.hpp"
#include "base/text/encoding.hpp"
#include "base/text/number.hpp"
#include "base/text/split.hpp"
#include "trust/digests/digest.hpp"
#include "trust/keys/delegated_key.hpp"
#include "trust/keys/pkcs11_module.hpp"
#include "trust/openssl/openssl_low_level_keys.hpp"
#include "trust/openssl/openssl_pem.hpp"

namespace andon::trust {
namespace {

using base::Error;
using base::ErrorCode;

using OctetsPtr = std::unique_ptr<ASN1_OCTET_STRING, Freer<ASN1_OCTET_STRING_free>>;
using CertificatePtr = std::unique_ptr<X509, Freer<X509_free>>;

constexpr std::string_view kScheme = "pkcs11:";
constexpr std::size_t kMaxUriBytes = 1024;
constexpr std::size_t kMaxPinBytes = 255;
constexpr std::size_t kMaxPinFileBytes = 512;

const unsigned char* bytes_of(const std::string& text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string pin_file_from(std::string_view source) {
  const std::string path = base::percent_decode(source).value_or("");
  const std::string_view without_scheme =
      path.starts_with("file://") ? std::string_view(path).substr(7)
      : path.starts_with("file:") ? std::string_view(path).substr(5)
                                  : std::string_view(path);
  if (!without_scheme.starts_with('/')) {
    throw Error(ErrorCode::invalid_argument,
                "pin-source must be the absolute path of a file that holds the PIN");
  }
  return std::string(without_scheme);
}

void read_pin(Pkcs11Uri& uri) {
  if (!uri.pin_file.empty()) {
    const std::string text = base::read_file(uri.pin_file, kMaxPinFileBytes);
    uri.pin = base::trim(text, " \t\r\n");
  }
  if (uri.pin.size() <= kMaxPinBytes) return;
  throw Error(ErrorCode::invalid_argument,
              "its PIN has more than " + std::to_string(kMaxPinBytes) + " bytes");
}

Error unknown_attribute(std::string_view attribute) {
  return {ErrorCode::invalid_argument,
          "'" + std::string(attribute) +
              "' is no part of a PKCS#11 URI that is known here: token, manufacturer, serial, "
              "model, slot-id, object, id and type are, each with its value"};
}

// One of those before the '?'.
void take_attribute(Pkcs11Uri& uri, std::string_view attribute) {
  const std::size_t equals = attribute.find('=');
  if (equals == std::string_view::npos) throw unknown_attribute(attribute);
  const std::string_view name = attribute.substr(0, equals);
  const auto value = base::percent_decode(attribute.substr(equals + 1));
  if (!value || value->empty()) throw unknown_attribute(attribute);
  const std::pair<std::string_view, std::string*> texts[] = {
      {"token", &uri.token},   {"manufacturer", &uri.manufacturer},
      {"serial", &uri.serial}, {"model", &uri.model},
      {"object", &uri.object}, {"id", &uri.id}};
  for (const auto& [known, member] : texts) {
    if (name == known) {
      *member = *value;
      return;
    }
  }
  if (name == "slot-id") {
    uri.slot = base::parse_integer<unsigned long>(*value);
    if (uri.slot) return;
    throw Error(ErrorCode::invalid_argument, "slot-id must be the number of a slot");
  }
  if (name != "type") throw unknown_attribute(attribute);
  if (*value == "private") return;
  throw Error(ErrorCode::invalid_argument, "type=" + *value + " is no private key's: type=private");
}

void take_query(Pkcs11Uri& uri, std::string_view attribute) {
  const std::size_t equals = std::min(attribute.find('='), attribute.size());
  const std::string_view name = attribute.substr(0, equals);
  const std::string_view value = attribute.substr(std::min(equals + 1, attribute.size()));
  if (name == "module-path") {
    uri.module_path = base::percent_decode(value).value_or("");
  } else if (name == "pin-value") {
    uri.pin = base::percent_decode(value).value_or("");
  } else if (name == "pin-source") {
    uri.pin_file = pin_file_from(value);
  } else {
    throw Error(ErrorCode::invalid_argument,
                "after the '?' of a PKCS#11 URI come module-path=, pin-source= and pin-value=, "
                "with '&' between");
  }
}

// --- what a token has --------------------------------------------------------------------------

// Texts of tokens are filled up with blanks.
template <std::size_t size>
bool fits(const std::string& wanted, const CK_UTF8CHAR (&field)[size]) {
  const std::string_view text(reinterpret_cast<const char*>(field), size);
  return wanted.empty() || base::trim(text, std::string_view(" \0", 2)) == wanted;
}

bool fits(const Pkcs11Uri& uri, CK_SLOT_ID slot, const CK_TOKEN_INFO& token) {
  const bool is_in_use = (token.flags & CKF_TOKEN_INITIALIZED) != 0;
  return is_in_use && (!uri.slot || *uri.slot == slot) && fits(uri.token, token.label) &&
         fits(uri.manufacturer, token.manufacturerID) && fits(uri.serial, token.serialNumber) &&
         fits(uri.model, token.model);
}

CK_ATTRIBUTE attribute_of(CK_ATTRIBUTE_TYPE type, const std::string& value) {
  return {type, const_cast<char*>(value.data()), value.size()};
}

// Private key, public key or certificate, as its label and id say.
std::vector<CK_OBJECT_HANDLE> find_object(const Pkcs11Module& module, CK_SESSION_HANDLE session,
                                          CK_OBJECT_CLASS kind, const std::string& label,
                                          const std::string& id) {
  std::vector<CK_ATTRIBUTE> wanted{{CKA_CLASS, &kind, sizeof kind}};
  if (!label.empty()) wanted.push_back(attribute_of(CKA_LABEL, label));
  if (!id.empty()) wanted.push_back(attribute_of(CKA_ID, id));
  return module.find(session, wanted);
}

KeyPtr ec_key(const std::string& parameters, const std::string& point) {
  const unsigned char* at = bytes_of(parameters);
  EC_KEY* made = d2i_ECParameters(nullptr, &at, static_cast<long>(parameters.size()));
  const EcKeyPtr key(made);
  // The point is in an octet string; some tokens leave that out.
  at = bytes_of(point);
  const OctetsPtr inner(d2i_ASN1_OCTET_STRING(nullptr, &at, static_cast<long>(point.size())));
  const bool is_wrapped = inner && at == bytes_of(point) + point.size();
  at = is_wrapped ? ASN1_STRING_get0_data(inner.get()) : bytes_of(point);
  const long size = is_wrapped ? ASN1_STRING_length(inner.get()) : static_cast<long>(point.size());
  KeyPtr whole(EVP_PKEY_new());
  if (!key || o2i_ECPublicKey(&made, &at, size) == nullptr ||
      EVP_PKEY_set1_EC_KEY(whole.get(), key.get()) != 1) {
    return nullptr;
  }
  return whole;
}

KeyPtr rsa_key(const std::string& modulus, const std::string& exponent) {
  const auto number = [](const std::string& bytes) {
    return NumberPtr(BN_bin2bn(bytes_of(bytes), static_cast<int>(bytes.size()), nullptr));
  };
  NumberPtr n = number(modulus);
  NumberPtr e = number(exponent);
  const RsaPtr key(RSA_new());
  KeyPtr whole(EVP_PKEY_new());
  if (!key || !n || !e || RSA_set0_key(key.get(), n.get(), e.get(), nullptr) != 1) return nullptr;
  (void)n.release();
  (void)e.release();
  return EVP_PKEY_set1_RSA(whole.get(), key.get()) == 1 ? std::move(whole) : nullptr;
}

// Null where the object does not tell it.
KeyPtr public_half_of(const Pkcs11Module& module, CK_SESSION_HANDLE session,
                      CK_OBJECT_HANDLE object, CK_KEY_TYPE type) {
  const bool is_ec = type == CKK_EC;
  const auto first = module.attribute(session, object, is_ec ? CKA_EC_PARAMS : CKA_MODULUS);
  const auto second = module.attribute(session, object, is_ec ? CKA_EC_POINT : CKA_PUBLIC_EXPONENT);
  if (!first || !second || first->empty() || second->empty()) return nullptr;
  return is_ec ? ec_key(*first, *second) : rsa_key(*first, *second);
}

KeyPtr key_of_certificate(const Pkcs11Module& module, CK_SESSION_HANDLE session,
                          CK_OBJECT_HANDLE object) {
  const std::string der = module.attribute(session, object, CKA_VALUE).value_or("");
  const unsigned char* at = bytes_of(der);
  const CertificatePtr certificate(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  return KeyPtr(certificate ? X509_get_pubkey(certificate.get()) : nullptr);
}

std::string der_of_ecdsa(const std::string& numbers) {
  const auto half = static_cast<int>(numbers.size() / 2);
  const SignaturePtr signature(ECDSA_SIG_new());
  NumberPtr r(BN_bin2bn(bytes_of(numbers), half, nullptr));
  NumberPtr s(BN_bin2bn(bytes_of(numbers) + half, half, nullptr));
  if (!signature || !r || !s || ECDSA_SIG_set0(signature.get(), r.get(), s.get()) != 1) return {};
  (void)r.release();
  (void)s.release();
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(signature.get(), &der);
  const std::string text(reinterpret_cast<const char*>(der),
                         static_cast<std::size_t>(std::max(size, 0)));
  OPENSSL_free(der);
  return text;
}

CK_MECHANISM_TYPE mechanism_of(SignatureKind kind) {
  switch (kind) {
    case SignatureKind::ecdsa:
      return CKM_ECDSA;
    case SignatureKind::rsa_pkcs1:
      return CKM_RSA_PKCS;
    case SignatureKind::rsa_raw:
      return CKM_RSA_X_509;
  }
  return CKM_ECDSA;
}

// A key on a token, and the session in which it is in use.
struct TokenKey {
  Pkcs11Uri uri;
  Pkcs11Module* module = nullptr;
  std::uint64_t generation = 0;  // of the module; 0: no session
  CK_SLOT_ID slot = 0;
  CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
  CK_OBJECT_HANDLE object = CK_INVALID_HANDLE;
  CK_KEY_TYPE type = CKK_EC;
  bool asks_each_time = false;  // for the PIN
};

// All that this process does with tokens, one thing at a time. What the functions throw is what
// load_private_key() says.
class Tokens {
 public:
  PrivateKey load(const Pkcs11Uri& uri) {
    // Given back after the lock.
    const std::shared_ptr<TokenKey> key(new TokenKey{uri}, [this](TokenKey* gone) {
      const std::lock_guard lock(mutex_);
      close(*gone);
      delete gone;
    });
    const std::lock_guard lock(mutex_);
    key->module = &module_at(uri.module_path);
    reopen(*key, false);
    const KeyPtr public_half = find_public_half(*key);
    return delegated_key(public_half.get(), [this, key](SignatureKind kind, std::string_view text) {
      return sign(*key, kind, text);
    });
  }

 private:
  static constexpr std::size_t kMostModules = 8;
  static constexpr std::size_t kMostRefused = 64;  // keys of a process

  std::string sign(TokenKey& key, SignatureKind kind, std::string_view input) {
    const std::lock_guard lock(mutex_);
    const bool was_open = key.generation == key.module->generation();
    if (was_open) {
      try {
        return sign_in_session(key, kind, input);
      } catch (const Error&) {
        // Its token may have been taken out and put back since.
      }
    }
    reopen(key, was_open);
    return sign_in_session(key, kind, input);
  }

  static std::string sign_in_session(const TokenKey& key, SignatureKind kind,
                                     std::string_view input) {
    const std::string signature =
        key.module->sign(key.session, key.object, mechanism_of(kind), input,
                         key.asks_each_time ? &key.uri.pin : nullptr);
    return kind == SignatureKind::ecdsa ? der_of_ecdsa(signature) : signature;
  }

  Pkcs11Module& module_at(const std::string& path) {
    const auto found = modules_.find(path);
    if (found != modules_.end()) return *found->second;
    if (modules_.size() >= kMostModules) {
      throw Error(ErrorCode::resource_exhausted,
                  "this process uses " + std::to_string(kMostModules) + " PKCS#11 modules already");
    }
    return *modules_.emplace(path, std::make_unique<Pkcs11Module>(path)).first->second;
  }

  static void close(TokenKey& key) {
    const bool is_open = key.module != nullptr && key.generation == key.module->generation();
    if (is_open && key.generation != 0) key.module->call().C_CloseSession(key.session);
    key.generation = 0;
  }

  // `is_stale`: what the module knows of its tokens is of no use any more.
  void reopen(TokenKey& key, bool is_stale) {
    close(key);
    if (!is_stale) {
      try {
        return open(key);
      } catch (const Error& error) {
        // A token that is new since the module's start may be seen after another one only.
        if (error.code() == ErrorCode::permission_denied) throw;
      }
    }
    key.module->restart();
    open(key);
  }

  void open(TokenKey& key) {
    CK_TOKEN_INFO token{};
    key.slot = find_slot(*key.module, key.uri, token);
    const CK_FUNCTION_LIST& call = key.module->call();
    const CK_RV opened =
        call.C_OpenSession(key.slot, CKF_SERIAL_SESSION, nullptr, nullptr, &key.session);
    if (opened != CKR_OK) {
      throw Error(ErrorCode::unavailable,
                  "the token cannot be used now: " + name_of_result(opened));
    }
    key.generation = key.module->generation();
    try {
      if ((token.flags & CKF_LOGIN_REQUIRED) != 0) log_in(key, token);
      find_key(key);
    } catch (const Error&) {
      close(key);
      throw;
    }
  }

  static CK_SLOT_ID find_slot(const Pkcs11Module& module, const Pkcs11Uri& uri,
                              CK_TOKEN_INFO& token) {
    std::vector<CK_SLOT_ID> fitting;
    for (const CK_SLOT_ID slot : module.slots()) {
      CK_TOKEN_INFO about{};
      if (module.call().C_GetTokenInfo(slot, &about) != CKR_OK || !fits(uri, slot, about)) continue;
      fitting.push_back(slot);
      token = about;
    }
    if (fitting.empty()) throw absent(uri);
    if (fitting.size() == 1) return fitting.front();
    throw Error(ErrorCode::failed_precondition,
                std::to_string(fitting.size()) +
                    " tokens fit, and its PIN is shown to none of them; say which one it is by "
                    "token=, serial= or slot-id=");
  }

  static Error absent(const Pkcs11Uri& uri) {
    return {ErrorCode::not_found,
            std::string("there is no such token, or no such private key on it; ") +
                (uri.pin.empty() ? "where the token wants a PIN, name it by pin-source="
                                 : "is it plugged in? `pkcs11-tool --list-objects` shows what is "
                                   "there")};
  }

  void log_in(const TokenKey& key, const CK_TOKEN_INFO& token) {
    if (key.uri.pin.empty()) return;  // some keys are seen without
    if ((token.flags & CKF_USER_PIN_LOCKED) != 0) {
      throw Error(ErrorCode::permission_denied,
                  "the token has locked its PIN; its security officer can set another one");
    }
    // Of this very token: another one may take it.
    const std::string serial(reinterpret_cast<const char*>(token.serialNumber),
                             sizeof token.serialNumber);
    const std::string login = sha256_hex(serial + '\n' + key.uri.pin);
    if (refused_.contains(login)) {
      throw Error(ErrorCode::permission_denied,
                  "its token has refused this PIN before; it is not tried again, so that the "
                  "token does not lock itself: put it right");
    }
    std::string pin = key.uri.pin;
    const CK_RV result = key.module->call().C_Login(
        key.session, CKU_USER, reinterpret_cast<CK_BYTE*>(pin.data()), pin.size());
    if (result == CKR_OK || result == CKR_USER_ALREADY_LOGGED_IN) return;
    const bool is_refused = result == CKR_PIN_INCORRECT || result == CKR_PIN_INVALID ||
                            result == CKR_PIN_LEN_RANGE || result == CKR_PIN_EXPIRED ||
                            result == CKR_PIN_LOCKED;
    if (!is_refused) {
      throw Error(ErrorCode::unavailable,
                  "the token does not let this device in: " + name_of_result(result));
    }
    if (refused_.size() < kMostRefused) refused_.insert(login);
    throw Error(ErrorCode::permission_denied,
                "the token refuses the PIN (" + name_of_result(result) +
                    "); it is not tried again, so that the token does not lock itself: put it "
                    "right");
  }

  static void find_key(TokenKey& key) {
    const auto found =
        find_object(*key.module, key.session, CKO_PRIVATE_KEY, key.uri.object, key.uri.id);
    if (found.empty()) throw absent(key.uri);
    if (found.size() > 1) {
      throw Error(ErrorCode::failed_precondition,
                  "the token has several such keys; say which one it is by id=, as in id=%01");
    }
    key.object = found.front();
    const auto type = key.module->attribute(key.session, key.object, CKA_KEY_TYPE);
    if (type && type->size() == sizeof key.type) std::memcpy(&key.type, type->data(), type->size());
    if (key.type != CKK_EC && key.type != CKK_RSA) {
      throw Error(ErrorCode::unsupported,
                  "the token's key is neither of an elliptic curve nor of RSA");
    }
    const auto each_time = key.module->attribute(key.session, key.object, CKA_ALWAYS_AUTHENTICATE);
    key.asks_each_time = each_time && *each_time != std::string(each_time->size(), '\0');
    if (key.type == CKK_RSA) check_rsa(key);
  }

  static void check_rsa(const TokenKey& key) {
    CK_MECHANISM_INFO about{};
    const bool signs_raw =
        key.module->call().C_GetMechanismInfo(key.slot, CKM_RSA_X_509, &about) == CKR_OK &&
        (about.flags & CKF_SIGN) != 0;
    if (signs_raw) return;
    throw Error(ErrorCode::unsupported,
                "the token does not sign by RSA what TLS 1.3 has padded already (CKM_RSA_X_509); "
                "make an elliptic curve key");
  }

  // Of the private key itself, the public key beside it, or its certificate.
  static KeyPtr find_public_half(const TokenKey& key) {
    KeyPtr half = public_half_of(*key.module, key.session, key.object, key.type);
    const std::string id = key.module->attribute(key.session, key.object, CKA_ID).value_or("");
    const std::string label = id.empty() ? key.uri.object : std::string();
    for (const CK_OBJECT_HANDLE other :
         find_object(*key.module, key.session, CKO_PUBLIC_KEY, label, id)) {
      if (!half) half = public_half_of(*key.module, key.session, other, key.type);
    }
    for (const CK_OBJECT_HANDLE other :
         find_object(*key.module, key.session, CKO_CERTIFICATE, label, id)) {
      if (!half) half = key_of_certificate(*key.module, key.session, other);
    }
    ERR_clear_error();
    if (half) return half;
    throw Error(ErrorCode::not_found,
                "the token has no public key and no certificate beside this private key, with the "
                "same id; put one there (`pkcs11-tool --write-object … --type pubkey`)");
  }

  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<Pkcs11Module>> modules_;  // by path
  std::set<std::string> refused_;
};

// Of the process: keys live as long as their connections.
Tokens& tokens() {
  static auto* const only = new Tokens;
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
  Pkcs11Uri parsed;
  parsed.key = uri.substr(0, question);
  for (const std::string_view attribute :
       base::split(std::string_view(parsed.key).substr(kScheme.size()), ';')) {
    take_attribute(parsed, attribute);
  }
  if (parsed.object.empty() && parsed.id.empty()) {
    throw Error(ErrorCode::invalid_argument,
                "the URI must say which key it is, by object=LABEL or id=%01");
  }
  if (question == std::string_view::npos) return parsed;
  for (const std::string_view attribute : base::split(uri.substr(question + 1), '&')) {
    take_query(parsed, attribute);
  }
  if (!parsed.module_path.empty() && !parsed.module_path.starts_with('/')) {
    throw Error(ErrorCode::invalid_argument, "module-path must be the absolute path of a library");
  }
  return parsed;
}

PrivateKey load_pkcs11_key(std::string_view uri) {
  Pkcs11Uri parsed = read_pkcs11_uri(uri);
  read_pin(parsed);
  return tokens().load(parsed);
}

}  // namespace andon::trust
