// SPDX-License-Identifier: Apache-2.0
// A PKCS#11 library, started in this process, and its calls with what they give as values. For
// pkcs11_key.cpp alone, which has one caller at a time.
#pragma once

#include <p11-kit-1/p11-kit/pkcs11.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace andon::trust {

// "CKR_DEVICE_REMOVED", or the number of one that has no name here.
[[nodiscard]] std::string name_of_result(CK_RV result);

class Pkcs11Module {
 public:
  // Throws failed_precondition where there is no such library, or it does not start.
  explicit Pkcs11Module(const std::string& path);
  Pkcs11Module(const Pkcs11Module&) = delete;
  Pkcs11Module& operator=(const Pkcs11Module&) = delete;
  // It stays loaded to the end of the process: such libraries do not expect to be taken away.
  ~Pkcs11Module() = default;

  // Looks at its tokens as if for the first time. All sessions end.
  void restart();
  // Another after each restart.
  [[nodiscard]] std::uint64_t generation() const { return generation_; }
  [[nodiscard]] const CK_FUNCTION_LIST& call() const { return *functions_; }

  // With a token in them.
  [[nodiscard]] std::vector<CK_SLOT_ID> slots() const;
  // The first ones, of any number: whether there are several is all that is asked.
  [[nodiscard]] std::vector<CK_OBJECT_HANDLE> find(CK_SESSION_HANDLE session,
                                                   std::vector<CK_ATTRIBUTE> wanted) const;
  // Nothing where the object has no such attribute, or keeps it to itself.
  [[nodiscard]] std::optional<std::string> attribute(CK_SESSION_HANDLE session,
                                                     CK_OBJECT_HANDLE object,
                                                     CK_ATTRIBUTE_TYPE type) const;
  // Throws unavailable for what the token does not do.
  [[nodiscard]] std::string sign(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key,
                                 CK_MECHANISM_TYPE mechanism, std::string_view input,
                                 const std::string* pin_of_each_time) const;

 private:
  void start();

  CK_FUNCTION_LIST* functions_ = nullptr;
  std::string path_;
  std::uint64_t generation_ = 0;
};

}  // namespace andon::trust
