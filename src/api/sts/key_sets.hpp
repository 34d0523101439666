// SPDX-License-Identifier: Apache-2.0
// The key sets of OpenID providers: from a file or URL that the operator names for an issuer
// (plants without the internet), else as the issuer's own discovery document says. Kept for an hour
// and read anew for a key that is not in it, at most once a minute an issuer, so that tokens with
// made-up keys cannot have others asked without end. Any thread; a call may wait for the network,
// up to ten seconds.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "api/sts/issuer_client.hpp"
#include "base/time/time.hpp"
#include "trust/keys/jwt.hpp"

namespace andon::api {

struct KeySetOptions {
  // Issuer ("https://...") -> a file's path, or a URL (https; http only to this machine itself).
  std::map<std::string, std::string> places;
  std::string ca_file;  // PEM, whom to believe; empty: the system's store
};

class KeySets {
 public:
  // `fetch` is for tests.
  KeySets(KeySetOptions options, const base::Clock& clock, IssuerClient::Fetch fetch = {});

  // Keys that may have signed a token that names `key_id`: that one, or all where it names none;
  // none where the issuer has no such key. Throws unavailable where the keys cannot be had.
  [[nodiscard]] std::vector<trust::Jwk> keys_of(const std::string& issuer,
                                                const std::string& key_id);

  static constexpr std::chrono::hours kKept{1};
  static constexpr std::chrono::minutes kBetween{
      1};  // readings, for unknown keys and after failures

 private:
  struct Issuer {
    std::mutex mutex;  // one reading at a time; guards what follows
    std::vector<trust::Jwk> keys;
    bool is_read = false;
    base::Timestamp read_at;   // the last time with success
    base::Timestamp tried_at;  // the last time
    std::string failure;       // of the last time; empty: none
  };
  [[nodiscard]] std::shared_ptr<Issuer> issuer_of(const std::string& issuer);
  [[nodiscard]] std::string read(const std::string& issuer) const;
  void refresh(const std::string& name, Issuer& issuer) const;

  const KeySetOptions options_;
  const base::Clock& clock_;
  const IssuerClient client_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Issuer>> issuers_;  // of registered providers
};

}  // namespace andon::api
