// SPDX-License-Identifier: Apache-2.0
#include "trust/keys/pkcs11_module.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/error/error.hpp"

namespace andon::trust {
namespace {

using base::Error;
using base::ErrorCode;

constexpr CK_ULONG kMostSlots = 256;
constexpr CK_ULONG kMaxAttributeBytes = 16U << 10U;
constexpr std::size_t kMaxSignatureBytes = 1024;  // RSA of 8,192 bits

// What OpenSSL's engine has as well: all modules that p11-kit knows of, as one.
constexpr const char* kProxy = "p11-kit-proxy.so";

Error cannot_load(const std::string& path, const std::string& why) {
  return {ErrorCode::failed_precondition,
          "the PKCS#11 module " + (path.empty() ? std::string("of p11-kit") : path) +
              " cannot be loaded (" + why + "); name the token's library by module-path="};
}

}  // namespace

std::string name_of_result(CK_RV result) {
  constexpr std::pair<CK_RV, const char*> kNames[] = {
      {CKR_GENERAL_ERROR, "CKR_GENERAL_ERROR"},
      {CKR_FUNCTION_FAILED, "CKR_FUNCTION_FAILED"},
      {CKR_ARGUMENTS_BAD, "CKR_ARGUMENTS_BAD"},
      {CKR_DEVICE_ERROR, "CKR_DEVICE_ERROR"},
      {CKR_DEVICE_MEMORY, "CKR_DEVICE_MEMORY"},
      {CKR_DEVICE_REMOVED, "CKR_DEVICE_REMOVED"},
      {CKR_KEY_HANDLE_INVALID, "CKR_KEY_HANDLE_INVALID"},
      {CKR_KEY_FUNCTION_NOT_PERMITTED, "CKR_KEY_FUNCTION_NOT_PERMITTED"},
      {CKR_MECHANISM_INVALID, "CKR_MECHANISM_INVALID"},
      {CKR_OBJECT_HANDLE_INVALID, "CKR_OBJECT_HANDLE_INVALID"},
      {CKR_PIN_INCORRECT, "CKR_PIN_INCORRECT"},
      {CKR_PIN_INVALID, "CKR_PIN_INVALID"},
      {CKR_PIN_LEN_RANGE, "CKR_PIN_LEN_RANGE"},
      {CKR_PIN_EXPIRED, "CKR_PIN_EXPIRED"},
      {CKR_PIN_LOCKED, "CKR_PIN_LOCKED"},
      {CKR_SESSION_COUNT, "CKR_SESSION_COUNT"},
      {CKR_SESSION_HANDLE_INVALID, "CKR_SESSION_HANDLE_INVALID"},
      {CKR_SLOT_ID_INVALID, "CKR_SLOT_ID_INVALID"},
      {CKR_TOKEN_NOT_PRESENT, "CKR_TOKEN_NOT_PRESENT"},
      {CKR_TOKEN_NOT_RECOGNIZED, "CKR_TOKEN_NOT_RECOGNIZED"},
      {CKR_USER_NOT_LOGGED_IN, "CKR_USER_NOT_LOGGED_IN"},
      {CKR_USER_PIN_NOT_INITIALIZED, "CKR_USER_PIN_NOT_INITIALIZED"},
      {CKR_USER_TYPE_INVALID, "CKR_USER_TYPE_INVALID"},
  };
  const auto* const found =
      std::ranges::find(kNames, result, &std::pair<CK_RV, const char*>::first);
  return found == std::end(kNames) ? fmt::format("CKR {:#x}", result) : found->second;
}

Pkcs11Module::Pkcs11Module(const std::string& path) : path_(path) {
  // Its own symbols must not take the place of ours.
  void* const library = dlopen(path.empty() ? kProxy : path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* const why = dlerror();
    throw cannot_load(path, why == nullptr ? "no reason given" : why);
  }
  const auto get_functions =
      reinterpret_cast<CK_C_GetFunctionList>(dlsym(library, "C_GetFunctionList"));
  if (get_functions == nullptr || get_functions(&functions_) != CKR_OK || functions_ == nullptr) {
    throw cannot_load(path, "it is no PKCS#11 library");
  }
  start();
}

void Pkcs11Module::start() {
  CK_C_INITIALIZE_ARGS several_threads{};
  several_threads.flags = CKF_OS_LOCKING_OK;
  CK_RV result = call().C_Initialize(&several_threads);
  if (result == CKR_CANT_LOCK) result = call().C_Initialize(nullptr);
  if (result != CKR_OK && result != CKR_CRYPTOKI_ALREADY_INITIALIZED) {
    throw Error(ErrorCode::unavailable,
                "the PKCS#11 module " + path_ + " does not start: " + name_of_result(result));
  }
  ++generation_;
}

void Pkcs11Module::restart() {
  call().C_Finalize(nullptr);
  start();
}

std::vector<CK_SLOT_ID> Pkcs11Module::slots() const {
  CK_ULONG count = 0;
  // The first call is the one that looks for them.
  if (call().C_GetSlotList(CK_TRUE, nullptr, &count) != CKR_OK) return {};
  std::vector<CK_SLOT_ID> slots(std::min(count + 8, kMostSlots));  // more may come meanwhile
  count = slots.size();
  if (call().C_GetSlotList(CK_TRUE, slots.data(), &count) != CKR_OK) return {};
  slots.resize(std::min<std::size_t>(count, slots.size()));
  return slots;
}

std::vector<CK_OBJECT_HANDLE> Pkcs11Module::find(CK_SESSION_HANDLE session,
                                                 std::vector<CK_ATTRIBUTE> wanted) const {
  std::array<CK_OBJECT_HANDLE, 2> found{};
  CK_ULONG count = 0;
  if (call().C_FindObjectsInit(session, wanted.data(), wanted.size()) != CKR_OK) return {};
  const CK_RV result = call().C_FindObjects(session, found.data(), found.size(), &count);
  call().C_FindObjectsFinal(session);
  if (result != CKR_OK) return {};
  return {found.begin(), found.begin() + std::min<std::size_t>(count, found.size())};
}

std::optional<std::string> Pkcs11Module::attribute(CK_SESSION_HANDLE session,
                                                   CK_OBJECT_HANDLE object,
                                                   CK_ATTRIBUTE_TYPE type) const {
  CK_ATTRIBUTE asked{type, nullptr, 0};
  if (call().C_GetAttributeValue(session, object, &asked, 1) != CKR_OK ||
      asked.ulValueLen > kMaxAttributeBytes) {  // "not available" is the largest number
    return std::nullopt;
  }
  std::string value(asked.ulValueLen, '\0');
  asked.pValue = value.data();
  if (call().C_GetAttributeValue(session, object, &asked, 1) != CKR_OK ||
      asked.ulValueLen > value.size()) {
    return std::nullopt;
  }
  value.resize(asked.ulValueLen);
  return value;
}

std::string Pkcs11Module::sign(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key,
                               CK_MECHANISM_TYPE type, std::string_view input,
                               const std::string* pin_of_each_time) const {
  CK_MECHANISM mechanism{type, nullptr, 0};
  // The interface is C's: what it only reads is not const either.
  std::string bytes(input);
  std::string signature(kMaxSignatureBytes, '\0');
  CK_ULONG size = signature.size();
  CK_RV result = call().C_SignInit(session, &mechanism, key);
  if (result == CKR_OK && pin_of_each_time != nullptr) {
    std::string pin = *pin_of_each_time;
    result = call().C_Login(session, CKU_CONTEXT_SPECIFIC, reinterpret_cast<CK_BYTE*>(pin.data()),
                            pin.size());
  }
  if (result == CKR_OK) {
    result = call().C_Sign(session, reinterpret_cast<CK_BYTE*>(bytes.data()), bytes.size(),
                           reinterpret_cast<CK_BYTE*>(signature.data()), &size);
  }
  if (result != CKR_OK) {
    throw Error(ErrorCode::unavailable, "the token does not sign: " + name_of_result(result));
  }
  signature.resize(std::min<std::size_t>(size, signature.size()));
  return signature;
}

}  // namespace andon::trust
