// SPDX-License-Identifier: Apache-2.0
#include "trust/keys/certificate.hpp"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <memory>
#include <span>
#include <utility>

#include "base/error/error.hpp"
#include "base/text/ascii.hpp"
#include "base/text/encoding.hpp"
#include "base/text/id.hpp"
#include "trust/openssl/openssl_pem.hpp"

namespace andon::trust {
namespace {

using base::Error;
using base::ErrorCode;

using CertificatePtr = std::unique_ptr<X509, Freer<X509_free>>;
using CsrPtr = std::unique_ptr<X509_REQ, Freer<X509_REQ_free>>;
using NamePtr = std::unique_ptr<X509_NAME, Freer<X509_NAME_free>>;
using ExtensionPtr = std::unique_ptr<X509_EXTENSION, Freer<X509_EXTENSION_free>>;
using GeneralNamesPtr = std::unique_ptr<GENERAL_NAMES, Freer<GENERAL_NAMES_free>>;
using GeneralNamePtr = std::unique_ptr<GENERAL_NAME, Freer<GENERAL_NAME_free>>;
using StorePtr = std::unique_ptr<X509_STORE, Freer<X509_STORE_free>>;
using StoreContextPtr = std::unique_ptr<X509_STORE_CTX, Freer<X509_STORE_CTX_free>>;

constexpr std::size_t kMaxCommonNameBytes = 128;
constexpr std::size_t kSerialBytes = 16;
constexpr int kMinSecurityBits = 112;  // RSA-2048, P-224

CertificatePtr parse_certificate(std::string_view pem) {
  return parse_pem<CertificatePtr>(pem, "certificate", PEM_read_bio_X509);
}
CsrPtr parse_csr(std::string_view pem) {
  return parse_pem<CsrPtr>(pem, "certificate signing request", PEM_read_bio_X509_REQ);
}

template <typename Write>
std::string to_pem(Write write) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  require_openssl(bio != nullptr && write(bio.get()) == 1, "write PEM text");
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string key_to_pem(EVP_PKEY* key) {
  return to_pem([key](BIO* bio) {
    return PEM_write_bio_PKCS8PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
  });
}
std::string certificate_to_pem(X509* certificate) {
  return to_pem([certificate](BIO* bio) { return PEM_write_bio_X509(bio, certificate); });
}

KeyPtr generate_key() {
  KeyPtr key(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
  require_openssl(key != nullptr, "generate a P-256 key");
  return key;
}

NamePtr make_name(std::string_view common_name) {
  if (common_name.empty() || common_name.size() > kMaxCommonNameBytes) {
    throw Error(ErrorCode::invalid_argument,
                "a certificate's common name must have 1 to 128 bytes, this one has " +
                    std::to_string(common_name.size()));
  }
  if (common_name.find('\0') != std::string_view::npos) {
    throw Error(ErrorCode::invalid_argument, "a certificate's common name holds a zero byte");
  }
  NamePtr name(X509_NAME_new());
  // Given as a ready UTF8String: the MBSTRING forms stop at X.520's 64 characters, and thing names
  // have up to 128.
  require_openssl(name != nullptr &&
                      X509_NAME_add_entry_by_NID(name.get(), NID_commonName, V_ASN1_UTF8STRING,
                                                 base::as_bytes(common_name).data(),
                                                 static_cast<int>(common_name.size()), -1, 0) == 1,
                  "make a certificate's name");
  return name;
}

std::time_t to_seconds(base::Timestamp time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

base::Timestamp from_asn1(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) {
    throw Error(ErrorCode::invalid_argument, "a certificate's validity holds a malformed time");
  }
  const std::chrono::year_month_day day(std::chrono::year(parts.tm_year + 1900),
                                        std::chrono::month(static_cast<unsigned>(parts.tm_mon + 1)),
                                        std::chrono::day(static_cast<unsigned>(parts.tm_mday)));
  return std::chrono::sys_days(day) + std::chrono::hours(parts.tm_hour) +
         std::chrono::minutes(parts.tm_min) + std::chrono::seconds(parts.tm_sec);
}

void set_validity(X509* certificate, base::Timestamp from, base::Timestamp until) {
  require_openssl(ASN1_TIME_set(X509_getm_notBefore(certificate), to_seconds(from)) != nullptr &&
                      ASN1_TIME_set(X509_getm_notAfter(certificate), to_seconds(until)) != nullptr,
                  "set a certificate's validity");
}

void set_random_serial(X509* certificate) {
  const std::string bytes = base::random_bytes(kSerialBytes);
  const NumberPtr number(
      BN_bin2bn(base::as_bytes(bytes).data(), static_cast<int>(bytes.size()), nullptr));
  require_openssl(
      number != nullptr &&
          BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr,
      "set a certificate's serial number");
}

// `text` is OpenSSL's configuration syntax, so it never comes from outside.
void add_extension(X509* certificate, X509* issuer, int nid, const char* text) {
  X509V3_CTX context{};
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const ExtensionPtr extension(X509V3_EXT_nconf_nid(nullptr, &context, nid, text));
  require_openssl(extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1,
                  "add an extension to a certificate");
}

std::string parse_address(const std::string& text) {
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  std::size_t size = 0;
  if (inet_pton(AF_INET, text.c_str(), bytes.data()) == 1) size = sizeof(in_addr);
  if (size == 0 && inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1) size = sizeof(in6_addr);
  if (size == 0) {
    throw Error(ErrorCode::invalid_argument, "'" + text + "' is not an IP address");
  }
  return {bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size)};
}

std::string address_text(std::string_view bytes) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int family = bytes.size() == sizeof(in_addr) ? AF_INET : AF_INET6;
  if (bytes.size() != sizeof(in_addr) && bytes.size() != sizeof(in6_addr)) return {};
  inet_ntop(family, bytes.data(), text.data(), text.size());
  return text.data();
}

void check_dns_name(const std::string& name) {
  if (name.size() > 253 || !base::is_name_of(name, "-._*")) {
    throw Error(ErrorCode::invalid_argument, "'" + name + "' is not a host name");
  }
}

void append_name(GENERAL_NAMES* names, int type, int string_type, std::string_view bytes) {
  GeneralNamePtr name(GENERAL_NAME_new());
  ASN1_STRING* value = ASN1_STRING_type_new(string_type);
  require_openssl(name != nullptr && value != nullptr, "make an alternative name");
  GENERAL_NAME_set0_value(name.get(), type, value);  // owns value from here on
  require_openssl(ASN1_STRING_set(value, bytes.data(), static_cast<int>(bytes.size())) == 1 &&
                      sk_GENERAL_NAME_push(names, name.get()) > 0,
                  "make an alternative name");
  [[maybe_unused]] const GENERAL_NAME* const owned_by_names = name.release();
}

void add_alternative_names(X509* certificate, const CertificateRequest& request) {
  if (request.dns_names.empty() && request.ip_addresses.empty()) return;
  const GeneralNamesPtr names(GENERAL_NAMES_new());
  require_openssl(names != nullptr, "make alternative names");
  for (const std::string& dns_name : request.dns_names) {
    check_dns_name(dns_name);
    append_name(names.get(), GEN_DNS, V_ASN1_IA5STRING, dns_name);
  }
  for (const std::string& address : request.ip_addresses) {
    append_name(names.get(), GEN_IPADD, V_ASN1_OCTET_STRING, parse_address(address));
  }
  require_openssl(
      X509_add1_ext_i2d(certificate, NID_subject_alt_name, names.get(), 0, X509V3_ADD_DEFAULT) == 1,
      "add alternative names to a certificate");
}

void read_alternative_names(X509* certificate, CertificateInfo& info) {
  const GeneralNamesPtr names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  if (!names) {
    ERR_clear_error();
    return;
  }
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    int type = 0;
    const void* value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names.get(), i), &type);
    if (type != GEN_DNS && type != GEN_IPADD) continue;
    const auto* string = static_cast<const ASN1_STRING*>(value);
    const auto* data = ASN1_STRING_get0_data(string);
    const std::string bytes(data, data + ASN1_STRING_length(string));
    if (type == GEN_DNS) {
      info.dns_names.push_back(bytes);
    } else {
      info.ip_addresses.push_back(address_text(bytes));
    }
  }
}

// An empty certificate of version 3 with serial, names, key and validity.
CertificatePtr make_body(const X509_NAME* subject, const X509_NAME* issuer, EVP_PKEY* public_key,
                         base::Timestamp from, base::Timestamp until) {
  CertificatePtr certificate(X509_new());
  require_openssl(certificate != nullptr &&
                      X509_set_version(certificate.get(), X509_VERSION_3) == 1 &&
                      X509_set_subject_name(certificate.get(), subject) == 1 &&
                      X509_set_issuer_name(certificate.get(), issuer) == 1 &&
                      X509_set_pubkey(certificate.get(), public_key) == 1,
                  "make a certificate");
  set_random_serial(certificate.get());
  set_validity(certificate.get(), from, until);
  return certificate;
}

// Ed25519 and its like bring their own digest.
const EVP_MD* digest_for(EVP_PKEY* key) {
  const int id = EVP_PKEY_get_base_id(key);
  return id == EVP_PKEY_ED25519 || id == EVP_PKEY_ED448 ? nullptr : EVP_sha256();
}

template <typename Digest>
std::string digest_hex(Digest digest) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned int size = 0;
  require_openssl(digest(bytes.data(), &size) == 1, "compute a digest");
  return base::to_hex(std::span(bytes).first(size));
}

std::string public_key_sha256(const X509_PUBKEY* key) {
  unsigned char* der = nullptr;
  const int size = i2d_X509_PUBKEY(key, &der);
  require_openssl(size > 0, "encode a public key");
  const std::unique_ptr<unsigned char, decltype([](unsigned char* p) { OPENSSL_free(p); })> owner(
      der);
  return digest_hex([&](unsigned char* out, unsigned int* out_size) {
    return EVP_Digest(der, static_cast<std::size_t>(size), out, out_size, EVP_sha256(), nullptr);
  });
}

std::string text_of(const X509_NAME_ENTRY* entry) {
  unsigned char* utf8 = nullptr;
  const int size = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(entry));
  if (size < 0) {
    throw Error(ErrorCode::invalid_argument,
                "a part of a certificate's name is malformed: " + openssl_reason());
  }
  std::string text(utf8, utf8 + size);
  OPENSSL_free(utf8);
  return text;
}

std::string common_name_of(const X509_NAME* name) {
  const int index = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
  return index < 0 ? std::string() : text_of(X509_NAME_get_entry(name, index));
}

std::vector<NamePart> parts_of(const X509_NAME* name) {
  constexpr auto kFields = std::to_array<std::pair<int, std::string_view>>({
      {NID_dnQualifier, "DistinguishedNameQualifier"},
      {NID_countryName, "Country"},
      {NID_organizationName, "Organization"},
      {NID_organizationalUnitName, "OrganizationalUnit"},
      {NID_stateOrProvinceName, "State"},
      {NID_commonName, "CommonName"},
      {NID_serialNumber, "SerialNumber"},
      {NID_title, "Title"},
      {NID_surname, "Surname"},
      {NID_givenName, "GivenName"},
      {NID_initials, "Initials"},
      {NID_pseudonym, "Pseudonym"},
      {NID_generationQualifier, "GenerationQualifier"},
  });
  std::vector<NamePart> parts;
  for (int i = 0; i < X509_NAME_entry_count(name); ++i) {
    const X509_NAME_ENTRY* entry = X509_NAME_get_entry(name, i);
    const int nid = OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry));
    const auto* field = std::ranges::find(kFields, nid, &std::pair<int, std::string_view>::first);
    if (field != kFields.end()) parts.push_back({std::string(field->second), text_of(entry)});
  }
  return parts;
}

std::string serial_hex(const X509* certificate) {
  const ASN1_INTEGER* serial = X509_get0_serialNumber(certificate);
  const auto* data = ASN1_STRING_get0_data(serial);
  return base::to_hex(std::span(data, static_cast<std::size_t>(ASN1_STRING_length(serial))));
}

}  // namespace

std::string make_private_key() {
  return key_to_pem(generate_key().get());
}

std::string public_key_of(std::string_view private_key_pem) {
  const PrivateKey key = parse_private_key(private_key_pem);
  return to_pem([&key](BIO* bio) { return PEM_write_bio_PUBKEY(bio, key.get()); });
}

std::string make_csr(std::string_view private_key_pem, std::string_view common_name) {
  return make_csr(parse_private_key(private_key_pem), common_name);
}

std::string make_csr(const PrivateKey& key, std::string_view common_name) {
  const NamePtr name = make_name(common_name);
  const CsrPtr csr(X509_REQ_new());
  require_openssl(csr != nullptr && X509_REQ_set_version(csr.get(), X509_REQ_VERSION_1) == 1 &&
                      X509_REQ_set_subject_name(csr.get(), name.get()) == 1 &&
                      X509_REQ_set_pubkey(csr.get(), key.get()) == 1 &&
                      X509_REQ_sign(csr.get(), key.get(), digest_for(key.get())) > 0,
                  "make a certificate signing request");
  return to_pem([&csr](BIO* bio) { return PEM_write_bio_X509_REQ(bio, csr.get()); });
}

CertificateAuthority make_certificate_authority(std::string_view common_name, base::Timestamp now,
                                                std::chrono::days lifetime) {
  const KeyPtr key = generate_key();
  const NamePtr name = make_name(common_name);
  const CertificatePtr certificate =
      make_body(name.get(), name.get(), key.get(), now, now + lifetime);
  X509* const self = certificate.get();
  add_extension(self, self, NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
  add_extension(self, self, NID_key_usage, "critical,keyCertSign,cRLSign");
  add_extension(self, self, NID_subject_key_identifier, "hash");
  require_openssl(X509_sign(self, key.get(), EVP_sha256()) > 0, "sign a CA certificate");
  return {certificate_to_pem(self), key_to_pem(key.get())};
}

std::string sign_csr(const CertificateAuthority& authority, std::string_view csr_pem,
                     const CertificateRequest& request) {
  const CsrPtr csr = parse_csr(csr_pem);
  EVP_PKEY* const public_key = X509_REQ_get0_pubkey(csr.get());
  if (public_key == nullptr) {
    throw Error(ErrorCode::invalid_argument,
                "the certificate signing request's public key cannot be read: " + openssl_reason());
  }
  if (EVP_PKEY_get_security_bits(public_key) < kMinSecurityBits) {
    throw Error(ErrorCode::invalid_argument,
                "the certificate signing request's key is too weak: use P-256, or RSA with at "
                "least 2048 bits");
  }
  if (X509_REQ_verify(csr.get(), public_key) != 1) {
    ERR_clear_error();
    throw Error(ErrorCode::invalid_argument,
                "the certificate signing request's own signature is wrong: it was changed, or "
                "signed with another key");
  }

  const CertificatePtr issuer = parse_certificate(authority.certificate_pem);
  const PrivateKey issuer_key = parse_private_key(authority.private_key_pem);
  const NamePtr subject = make_name(request.common_name);
  const base::Timestamp until =
      std::min(request.not_before + request.lifetime, from_asn1(X509_get0_notAfter(issuer.get())));
  const CertificatePtr certificate = make_body(subject.get(), X509_get_subject_name(issuer.get()),
                                               public_key, request.not_before, until);
  X509* const leaf = certificate.get();
  add_extension(leaf, issuer.get(), NID_basic_constraints, "critical,CA:FALSE");
  add_extension(leaf, issuer.get(), NID_key_usage, "critical,digitalSignature");
  add_extension(leaf, issuer.get(), NID_ext_key_usage,
                request.use == CertificateUse::server ? "serverAuth" : "clientAuth");
  add_extension(leaf, issuer.get(), NID_subject_key_identifier, "hash");
  add_extension(leaf, issuer.get(), NID_authority_key_identifier, "keyid:always");
  add_alternative_names(leaf, request);
  require_openssl(X509_sign(leaf, issuer_key.get(), digest_for(issuer_key.get())) > 0,
                  "sign a certificate");
  return certificate_to_pem(leaf);
}

CertificateInfo describe_certificate(std::string_view certificate_pem) {
  const CertificatePtr certificate = parse_certificate(certificate_pem);
  CertificateInfo info;
  info.common_name = common_name_of(X509_get_subject_name(certificate.get()));
  info.serial_hex = serial_hex(certificate.get());
  info.fingerprint = digest_hex([&](unsigned char* out, unsigned int* size) {
    return X509_digest(certificate.get(), EVP_sha256(), out, size);
  });
  info.public_key_sha256 = public_key_sha256(X509_get_X509_PUBKEY(certificate.get()));
  read_alternative_names(certificate.get(), info);
  info.not_before = from_asn1(X509_get0_notBefore(certificate.get()));
  info.not_after = from_asn1(X509_get0_notAfter(certificate.get()));
  return info;
}

CertificateNames names_of_certificate(std::string_view certificate_pem) {
  const CertificatePtr certificate = parse_certificate(certificate_pem);
  return {parts_of(X509_get_subject_name(certificate.get())),
          parts_of(X509_get_issuer_name(certificate.get()))};
}

std::string public_key_sha256_of_csr(std::string_view csr_pem) {
  const CsrPtr csr = parse_csr(csr_pem);
  return public_key_sha256(X509_REQ_get_X509_PUBKEY(csr.get()));
}

bool is_signed_by(std::string_view certificate_pem, std::string_view authority_pem,
                  base::Timestamp now) {
  const CertificatePtr certificate = parse_certificate(certificate_pem);
  const CertificatePtr authority = parse_certificate(authority_pem);
  const StorePtr store(X509_STORE_new());
  const StoreContextPtr context(X509_STORE_CTX_new());
  require_openssl(
      store != nullptr && context != nullptr &&
          X509_STORE_add_cert(store.get(), authority.get()) == 1 &&
          X509_STORE_CTX_init(context.get(), store.get(), certificate.get(), nullptr) == 1,
      "prepare to verify a certificate");
  X509_STORE_CTX_set_time(context.get(), 0, to_seconds(now));
  const bool valid = X509_verify_cert(context.get()) == 1;
  ERR_clear_error();
  return valid;
}

bool is_key_of(std::string_view private_key_pem, std::string_view certificate_pem) {
  return is_key_of(parse_private_key(private_key_pem), certificate_pem);
}

bool is_key_of(const PrivateKey& key, std::string_view certificate_pem) {
  const CertificatePtr certificate = parse_certificate(certificate_pem);
  const bool fits = X509_check_private_key(certificate.get(), key.get()) == 1;
  ERR_clear_error();
  return fits;
}

}  // namespace andon::trust
